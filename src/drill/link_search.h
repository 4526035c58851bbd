#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file_system.h"

namespace cloison::drill {

/// A column of a stolen store, in the order in which its rows lie on disk.
struct Column {
    std::string table;
    std::string name;
    std::vector<std::int64_t> integers;  ///< Of integer values; null is left out.
    std::vector<std::string> blobs;
    std::vector<std::string> texts;
};

struct StolenStore {
    std::string name;  ///< "identity"
    std::vector<Column> columns;
    std::string schema;  ///< The SQL of its tables and triggers: words that stand in the open.

    /// Reads every table of an SQLite file but those that tell of the build alone (SQLite's own,
    /// schema_migrations). kCorrupt if it is none.
    static Result<StolenStore> read(const std::string& name, const Path& database);
    const Column* column(std::string_view table, std::string_view name) const;
    /// Texts of columns that have few different ones for many rows: statuses, names of fields.
    std::set<std::string> enumerations() const;
};

inline constexpr std::size_t kLinkSize = 8;  ///< Bytes that two stores may not share.

/// Values that two stores share: byte strings of kLinkSize or more anywhere in their byte columns,
/// and texts that stand once in each. A text that stands in many rows links nobody.
/// `known` are byte strings that may be shared (ids of staff, who are named in the open).
std::map<std::string, std::uint64_t> shared_values(const StolenStore& a, const StolenStore& b,
                                                   const std::set<std::string>& known);

/// Times finer than an hour that stand in both stores, but for those that are `known`.
std::uint64_t shared_fine_times(const StolenStore& a, const StolenStore& b,
                                const std::set<std::int64_t>& known);

/// Spearman's rank correlation between the order of the rows and a time: near 0 where the order
/// betrays nothing, 1 where rows lie in the order in which they were written.
double order_correlation(const std::vector<std::int64_t>& times_in_row_order);
/// Beyond it, a correlation over that many rows is no chance (five standard deviations).
double order_bound(std::size_t rows);

/// How often a guess is right that takes, for each person of one store, somebody of the other with
/// the same value (a day), if all that is common to them is that value.
double linking_success(const std::vector<std::int64_t>& of_persons,
                       const std::vector<std::int64_t>& of_others);

}  // namespace cloison::drill
