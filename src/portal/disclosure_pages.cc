#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "journal/entry.h"
#include "portal/values.h"
#include "web/formats.h"
#include "web/security_headers.h"

namespace cloison::portal {
namespace {

using web::Context, web::Json;

// A page reads on until it has enough lines of others, so that a resident's own many lines do not
// hide them; at most 2,000 lines.
constexpr std::uint32_t kLinesPerCall = 200;
constexpr int kMaxCalls = 10;
constexpr std::size_t kOthersPerPage = 50;
constexpr std::size_t kOwnShown = 100;

struct Line {
    std::uint64_t index;
    journal::Entry entry;
};

std::optional<std::uint64_t> read_index(std::string_view text) {
    std::uint64_t index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return index;
}

struct Lines {
    std::vector<Line> others;
    std::vector<Line> own;
    std::uint64_t oldest = 0;  ///< The index of the last line read.
    bool complete = false;     ///< There is none before it.
};

Result<Lines> history_of(const Shared& shared, const Context& context, const std::string& grant,
                         std::uint64_t before) {
    Lines lines;
    keeper::v1::HistoryRequest request;
    request.set_grant(grant);
    request.set_limit(kLinesPerCall);
    for (int call = 0; call < kMaxCalls && lines.others.size() < kOthersPerPage; ++call) {
        request.set_before(before);
        CLOISON_TRY(const auto answer, shared.services.keeper.history(request));
        for (const auto& line : answer.lines()) {
            CLOISON_TRY(auto entry, journal::decode_entry(as_bytes(line.entry())));
            const bool by_resident = entry.actor == context.session->actor;
            (by_resident ? lines.own : lines.others).push_back({line.index(), std::move(entry)});
            lines.oldest = before = line.index();
        }
        // 0 would mean "from the newest" to the keeper, and nothing is older than it.
        lines.complete = answer.lines_size() < static_cast<int>(kLinesPerCall) || before == 0;
        if (lines.complete) break;
    }
    return lines;
}

/// The office of each actor; residents and the unknown are not in it.
Result<std::map<std::string, std::string>> units_of(const Shared& shared,
                                                    const std::vector<Line>& lines) {
    std::set<std::string> actors;
    for (const Line& line : lines) actors.insert(line.entry.actor.bytes());
    std::map<std::string, std::string> units;
    if (actors.empty()) return units;
    identity::v1::DescribeActorsRequest request;
    for (const std::string& actor : actors) request.add_actors(actor);
    CLOISON_TRY(const auto answer, shared.services.identity.describe_actors(request));
    for (const auto& one : answer.actors()) units[one.actor()] = one.unit();
    return units;
}

std::string who(const Context& context, const journal::Entry& entry,
                const std::map<std::string, std::string>& units) {
    std::string words =
        context.text("portal.disclosures.role_" + std::string(registry::role_name(entry.role)));
    const auto unit = units.find(entry.actor.bytes());
    if (unit != units.end() && !unit->second.empty()) words += ", " + unit->second;
    return words;
}

std::string why(const Shared& shared, const Context& context, const journal::Entry& entry) {
    const auto* purpose = shared.registry.purpose(entry.purpose);
    if (purpose == nullptr) return context.text("portal.disclosures.no_purpose");
    const auto* reason = purpose->reason(entry.reason);
    const std::string& label = context.label(purpose->label);
    return reason == nullptr ? label : label + " – " + context.label(reason->label);
}

std::string fields_in_words(const Shared& shared, const Context& context,
                            const journal::Entry& entry) {
    std::string words;
    for (const auto* field : shared.registry.fields_of(entry.fields))
        words += (words.empty() ? "" : ", ") + context.label(field->label);
    return words.empty() ? context.text("portal.disclosures.no_fields") : words;
}

std::string kind_key(journal::EntryKind kind) {
    switch (kind) {
        case journal::EntryKind::kDisclosed:
            return "portal.disclosures.disclosed";
        case journal::EntryKind::kRefused:
            return "portal.disclosures.refused";
        case journal::EntryKind::kErased:
            return "portal.disclosures.erased";
        default:
            return "portal.disclosures.list_read";
    }
}

Json row_of(const Shared& shared, const Context& context, const Line& line,
            const std::map<std::string, std::string>& units) {
    const auto* door = shared.registry.door(line.entry.door);
    return {{"when", web::format_date_time(context.language, line.entry.time)},
            {"kind", context.text(kind_key(line.entry.kind))},
            {"refused", line.entry.kind == journal::EntryKind::kRefused},
            {"who", who(context, line.entry, units)},
            {"why", why(shared, context, line.entry)},
            {"fields", fields_in_words(shared, context, line.entry)},
            {"door", door == nullptr ? "" : context.label(door->label)},
            {"proof", "/disclosures/" + std::to_string(line.index) + "/proof"},
            {"index", std::to_string(line.index)}};
}

Result<net::HttpResponse> show(const Shared& shared, Context& context) {
    const auto before = read_index(context.query.get("before")).value_or(0);
    CLOISON_TRY(const auto grant, self_service_grant(shared, context, {}));
    CLOISON_TRY(const auto lines, history_of(shared, context, grant, before));
    CLOISON_TRY(const auto units, units_of(shared, lines.others));
    CLOISON_TRY(const auto keeper, shared.services.keeper.describe(keeper::v1::DescribeRequest()));
    Json others = Json::array();
    for (const Line& line : lines.others) others.push_back(row_of(shared, context, line, units));
    Json own = Json::array();
    for (const Line& line : lines.own) {
        if (own.size() == kOwnShown) break;
        own.push_back(row_of(shared, context, line, units));
    }
    const bool all = before == 0 && lines.complete;
    const auto own_count = static_cast<std::int64_t>(lines.own.size());
    return context.page(
        "portal/disclosures",
        {{"title", context.text("portal.disclosures.title")},
         {"wide", true},
         {"others", others},
         {"none", context.text(all ? "portal.disclosures.nobody" : "portal.disclosures.none_here")},
         {"own", own},
         {"has_own", !own.empty()},
         {"own_summary", context.plural("portal.disclosures.own", own_count)},
         {"own_cut", lines.own.size() > own.size()},
         {"older",
          lines.complete ? std::string() : "/disclosures?before=" + std::to_string(lines.oldest)},
         {"verify_key", keeper.verify_key()}});
}

/// The proof is a file to keep: it can be checked without this site, and without trusting it.
Result<net::HttpResponse> proof(const Shared& shared, Context& context) {
    const auto index = read_index(context.path_text("index"));
    if (!index) return fail(ErrorCode::kNotFound, "No such line.");
    CLOISON_TRY(const auto grant, self_service_grant(shared, context, {}));
    keeper::v1::ProveRequest request;
    request.set_grant(grant);
    request.set_index(*index);
    CLOISON_TRY(auto answer, shared.services.keeper.prove(request));
    auto response = net::HttpResponse::text(200, std::move(*answer.mutable_proof()));
    web::make_download(response, "text/plain; charset=utf-8",
                       "cloison-" + std::to_string(*index) + ".tlog-proof.txt");
    return response;
}

}  // namespace

void add_disclosure_pages(Routes& routes) {
    routes.get("/disclosures", web::Access::kResident, show);
    routes.get("/disclosures/{index}/proof", web::Access::kResident, proof);
}

}  // namespace cloison::portal
