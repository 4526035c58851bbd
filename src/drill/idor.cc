#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "demo/people.h"
#include "drill/desk_answer.h"
#include "drill/html.h"
#include "drill/idor_targets.h"

namespace cloison::drill {
namespace {

constexpr std::uint32_t kMostSought = 80;
constexpr std::size_t kTellingLength = 8;  ///< Shorter values may stand on any page.
const std::vector<std::string> kMethods{"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"};

/// A resident with objects that another may ask for.
struct Victim {
    demo::Account account;
    std::shared_ptr<Browser> browser;  ///< Their own session.
    Parameters objects;
    std::string reference;         ///< Of the request, as people see it.
    std::set<std::string> values;  ///< What must not come back to anybody else.
    bool in_hand = false;          ///< No officer could simply take the case.
    /// Few have handed in a document: one that has comes before one that has all else.
    std::size_t score() const {
        return objects.size() + (in_hand ? 1 : 0) + (objects.contains("document") ? 4 : 0);
    }
};
constexpr std::size_t kBestScore = 10;  ///< Request, document, message, session, line; in hand.

/// The first link that fits the pattern, taken apart.
void find_object(const std::vector<std::string>& links, std::string_view before,
                 std::string_view after, const std::string& name, Parameters& objects) {
    for (const auto& link : links) {
        if (!link.starts_with(before) || !link.ends_with(after)) continue;
        if (link.size() <= before.size() + after.size()) continue;
        const auto id = link.substr(before.size(), link.size() - before.size() - after.size());
        if (id.find('/') != std::string::npos) continue;
        objects.emplace(name, id);
        return;
    }
}

std::string location(const net::HttpResponse& response) {
    return std::string(response.headers.get("Location").value_or(""));
}

demo::Account account_of(const demo::Resident& resident) {
    return {"resident", resident.email, resident.password, "", ""};
}

class Drill {
  public:
    Drill(const Options& options, const demo::Accounts& accounts, const demo::People& people,
          Clock& clock, Random& random)
        : options_(options), accounts_(accounts), people_(people), clock_(clock), random_(random) {
        report_.drill = "idor";
        report_.ok = true;
    }

    Result<Report> run();

  private:
    void note(const std::string& text) const {
        if (options_.on_note) options_.on_note(text);
    }
    Result<Victim> look_at(std::uint32_t number);
    Status choose();
    Result<bool> waits_for_anybody(const Victim& victim);
    Status control();
    Status remember(std::string& kept);
    Status check_unchanged();
    Status ask_portal(Browser& browser, const std::string& who, bool is_resident);
    Status ask_own_pages(Browser& browser);
    Status ask_portal_as_others();
    Report finish();
    Status ask_desk();
    Status next_officer();
    Status find_officer_without_case();
    Status ask_route(Browser& browser, const std::string& who, const Route& route,
                     const Parameters& parameters);
    Result<net::HttpResponse> request(Browser& browser, const std::string& method,
                                      const std::string& path);
    void check(const std::string& what, const net::HttpResponse& response);
    Status ask_scope(const std::string& session, Time begin);

