#include "desk/alarm_pages.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "incident/acknowledgements.h"
#include "journal/entry.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

using web::Access;
using web::Context;
using web::Json;

constexpr std::uint32_t kPerPage = 50;

struct Alarm {
    std::uint64_t index = 0;
    journal::Entry entry;
};
struct AlarmPage {
    std::vector<Alarm> alarms;  ///< Newest first.
    std::uint64_t total = 0;
    bool has_more = false;
};

/// What the journal holds, as it says itself.
struct AlarmPages {
    const Core& core;

    Result<net::HttpResponse> list(Context& context) const;
    Result<net::HttpResponse> acknowledge(Context& context) const;
    Result<net::HttpResponse> acknowledge_page(Context& context) const;
};

Status require_role(const Context& context) {
    if (may_see_alarms(context)) return {};
    return fail(ErrorCode::kNotFound, "No such page for this role.");
}

/// An index in the journal; nothing if it is none.
std::optional<std::uint64_t> read_index(std::string_view text) {
    std::uint64_t index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return index;
}

/// Alarms before `before`; 0: from the newest.
Result<AlarmPage> read_page(const Core& core, std::uint64_t before, std::uint32_t limit) {
    keeper::v1::AlarmsRequest request;
    request.set_before(before);
    request.set_limit(limit + 1);
    CLOISON_TRY(const auto answer, core.services.keeper.alarms(request));
    AlarmPage page;
    page.total = answer.total();
    for (const auto& line : answer.lines()) {
        if (page.alarms.size() == limit) {
            page.has_more = true;
            break;
        }
        CLOISON_TRY(auto entry, journal::decode_entry(as_bytes(line.entry())));
        page.alarms.push_back({line.index(), std::move(entry)});
    }
    return page;
}

