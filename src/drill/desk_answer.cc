#include "drill/desk_answer.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "drill/html.h"

namespace cloison::drill {
namespace {

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point begin) {
    return std::chrono::duration<double>(Steady::now() - begin).count();
}

tl::unexpected<Error> unexpected_status(const char* what, int status) {
    return fail(ErrorCode::kUnavailable,
                std::string(what) + " was answered with status " + std::to_string(status) + ".");
}

/// The last segment of the path that a response leads to.
std::string last_segment(const net::HttpResponse& response) {
    const std::string target(response.headers.get("Location").value_or(""));
    const std::string path = target.substr(0, target.find('?'));
    return path.substr(path.rfind('/') + 1);
}

Result<nlohmann::json> parse(const std::string& body) {
    auto json = nlohmann::json::parse(body, nullptr, false);
    if (json.is_discarded()) return fail(ErrorCode::kCorrupt, "The desk's answer is no JSON.");
    return json;
}

std::string query_text(const Question& question, const std::string& actor) {
    std::string query = "from=" + net::percent_encode(format_rfc3339(question.from, true)) +
                        "&to=" + net::percent_encode(format_rfc3339(question.to, true));
    if (!actor.empty()) query += "&actor=" + actor;
    if (!question.session.empty()) query += "&session=" + question.session;
    if (question.include_self) query += "&include_self=yes";
    return query;
}

}  // namespace

Result<Browser*> Dpos::browser(std::size_t which) {
    for (auto& [known, browser] : browsers_)
        if (known == which) return &browser;
    const auto dpos = accounts_.with_role("dpo");
    if (dpos.size() < 2)
        return fail(ErrorCode::kInvalidArgument, "The drill needs two accounts of role dpo.");
    if (!start_) start_ = rotate(dpos.size(), clock_.now());
    CLOISON_TRY(auto browser, Browser::open(options_.desk));
    CLOISON_TRY_STATUS(
        sign_in(browser, *dpos[(*start_ + which) % dpos.size()], clock_, options_.on_note));
    browsers_.reserve(2);
    browsers_.emplace_back(which, std::move(browser));
    return &browsers_.back().second;
}

Result<std::string> Dpos::open_incident(const std::string& title) {
    CLOISON_TRY(auto* browser, first());
    CLOISON_TRY_STATUS(page(*browser, "/incidents/new"));
    net::Form form;
    form.add("title", title);
    CLOISON_TRY(const auto opened, browser->post("/incidents/new", std::move(form)));
    if (opened.status != 303) return unexpected_status("Opening an incident", opened.status);
    return last_segment(opened);
}

Result<std::string> Dpos::actor_of(const std::string& incident, const std::string& name) {
    CLOISON_TRY(auto* browser, first());
    CLOISON_TRY(const auto form, page(*browser, "/incidents/" + incident + "/scope/ask"));
    for (const auto& option : select_options(form, "actor"))
        if (option.text.starts_with(name + ",")) return option.value;
    return fail(ErrorCode::kNotFound, "The desk does not offer the account as an actor.");
}

Result<DeskAnswer> Dpos::ask(const Question& question) {
    DeskAnswer answer;
    CLOISON_TRY(answer.incident, open_incident(question.title));
    std::string actor;
    if (!question.actor_name.empty()) {
        CLOISON_TRY(actor, actor_of(answer.incident, question.actor_name));
    }
    // Nobody's time is counted but the desk's: both are at their pages already.
    CLOISON_TRY_STATUS(browser(1));
    CLOISON_TRY_STATUS(ask_scope(query_text(question, actor), answer));
    CLOISON_TRY_STATUS(export_list(query_text(question, actor), answer));
    return answer;
}