    const Options& options_;
    const demo::Accounts& accounts_;
    const demo::People& people_;
    Clock& clock_;
    Random& random_;
    Report report_;
    Victim victim_;
    std::uint32_t victim_number_ = 0;
    std::uint64_t requests_ = 0;
    std::uint64_t had_ = 0;
    std::set<std::string> real_objects_;
    std::string before_;  ///< The victim's request, as they saw it.
    std::optional<Browser> officer_;
    std::size_t officers_tried_ = 0;
    std::unique_ptr<Dpos> dpos_;
};

/// Signs in as a resident and gathers the objects that they see, and values that are theirs alone.
Result<Victim> Drill::look_at(std::uint32_t number) {
    const auto resident = people_.resident(number);
    Victim victim;
    victim.account = account_of(resident);
    CLOISON_TRY(auto opened, Browser::open(options_.portal));
    victim.browser = std::make_shared<Browser>(std::move(opened));
    Browser& browser = *victim.browser;
    CLOISON_TRY_STATUS(sign_in(browser, victim.account, clock_, options_.on_note));
    CLOISON_TRY(const auto list, page(browser, "/requests"));
    find_object(targets(list), "/requests/", "", "request", victim.objects);
    CLOISON_TRY(const auto sign_ins, page(browser, "/sign-ins"));
    find_object(targets(sign_ins), "/sessions/", "/end", "session", victim.objects);
    if (const auto request = victim.objects.find("request"); request != victim.objects.end()) {
        const std::string path = "/requests/" + request->second;
        CLOISON_TRY(const auto details, page(browser, path));
        find_object(targets(details), path + "/documents/", "", "document", victim.objects);
        constexpr std::string_view kReference = "class=\"c-reference\">";
        const auto at = details.find(kReference);
        if (at != std::string::npos) victim.reference = details.substr(at + kReference.size(), 10);
        if (details.find("class=\"c-message") != std::string::npos)
            victim.objects.emplace("message", "yes");
        CLOISON_TRY(const bool waits, waits_for_anybody(victim));
        victim.in_hand = !waits;
    }
    CLOISON_TRY(const auto disclosures, page(browser, "/disclosures"));
    find_object(targets(disclosures), "/disclosures/", "/proof", "index", victim.objects);
    for (const auto& [field, value] : people_.application(resident))
        if (value.size() >= kTellingLength && field.find("parent") == std::string::npos &&
            field != "nationality" && field != "birthplace")
            victim.values.insert(value.substr(0, value.find('\n')));
    victim.values.insert(resident.email);
    return victim;
}

/// Whether the queue offers the case to an officer who has nothing to do with it.
Result<bool> Drill::waits_for_anybody(const Victim& victim) {
    CLOISON_TRY(const auto found, page(*officer_, "/queue?reference=" + victim.reference));
    const auto links = targets(found);
    const std::string take = "/cases/" + victim.objects.at("request") + "/take";
    return std::find(links.begin(), links.end(), take) != links.end();
}

/// The same addresses, asked for by the resident themselves, must lead to their data: otherwise
/// that others get nothing there would prove nothing. Keeps their request's page for later.
Status Drill::control() {
    std::set<std::string> reached;
    bool value_seen = false;
    for (const Route& route : options_.portal_routes) {
        if (route.method != "GET") continue;
        CLOISON_TRY(const auto path, fill(route.pattern, victim_.objects));
        CLOISON_TRY(const auto response, victim_.browser->get(path));
        if (response.status != 200) continue;
        for (const auto& name : parameter_names(route.pattern)) reached.insert(name);
        const std::string text = decode_entities(response.body);
        for (const auto& value : victim_.values)
            value_seen |= text.find(value) != std::string::npos;
    }
    for (const auto& name : real_objects_)
        if (name != "session" && !reached.contains(name))
            return fail(ErrorCode::kInternal,
                        "The resident does not reach their own {" + name + "} either.");
    if (!value_seen)
        return fail(ErrorCode::kInternal, "The resident's own pages show none of their values.");
    return remember(before_);
}

Status Drill::remember(std::string& kept) {
    CLOISON_TRY(auto html, page(*victim_.browser, "/requests/" + victim_.objects.at("request")));
    kept = neutral(std::move(html), {});
    return {};
}

/// What was asked for by others has changed nothing: the session is alive, the request as it was.
Status Drill::check_unchanged() {
    std::string after;
    const Status status = remember(after);
    if (!status)
        add_fault(report_, "The resident's session or request is gone.");
    else if (after != before_)
        add_fault(report_, "The resident's request has changed.");
    return {};
}

/// The resident with most kinds of objects among the first.
Status Drill::choose() {
    note("Looks for a resident with a request, a document, messages and disclosures.");
    for (std::uint32_t number = 1; number <= std::min(accounts_.residents, kMostSought); ++number) {
        CLOISON_TRY(auto candidate, look_at(number));
        if (candidate.score() <= victim_.score()) continue;
        victim_ = std::move(candidate);
        victim_number_ = number;
        if (victim_.score() == kBestScore) break;
    }
    if (!victim_.objects.contains("request"))
        return fail(ErrorCode::kNotFound, "No resident of the demo has a request.");
    victim_.objects.erase("message");
    for (const auto& [name, value] : victim_.objects) real_objects_.insert(name);
    if (!victim_.objects.contains("document")) {
        note("No document among them: asks for one that the resident does not have.");
        Bytes id(16);
        random_.fill(id);
        victim_.objects["document"] = hex_encode(id);
    }
    victim_.objects.emplace("index", "0");
    victim_.objects["page"] = "names";
    victim_.objects["kind"] = "identity_proof";
    victim_.objects["status"] = "approved";
    return control();
}

Result<net::HttpResponse> Drill::request(Browser& browser, const std::string& method,
                                         const std::string& path) {
    ++requests_;
    if (method == "GET") return browser.get(path);
    if (method == "POST" && path.find("/documents/add/") != std::string::npos)
        return browser.upload(path, "%PDF-1.4\n%%EOF\n");
    if (method == "POST") {
        net::Form form;
        for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string>>{
                 {"message", "Bonjour"},
                 {"words", "Bonjour"},
                 {"birth_name", "Durand"},
                 {"forenames", "Zoé"},
                 {"reason", "examine"},
                 {"group", "identity"},
                 {"version", "2"},
                 {"document", victim_.objects.at("document")}})
            form.add(name, value);
        return browser.post(path, std::move(form));
    }
    return browser.send(method, path, "", "application/x-www-form-urlencoded");
}

/// Nothing of the victim's may be in an answer, and it may not say that all is well. To be sent
/// elsewhere is no success where one who asks for nothing at all is sent there, too.
void Drill::check(const std::string& what, const net::HttpResponse& response) {
    const std::string text = decode_entities(response.body);
    for (const auto& value : victim_.values) {
        if (text.find(value) == std::string::npos) continue;
        ++had_;
        add_fault(report_, what + " shows a value of another resident.");
        break;
    }
    const int status = response.status;
    if (status != 303 && status != 401 && status != 403 && status != 404 && status != 405)
        add_fault(report_, what + " was answered with status " + std::to_string(status) + ".");
}

Status Drill::ask_route(Browser& browser, const std::string& who, const Route& route,
                        const Parameters& parameters) {
    CLOISON_TRY(const auto path, fill(route.pattern, parameters));
    const Parameters nobody = without_objects(parameters, random_);
    CLOISON_TRY(const auto empty_path, fill(route.pattern, nobody));
    for (const auto& method : kMethods) {
        CLOISON_TRY(const auto theirs, request(browser, method, path));
        CLOISON_TRY(const auto nothing, request(browser, method, empty_path));
        const bool same =
            theirs.status == nothing.status &&
            neutral(location(theirs), parameters) == neutral(location(nothing), nobody) &&
            neutral(theirs.body, parameters) == neutral(nothing.body, nobody);
        const std::string what = method + ' ' + route.pattern + " as " + who;
        if (!same) add_fault(report_, what + " tells what exists from what does not.");
        check(what, theirs);
    }
    return {};
}

Status Drill::ask_portal(Browser& browser, const std::string& who, bool is_resident) {
    for (const Route& route : options_.portal_routes) {
        const auto names = parameter_names(route.pattern);
        if (!std::any_of(names.begin(), names.end(), names_an_object)) continue;
        CLOISON_TRY_STATUS(ask_route(browser, who, route, victim_.objects));
    }
    // A session that was ended by mistake would make all that follows prove nothing.
    if (!is_resident) return {};
    CLOISON_TRY_STATUS(page(browser, "/account"));
    return {};
}

/// Pages without an object in their address show the own data, whatever else is sent along.
Status Drill::ask_own_pages(Browser& browser) {
    const std::string query = "?request=" + victim_.objects.at("request") +
                              "&account=1&email=" + net::percent_encode(victim_.account.email);
    for (const Route& route : options_.portal_routes) {
        if (route.method != "GET" || !parameter_names(route.pattern).empty()) continue;
        ++requests_;
        CLOISON_TRY(const auto response, browser.get(route.pattern + query));
        for (const auto& value : victim_.values) {
            // The page may give back what was sent to it.
            if (value == victim_.account.email) continue;
            if (decode_entities(response.body).find(value) == std::string::npos) continue;
            ++had_;
            add_fault(report_, "GET " + route.pattern + " shows a value of another resident.");
        }
    }
    return {};
}

/// Signs in as the next officer who is not tried yet.
Status Drill::next_officer() {
    const auto officers = accounts_.with_role("officer");
    if (officers_tried_ == officers.size())
        return fail(ErrorCode::kNotFound, "Every officer has the case.");
    const std::size_t which = (rotate(officers.size(), clock_.now()) + officers_tried_++);
    CLOISON_TRY(auto browser, Browser::open(options_.desk));
    CLOISON_TRY_STATUS(
        sign_in(browser, *officers[which % officers.size()], clock_, options_.on_note));
    officer_.emplace(std::move(browser));
    return {};
}

/// Until the case is in another's hand than the officer's.
Status Drill::find_officer_without_case() {
    const std::string path = "/cases/" + victim_.objects.at("request");
    while (true) {
        CLOISON_TRY(const auto mine,
                    page(*officer_, "/queue?mine=yes&reference=" + victim_.reference));
        const auto links = targets(mine);
        if (std::find(links.begin(), links.end(), path) == links.end()) return {};
        CLOISON_TRY_STATUS(next_officer());
    }
}

Status Drill::ask_desk() {
    CLOISON_TRY(const auto incident, dpos_->open_incident("Drill: an incident to ask for"));
    CLOISON_TRY(const auto actor,
                dpos_->actor_of(incident, accounts_.with_role("support").at(0)->name));
    CLOISON_TRY_STATUS(find_officer_without_case());
    const bool waits = !victim_.in_hand;
    if (waits)
        report_.figures.push_back({"left out", "taking the case, which waits for any officer"});
    Parameters parameters = victim_.objects;
    parameters["incident"] = incident;
    parameters["actor"] = actor;
    parameters["entry"] = "0";
    Bytes approval(16);
    random_.fill(approval);
    parameters["approval"] = hex_encode(approval);
    for (const Route& route : options_.desk_routes) {
        const auto names = parameter_names(route.pattern);
        if (!std::any_of(names.begin(), names.end(), names_an_object)) continue;
        if (waits && route.pattern == "/cases/{request}/take") continue;
        CLOISON_TRY_STATUS(ask_route(*officer_, "an officer without the case", route, parameters));
    }
    CLOISON_TRY(auto anybody, Browser::open(options_.desk));
    CLOISON_TRY_STATUS(page(anybody, "/sign-in"));
    for (const Route& route : options_.desk_routes) {
        const auto names = parameter_names(route.pattern);
        if (!std::any_of(names.begin(), names.end(), names_an_object)) continue;
        CLOISON_TRY_STATUS(ask_route(anybody, "nobody", route, parameters));
    }
    return {};
}

/// The journal of the session must show the session's own person and nobody else.
Status Drill::ask_scope(const std::string& session, Time begin) {
    Question question{"Drill: a resident's session", "", session, true, begin,
                      clock_.now() + Duration(1'000)};
    CLOISON_TRY(const auto answer, dpos_->ask(question));
    report_.seconds_to_answer = answer.seconds;
    const auto own = people_.resident(victim_number_ == 1 ? 2 : 1).email;
    for (const auto& [email, fields] : answer.list.fields()) {
        if (email == own) continue;
        ++had_;
        report_.precision = 0;
        add_fault(report_, "The scope of the session names another person.");
    }
    if (answer.persons > 1)
        add_fault(report_, "The scope of the session counts " + std::to_string(answer.persons) +
                               " persons.");
    report_.figures.push_back(
        {"persons in the scope of the session, itself included", std::to_string(answer.persons)});
    return {};
}

Result<Report> Drill::run() {
    CLOISON_TRY_STATUS(next_officer());
    CLOISON_TRY_STATUS(choose());
    dpos_ = std::make_unique<Dpos>(options_, accounts_, clock_);
    const Time begin = clock_.now();
    const auto intruder = people_.resident(victim_number_ == 1 ? 2 : 1);
    CLOISON_TRY(auto browser, Browser::open(options_.portal));
    CLOISON_TRY_STATUS(sign_in(browser, account_of(intruder), clock_, options_.on_note));
    note("Asks for another resident's objects on every route of the portal.");
    CLOISON_TRY(const auto sign_ins, page(browser, "/sign-ins"));
    Parameters own;
    // The session of the moment is the one that stands out.
    const auto current = sign_ins.find("<strong>", sign_ins.find("<section"));
    if (current == std::string::npos)
        return fail(ErrorCode::kCorrupt, "The page of sign-ins does not show this session.");
    find_object(targets(std::string_view(sign_ins).substr(current)), "/sessions/", "/end",
                "session", own);
    CLOISON_TRY_STATUS(ask_portal(browser, "another resident", true));
    CLOISON_TRY_STATUS(ask_own_pages(browser));

    CLOISON_TRY_STATUS(ask_portal_as_others());
    note("Asks for a case of others on every route of the desk.");
    CLOISON_TRY_STATUS(ask_desk());
    CLOISON_TRY_STATUS(check_unchanged());
    note("Asks the desk what the session had.");
    CLOISON_TRY_STATUS(ask_scope(own["session"], begin));
    return finish();
}

/// Without a session, and with a professional's.
Status Drill::ask_portal_as_others() {
    CLOISON_TRY(auto anybody, Browser::open(options_.portal));
    CLOISON_TRY_STATUS(page(anybody, "/sign-in"));
    CLOISON_TRY_STATUS(ask_portal(anybody, "nobody", false));
    const auto professionals = accounts_.with_role("professional");
    CLOISON_TRY(auto professional, Browser::open(options_.portal));
    CLOISON_TRY_STATUS(sign_in(professional,
                               *professionals.at(rotate(professionals.size(), clock_.now())),
                               clock_, options_.on_note));
    return ask_portal(professional, "a professional", false);
}

Report Drill::finish() {
    report_.persons = had_ == 0 ? 0 : 1;
    report_.disclosed = had_;
    report_.recall = 1;
    report_.figures.push_back(
        {"routes of the portal", std::to_string(options_.portal_routes.size())});
    report_.figures.push_back({"routes of the desk", std::to_string(options_.desk_routes.size())});
    report_.figures.push_back({"requests made", std::to_string(requests_)});
    return report_;
}

}  // namespace

Result<Report> idor(const Options& options, FileSystem& files, Clock& clock, Random& random) {
    CLOISON_TRY(const auto accounts, demo::load_accounts(files, options.demo_file));
    CLOISON_TRY(auto names, demo::load_names(files, options.names_file));
    const demo::People people(std::make_shared<const demo::Names>(std::move(names)), accounts.seed);
    if (accounts.residents < 2)
        return fail(ErrorCode::kInvalidArgument, "The drill needs two residents.");
    return Drill(options, accounts, people, clock, random).run();
}

}  // namespace cloison::drill