/// The next word of a cause, which goes from the front.
std::string take_word(std::string_view& words) {
    const auto end = std::min(words.find(' '), words.size());
    std::string word(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
    return word;
}

/// Parts of causes, the more special before the more general, and the names of their texts.
constexpr std::pair<std::string_view, std::string_view> kCauses[]{
    {"refusals", "refusals"},
    {"look-ups", "look_ups"},
    {"one account", "account"},
    {"hardenings", "hardenings"},
    {"revocations", "revocations"},
    {"erased persons", "erased"},
    {"store put back", "put_back"},
    {"canaries were not counted", "canaries"},
    {"canaries are missing", "missing"},
    {"persons.sqlite", "persons"},
    {"journal", "journal"},
    {"witness", "witness"},
};

/// What a cause says, in words; causes that this desk does not know are shown as they are.
std::string words_of(const Context& context, std::string_view reason) {
    const auto comma = std::min(reason.find(", "), reason.size());
    std::string more(reason.substr(std::min(comma + 2, reason.size())));
    std::string_view cause = reason.substr(0, comma);
    const std::string whole(cause);
    const std::string first = take_word(cause);
    std::string words = context.text("desk_alarm.other", {{"cause", whole}});
    if (first == "canary") {
        const bool refused = cause.starts_with("asked ");
        if (refused) cause.remove_prefix(6);
        const std::string compartment = take_word(cause);
        words =
            context.text(refused ? "desk_alarm.canary_refused" : "desk_alarm.canary",
                         {{"copy", std::string(cause)},
                          {"compartment",
                           context.text(compartment == "identity"   ? "desk_alarm.in_identity"
                                        : compartment == "casework" ? "desk_alarm.in_casework"
                                                                    : "desk_alarm.in_documents")}});
    } else {
        for (const auto& [known, text] : kCauses) {
            if (whole.find(known) == std::string::npos) continue;
            words = context.text("desk_alarm.cause_" + std::string(text), {{"cause", whole}});
            break;
        }
    }
    if (const auto count = read_index(more.substr(0, more.find(' '))))
        words += ' ' + context.plural("desk_alarm.more", static_cast<std::int64_t>(*count));
    return words;
}

/// Opening an incident about it: the session goes along, to ask what else it opened.
std::string incident_link(const Context& context, const std::string& words,
                          const journal::Entry& entry) {
    if (context.session->role != registry::Role::kDpo) return {};
    std::string link = "/incidents/new?title=" + net::percent_encode(words);
    if (!entry.session.is_none()) link += "&session=" + entry.session.hex();
    return link;
}

Json row_of(const Core& core, const Context& context, const Alarm& alarm,
            const std::map<ActorId, std::string>& names,
            const std::map<std::uint64_t, incident::Acknowledgement>& seen) {
    const journal::Entry& entry = alarm.entry;
    const std::string words = words_of(context, entry.reason);
    const auto* door = core.registry.door(entry.door);
    const bool has_actor = !entry.actor.is_none();
    Json row = {{"index", std::to_string(alarm.index)},
                {"at", web::format_date_time(context.language, entry.time)},
                {"words", words},
                {"fields", field_labels(core, context, entry.fields)},
                {"actor", has_actor ? name_of(context, names, entry.actor) : ""},
                {"role", has_actor ? role_label(context, entry.role) : ""},
                {"door", door ? context.label(door->label) : ""},
                {"session", entry.session.is_none() ? "" : entry.session.hex()},
                {"origin", journal::format_origin(entry.origin)},
                {"incident", incident_link(context, words, entry)}};
    const auto found = seen.find(alarm.index);
    if (found == seen.end())
        row["action"] = "/alarms/" + std::to_string(alarm.index) + "/acknowledge";
    else
        row["seen"] =
            context.text("desk_alarm.seen",
                         {{"name", name_of(context, names, found->second.by)},
                          {"time", web::format_date_time(context.language, found->second.at)}});
    return row;
}

std::vector<std::uint64_t> indexes_of(const AlarmPage& page) {
    std::vector<std::uint64_t> indexes;
    for (const auto& alarm : page.alarms) indexes.push_back(alarm.index);
    return indexes;
}

Result<net::HttpResponse> AlarmPages::list(Context& context) const {
    CLOISON_TRY_STATUS(require_role(context));
    // What is no index, or the first of all, begins at the newest, as without it.
    auto before = read_index(std::string(context.query.get("before")));
    if (before == std::uint64_t{0}) before.reset();
    CLOISON_TRY(const auto page, read_page(core, before.value_or(0), kPerPage));
    CLOISON_TRY(const auto seen, core.acknowledgements->find(core.journal_name, indexes_of(page)));
    std::set<ActorId> actors;
    for (const auto& alarm : page.alarms) actors.insert(alarm.entry.actor);
    for (const auto& [index, acknowledgement] : seen) actors.insert(acknowledgement.by);
    CLOISON_TRY(const auto names, actor_names(core, actors));
    Json rows = Json::array();
    for (const auto& alarm : page.alarms) rows.push_back(row_of(core, context, alarm, names, seen));
    const std::string next =
        page.has_more ? "/alarms?before=" + std::to_string(page.alarms.back().index) : "";
    const std::uint64_t waiting = waiting_alarms(core, context);
    return context.page(
        "desk/alarms",
        {{"title", context.text("desk_alarm.title")},
         {"intro", context.text("desk_alarm.intro")},
         {"rows", rows},
         {"has_rows", !rows.empty()},
         {"waiting", context.plural("desk_alarm.waiting", static_cast<std::int64_t>(waiting))},
         {"can_acknowledge_page", page.alarms.size() > seen.size() + 1},
         {"newest", page.alarms.empty() ? "" : std::to_string(page.alarms.front().index)},
         {"oldest", page.alarms.empty() ? "" : std::to_string(page.alarms.back().index)},
         {"needed", before.has_value() || page.has_more},
         {"previous", before ? "/alarms" : ""},
         {"next", next}});
}

Result<net::HttpResponse> AlarmPages::acknowledge(Context& context) const {
    CLOISON_TRY_STATUS(require_role(context));
    const auto index = read_index(context.path_text("entry"));
    if (!index) return fail(ErrorCode::kNotFound, "There is no such alarm.");
    CLOISON_TRY(const auto page, read_page(core, *index + 1, 1));
    if (page.alarms.empty() || page.alarms.front().index != *index)
        return fail(ErrorCode::kNotFound, "There is no such alarm.");
    CLOISON_TRY_STATUS(
        core.acknowledgements->add(core.journal_name, {*index}, context.session->actor));
    return context.redirect_with_notice("/alarms", "desk_alarm.acknowledged");
}

/// All that a page showed, and no alarm that came since.
Result<net::HttpResponse> AlarmPages::acknowledge_page(Context& context) const {
    CLOISON_TRY_STATUS(require_role(context));
    const auto newest = read_index(context.form.get("newest"));
    const auto oldest = read_index(context.form.get("oldest"));
    if (!newest || !oldest || *oldest > *newest)
        return fail(ErrorCode::kInvalidArgument, "The form names no alarms.");
    CLOISON_TRY(const auto page, read_page(core, *newest + 1, kPerPage));
    std::vector<std::uint64_t> shown = indexes_of(page);
    std::erase_if(shown, [&](std::uint64_t index) { return index < *oldest; });
    CLOISON_TRY_STATUS(
        core.acknowledgements->add(core.journal_name, shown, context.session->actor));
    return context.redirect_with_notice("/alarms", "desk_alarm.acknowledged");
}

}  // namespace

bool may_see_alarms(const Context& context) {
    using registry::Role;
    if (!context.session || context.session->totp_required) return false;
    return context.session->role == Role::kDpo || context.session->role == Role::kAdministrator;
}

std::uint64_t waiting_alarms(const Core& core, const Context& context) {
    if (!may_see_alarms(context)) return 0;
    keeper::v1::AlarmsRequest request;
    request.set_limit(1);
    const auto answer = core.services.keeper.alarms(request);
    const auto seen = core.acknowledgements->count(core.journal_name);
    if (!answer || !seen) {
        log_warning("The number of alarms is not known: " +
                    (answer ? seen.error().message : answer.error().message));
        return 0;
    }
    return answer->total() - std::min(answer->total(), *seen);
}

Json alarm_notice(const Core& core, const Context& context) {
    const std::uint64_t waiting = waiting_alarms(core, context);
    if (waiting == 0) return nullptr;
    return {{"text", context.plural("desk_alarm.waiting", static_cast<std::int64_t>(waiting))},
            {"link", "/alarms"}};
}

void add_alarm_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<AlarmPages>(core);
    site.get("/alarms", Access::kStaff, on(&AlarmPages::list));
    site.post("/alarms/acknowledge", Access::kStaff, on(&AlarmPages::acknowledge_page));
    site.post("/alarms/{entry}/acknowledge", Access::kStaff, on(&AlarmPages::acknowledge));
}

}  // namespace cloison::desk
