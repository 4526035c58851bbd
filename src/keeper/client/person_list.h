#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cloison::keeper {

/// The list of persons that two staff members approve for a bulk purpose, by ordinal: cut into
/// pages, each with a digest, and one digest over those. A grant names that one, so that the keeper
/// can hold each page that it is shown against it. docs/formats/person-list.md.

inline constexpr std::size_t kMaxListPage = 10'000;   ///< Persons.
inline constexpr std::size_t kMaxListPages = 10'000;  ///< Room for 100 million persons.

/// Ordinals of one page: ascending, none twice, none 0, 1 to kMaxListPage of them.
bool is_list_page(std::span<const std::uint32_t> persons);
crypto::Hash list_page_digest(std::span<const std::uint32_t> persons);
crypto::Hash list_digest(std::span<const crypto::Hash> pages);

/// A list in its one form.
struct PersonList {
    std::vector<std::vector<std::uint32_t>> pages;
    std::vector<crypto::Hash> page_digests;
    crypto::Hash digest{};

    /// Sorts, drops repetitions and cuts. kInvalidArgument for nobody or an ordinal 0, kTooLarge
    /// for more than kMaxListPages pages of `page_size` (1 to kMaxListPage).
    static Result<PersonList> create(std::vector<std::uint32_t> persons, std::size_t page_size);
};

/// What the second person approves, and what identity issues a grant for: the purpose, the fields
/// (in any order), the list, and what it is about (SHA-256 of whatever the desk calls it).
crypto::Hash approval_digest(std::string_view purpose, const std::vector<std::string>& fields,
                             ByteView list, ByteView about);

}  // namespace cloison::keeper
