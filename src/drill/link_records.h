#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file_system.h"

namespace cloison::drill {

/// Where a record has no such thing.
inline constexpr std::int64_t kNothing = std::numeric_limits<std::int64_t>::min();

/// A number that a thief reads off each record of one sort: a time, a length, how many rows, which
/// of a few words, where the row lies.
struct Trait {
    std::string name;  ///< "request.created_ms, last"
    std::vector<std::int64_t> values;
};

/// Records of one sort in a stolen store. A record is all the rows and files that the thief can see
/// belong together, because they name each other.
struct Records {
    std::string name;  ///< The tables: "account+profile_value"
    std::vector<Trait> traits;
    std::vector<std::vector<std::uint64_t>> marks;  ///< Hashes of the byte strings in a record.
    std::vector<std::uint32_t> persons;             ///< The truth, to judge by; 0: not known.
    std::size_t size() const { return persons.size(); }
};

/// Whose a byte string is: pseudonyms, tags, file names. Only for judging an attack.
using Truth = std::unordered_map<std::string, std::uint32_t>;

/// Every record of a stolen store: `databases` are copies of SQLite files, each beside its -wal if
/// it had one, `files` other files, which belong to the row that has their name as bytes. `staff`
/// are byte strings that tie no rows together because they name members of staff. kCorrupt if a
/// database cannot be read.
Result<std::vector<Records>> read_records(const std::vector<Path>& databases,
                                          const std::vector<Path>& files,
                                          const std::set<std::string>& staff, const Truth& truth);

/// What names the staff in a copy of identity's database: officers stand in the open in casework.
Result<std::set<std::string>> read_staff(const Path& identity);

/// Every byte string of 8 bytes or more in the tables of these copies.
Result<std::set<std::string>> read_byte_strings(const std::vector<Path>& databases);

}  // namespace cloison::drill