Status Dpos::ask_scope(const std::string& query, DeskAnswer& answer) {
    CLOISON_TRY(auto* browser, first());
    const auto begin = Steady::now();
    CLOISON_TRY(const auto response,
                browser->get_json("/incidents/" + answer.incident + "/scope?" + query));
    answer.seconds = seconds_since(begin);
    if (response.status != 200) return unexpected_status("The scope", response.status);
    CLOISON_TRY(const auto json, parse(response.body));
    try {
        answer.persons = json.at("persons").get<std::uint64_t>();
        answer.lines = json.at("lines").get<std::uint64_t>();
        answer.refused = json.at("refused").get<std::uint64_t>();
        answer.sessions = json.at("sessions").size();
        for (const auto& field : json.at("fields"))
            if (field.at("verdict") == "opened")
                answer.persons_by_field[field.at("field").get<std::string>()] =
                    field.at("persons").get<std::uint64_t>();
    } catch (const nlohmann::json::exception&) {
        return fail(ErrorCode::kCorrupt, "The scope has another form than docs/formats/scope.md.");
    }
    return {};
}

Status Dpos::approve(const std::string& approval) {
    CLOISON_TRY(auto* browser, this->browser(1));
    CLOISON_TRY_STATUS(page(*browser, "/approvals"));
    CLOISON_TRY(const auto approved, browser->post("/approvals/" + approval + "/approve", {}));
    if (approved.status != 303) return unexpected_status("An approval", approved.status);
    return {};
}

Status Dpos::export_list(const std::string& query, DeskAnswer& answer) {
    const std::string exports = "/incidents/" + answer.incident + "/exports";
    CLOISON_TRY(auto* browser, first());
    const auto begin = Steady::now();
    CLOISON_TRY(const auto form_page, page(*browser, exports + "/new?" + query));
    net::Form form;
    form.add("query", input_value(form_page, "query"));
    CLOISON_TRY(const auto asked, browser->post(exports, std::move(form)));
    if (asked.status != 303) return unexpected_status("Asking for the list", asked.status);
    answer.approval = last_segment(asked);
    CLOISON_TRY_STATUS(approve(answer.approval));
    net::Form wanted;
    wanted.add("format", "json");
    CLOISON_TRY(const auto list,
                browser->post_json(exports + '/' + answer.approval + "/download", wanted));
    answer.list_seconds = seconds_since(begin);
    if (list.status != 200) return unexpected_status("The list", list.status);
    CLOISON_TRY(const auto json, parse(list.body));
    try {
        for (const auto& person : json.at("persons"))
            for (const auto& field : person.at("fields"))
                answer.list.add(person.at("email").get<std::string>(), field.get<std::string>());
    } catch (const nlohmann::json::exception&) {
        return fail(ErrorCode::kCorrupt, "The list of persons has another form than expected.");
    }
    return {};
}

void judge_counts(Report& report, const Record& had, const DeskAnswer& answer) {
    report.seconds_to_answer = answer.seconds;
    report.figures.push_back({"lines in the scope", std::to_string(answer.lines)});
    report.figures.push_back({"refused lines in the scope", std::to_string(answer.refused)});
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f", answer.list_seconds);
    report.figures.push_back({"seconds to the approved list of persons", seconds});
    if (answer.persons != had.persons())
        add_fault(report, "The scope counts " + std::to_string(answer.persons) +
                              " persons; the data of " + std::to_string(had.persons()) +
                              " was had.");
    auto counts = had.persons_by_field();
    for (const auto& [field, persons] : answer.persons_by_field) {
        const auto own = counts.find(field);
        const std::uint64_t had_of = own == counts.end() ? 0 : own->second;
        if (had_of != persons)
            add_fault(report, "The scope counts " + std::to_string(persons) + " persons for " +
                                  field + "; it was had of " + std::to_string(had_of) + ".");
        if (own != counts.end()) counts.erase(own);
    }
    for (const auto& [field, persons] : counts)
        add_fault(report, "The scope does not name " + field + ", which was had of " +
                              std::to_string(persons) + " persons.");
}

}  // namespace cloison::drill
