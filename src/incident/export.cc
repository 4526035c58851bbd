#include "incident/export.h"

#include <algorithm>
#include <initializer_list>
#include <span>

#include "crypto/pae.h"

namespace cloison::incident {
namespace {

/// Disclosures in one call to the keeper: each carries the grant, so the message bound counts.
constexpr std::size_t kBatch = 250;

std::string csv_cell(std::string_view text) {
    std::string cell = "\"";
    if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos)
        cell += '\'';
    for (const char c : text) {
        if (c == '"') cell += '"';
        cell += c;
    }
    return cell + "\"";
}

void csv_line(std::string& out, std::initializer_list<std::string_view> cells) {
    bool is_first = true;
    for (const std::string_view cell : cells) {
        if (!is_first) out += ',';
        out += csv_cell(cell);
        is_first = false;
    }
    out += "\r\n";
}

Result<std::vector<std::string>> ask_handles(const keeper::KeeperClient& keeper,
                                             const std::string& grant,
                                             const keeper::PersonList& list, std::size_t page) {
    keeper::v1::HandlesRequest request;
    request.set_grant(grant);
    for (const std::uint32_t person : list.pages[page]) request.add_persons(person);
    for (const auto& digest : list.page_digests) request.add_pages(to_string(digest));
    request.set_page(static_cast<std::uint32_t>(page));
    CLOISON_TRY(const auto answer, keeper.handles(request));
    if (static_cast<std::size_t>(answer.handles_size()) != list.pages[page].size())
        return fail(ErrorCode::kInternal, "The keeper gave another number of handles than asked.");
    return std::vector<std::string>(answer.handles().begin(), answer.handles().end());
}

void place(ExportedPerson& person, const std::string& field, const std::string& value) {
    Secret secret = Secret::from_text(value);
    if (field == "email")
        person.email = std::move(secret);
    else if (field == "family_name")
        person.family_name = std::move(secret);
    else if (field == "given_names")
        person.given_names = std::move(secret);
}

/// Opens the values of one batch into `out`, whose entries are those of `profiles`.
Status open_profiles(const keeper::KeeperClient& keeper, const std::string& grant,
                     const std::vector<std::string>& handles,
                     const std::vector<SealedProfile>& profiles, std::span<ExportedPerson> out) {
    keeper::v1::OpenRequest request;
    std::vector<std::size_t> asked;
    const auto& wanted = export_fields();
    for (std::size_t i = 0; i < profiles.size(); ++i) {
        keeper::v1::Disclosure disclosure;
        for (const auto& value : profiles[i].values) {
            if (std::find(wanted.begin(), wanted.end(), value.field) == wanted.end()) continue;
            auto* item = disclosure.add_items();
            item->set_field(value.field);
            item->set_record(value.record);
            item->set_sealed(value.sealed);
            item->set_schema_version(1);
        }
        if (disclosure.items_size() == 0) continue;
        disclosure.set_grant(grant);
        disclosure.set_handle(handles[i]);
        *request.add_disclosures() = std::move(disclosure);
        asked.push_back(i);
    }
    if (asked.empty()) return {};
    CLOISON_TRY(const auto answer, keeper.open(request));
    if (static_cast<std::size_t>(answer.disclosed_size()) != asked.size())
        return fail(ErrorCode::kInternal, "The keeper gave another number of answers than asked.");
    for (std::size_t n = 0; n < asked.size(); ++n) {
        const auto& disclosed = answer.disclosed(static_cast<int>(n));
        const auto& items = request.disclosures(static_cast<int>(n)).items();
        if (disclosed.values_size() != items.size())
            return fail(disclosed.error() == error_name(ErrorCode::kExhausted)
                            ? ErrorCode::kExhausted
                            : ErrorCode::kPermissionDenied,
                        "The keeper refused a person of the list: " + disclosed.error_message());
        for (int item = 0; item < items.size(); ++item)
            place(out[asked[n]], items[item].field(), disclosed.values(item));
    }
    return {};
}

}  // namespace

Result<keeper::PersonList> export_list(const std::vector<PersonExposure>& persons) {
    if (persons.size() > kMaxExportPersons)
        return fail(ErrorCode::kTooLarge, "An export has at most " +
                                              std::to_string(kMaxExportPersons) +
                                              " persons; narrow the scope.");
    std::vector<std::uint32_t> ordinals;
    ordinals.reserve(persons.size());
    for (const PersonExposure& person : persons) ordinals.push_back(person.person);
    return keeper::PersonList::create(std::move(ordinals), kBatch);
}

crypto::Hash export_about(ByteView incident, std::string_view query) {
    return crypto::sha256(
        {crypto::pre_auth_encode({as_bytes("cloison/export/v1"), incident, as_bytes(query)})});
}

crypto::Hash export_digest(ByteView incident, std::string_view query, ByteView list) {
    return keeper::approval_digest("investigate", export_fields(), list,
                                   export_about(incident, query));
}

const std::vector<std::string>& export_fields() {
    static const std::vector<std::string> fields = {"email", "family_name", "given_names"};
    return fields;
}

Result<std::vector<ExportedPerson>> export_persons(const keeper::KeeperClient& keeper,
                                                   const ProfileSource& profiles,
                                                   const std::string& grant,
                                                   std::vector<PersonExposure> persons,
                                                   const registry::Registry& registry) {
    CLOISON_TRY(const auto approved, export_list(persons));
    std::sort(persons.begin(), persons.end(),
              [](const auto& a, const auto& b) { return a.person < b.person; });
    std::vector<ExportedPerson> list(persons.size());
    for (std::size_t i = 0; i < persons.size(); ++i) {
        list[i].person = persons[i].person;
        list[i].lines = persons[i].lines;
        list[i].first = persons[i].first;
        list[i].last = persons[i].last;
        for (const auto* field : registry.fields_of(persons[i].fields))
            list[i].fields.push_back(field->name);
    }
    for (std::size_t page = 0; page < approved.pages.size(); ++page) {
        const std::size_t begin = page * kBatch;
        const std::size_t size = approved.pages[page].size();
        CLOISON_TRY(const auto handles, ask_handles(keeper, grant, approved, page));
        for (std::size_t i = 0; i < size; ++i) list[begin + i].erased = handles[i].empty();
        CLOISON_TRY(const auto sealed, profiles(handles));
        if (sealed.size() != size)
            return fail(ErrorCode::kInternal, "Identity gave another number of profiles.");
        CLOISON_TRY_STATUS(
            open_profiles(keeper, grant, handles, sealed, std::span(list).subspan(begin, size)));
    }
    return list;
}

std::string export_csv(const std::vector<ExportedPerson>& persons) {
    std::string out;
    csv_line(out, {"person", "email", "family_name", "given_names", "fields", "lines", "first",
                   "last", "erased"});
    for (const ExportedPerson& person : persons) {
        std::string fields;
        for (const std::string& field : person.fields)
            fields += (fields.empty() ? "" : " ") + field;
        csv_line(out, {std::to_string(person.person), person.email.text(),
                       person.family_name.text(), person.given_names.text(), fields,
                       std::to_string(person.lines), format_rfc3339(person.first, true),
                       format_rfc3339(person.last, true), person.erased ? "yes" : "no"});
    }
    return out;
}

}  // namespace cloison::incident
