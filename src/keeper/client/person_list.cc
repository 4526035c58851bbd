#include "keeper/client/person_list.h"

#include <algorithm>

#include "crypto/pae.h"

namespace cloison::keeper {
namespace {

constexpr std::string_view kPageContext = "cloison/person-page/v1";
constexpr std::string_view kListContext = "cloison/person-list/v1";
constexpr std::string_view kApprovalContext = "cloison/approval/v1";

crypto::Hash hash_of(std::string_view context, ByteView content) {
    return crypto::sha256({crypto::pre_auth_encode({as_bytes(context), content})});
}

}  // namespace

bool is_list_page(std::span<const std::uint32_t> persons) {
    if (persons.empty() || persons.size() > kMaxListPage || persons[0] == 0) return false;
    return std::adjacent_find(persons.begin(), persons.end(), std::greater_equal<>()) ==
           persons.end();
}

crypto::Hash list_page_digest(std::span<const std::uint32_t> persons) {
    Bytes content;
    content.reserve(4 * persons.size());
    for (const std::uint32_t person : persons) put_u32(content, person);
    return hash_of(kPageContext, content);
}

crypto::Hash list_digest(std::span<const crypto::Hash> pages) {
    Bytes content;
    content.reserve(crypto::Hash{}.size() * pages.size());
    for (const auto& page : pages) content.insert(content.end(), page.begin(), page.end());
    return hash_of(kListContext, content);
}

Result<PersonList> PersonList::create(std::vector<std::uint32_t> persons, std::size_t page_size) {
    std::sort(persons.begin(), persons.end());
    persons.erase(std::unique(persons.begin(), persons.end()), persons.end());
    if (persons.empty() || persons[0] == 0 || page_size == 0 || page_size > kMaxListPage)
        return fail(ErrorCode::kInvalidArgument, "A list of persons names 1 or more of them.");
    if ((persons.size() - 1) / page_size >= kMaxListPages)
        return fail(ErrorCode::kTooLarge, "A list has too many persons.");
    PersonList list;
    for (std::size_t begin = 0; begin < persons.size(); begin += page_size) {
        const auto first = persons.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto count = std::min(page_size, persons.size() - begin);
        list.pages.emplace_back(first, first + static_cast<std::ptrdiff_t>(count));
        list.page_digests.push_back(list_page_digest(list.pages.back()));
    }
    list.digest = list_digest(list.page_digests);
    return list;
}

crypto::Hash approval_digest(std::string_view purpose, const std::vector<std::string>& fields,
                             ByteView list, ByteView about) {
    std::vector<std::string> sorted = fields;
    std::sort(sorted.begin(), sorted.end());
    Bytes names;
    for (const auto& name : sorted) {
        put_u32(names, static_cast<std::uint32_t>(name.size()));
        names.insert(names.end(), name.begin(), name.end());
    }
    return crypto::sha256({crypto::pre_auth_encode(
        {as_bytes(kApprovalContext), as_bytes(purpose), names, list, about})});
}

}  // namespace cloison::keeper
