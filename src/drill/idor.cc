#include <algorithm>
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
    Parameters objects;
    std::string reference;         ///< Of the request, as people see it.
    std::set<std::string> values;  ///< What must not come back to anybody else.
    std::size_t score() const { return objects.size(); }
};

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
    Status ask_portal(Browser& browser, const std::string& who, bool is_resident);
    Status ask_own_pages(Browser& browser);
    Status ask_desk();
    Result<std::optional<Browser>> officer_without_case();
    Status ask_route(Browser& browser, const std::string& who, const Route& route,
                     const Parameters& parameters, bool compare_bytes);
    Result<net::HttpResponse> request(Browser& browser, const std::string& method,
                                      const Route& route, const std::string& path);
    void check(const std::string& who, const std::string& method, const Route& route,
               const net::HttpResponse& response);
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
    std::unique_ptr<Dpos> dpos_;
};

/// Signs in as a resident and gathers the objects that they see, and values that are theirs alone.
Result<Victim> Drill::look_at(std::uint32_t number) {
    const auto resident = people_.resident(number);
    Victim victim;
    victim.account = account_of(resident);
    CLOISON_TRY(auto browser, Browser::open(options_.portal));
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

/// The resident with most kinds of objects among the first.
Status Drill::choose() {
    note("Looks for a resident with a request, a document, messages and disclosures.");
    for (std::uint32_t number = 1; number <= std::min(accounts_.residents, kMostSought); ++number) {
        CLOISON_TRY(auto candidate, look_at(number));
        if (candidate.score() <= victim_.score()) continue;
        victim_ = std::move(candidate);
        victim_number_ = number;
        if (victim_.score() == 5) break;
    }
    if (!victim_.objects.contains("request"))
        return fail(ErrorCode::kNotFound, "No resident of the demo has a request.");
    if (!victim_.objects.contains("document")) {
        note("No document among them: asks for one that the resident does not have.");
        Bytes id(16);
        random_.fill(id);
        victim_.objects["document"] = hex_encode(id);
    }
    victim_.objects.erase("message");
    victim_.objects.emplace("index", "0");
    victim_.objects["page"] = "names";
    victim_.objects["kind"] = "identity_proof";
    victim_.objects["status"] = "approved";
    return {};
}

Result<net::HttpResponse> Drill::request(Browser& browser, const std::string& method,
                                         const Route& route, const std::string& path) {
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
    (void)route;
    return browser.send(method, path, "", "application/x-www-form-urlencoded");
}

/// Nothing of the victim's may be in an answer, and it may not say that all is well.
void Drill::check(const std::string& who, const std::string& method, const Route& route,
                  const net::HttpResponse& response) {
    const std::string what = method + ' ' + route.pattern + " as " + who;
    for (const auto& value : victim_.values) {
        if (decode_entities(response.body).find(value) == std::string::npos) continue;
        ++had_;
        add_fault(report_, what + " shows a value of another resident.");
        break;
    }
    const std::string location(response.headers.get("Location").value_or(""));
    const bool to_sign_in = response.status == 303 && location.starts_with("/sign-in");
    const bool refused = response.status == 401 || response.status == 403 ||
                         response.status == 404 || response.status == 405;
    if (!refused && !to_sign_in)
        add_fault(report_,
                  what + " was answered with status " + std::to_string(response.status) + ".");
}

Status Drill::ask_route(Browser& browser, const std::string& who, const Route& route,
                        const Parameters& parameters, bool compare_bytes) {
    CLOISON_TRY(const auto path, fill(route.pattern, parameters));
    const Parameters nobody = without_objects(parameters, random_);
    CLOISON_TRY(const auto empty_path, fill(route.pattern, nobody));
    for (const auto& method : kMethods) {
        CLOISON_TRY(const auto theirs, request(browser, method, route, path));
        check(who, method, route, theirs);
        if (!compare_bytes) continue;
        CLOISON_TRY(const auto nothing, request(browser, method, route, empty_path));
        const bool same = theirs.status == nothing.status &&
                          neutral(theirs.body, parameters) == neutral(nothing.body, nobody);
        if (!same)
            add_fault(report_, method + ' ' + route.pattern + " as " + who +
                                   " tells what exists from what does not.");
    }
    return {};
}

Status Drill::ask_portal(Browser& browser, const std::string& who, bool is_resident) {
    for (const Route& route : options_.portal_routes) {
        const auto names = parameter_names(route.pattern);
        if (!std::any_of(names.begin(), names.end(), names_an_object)) continue;
        CLOISON_TRY_STATUS(ask_route(browser, who, route, victim_.objects, true));
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

/// An officer in whose hand the case is not. None if it waits for any officer to take it.
Result<std::optional<Browser>> Drill::officer_without_case() {
    const auto officers = accounts_.with_role("officer");
    const std::size_t start = rotate(officers.size(), clock_.now());
    for (std::size_t i = 0; i < std::min<std::size_t>(officers.size(), 3); ++i) {
        CLOISON_TRY(auto browser, Browser::open(options_.desk));
        CLOISON_TRY_STATUS(
            sign_in(browser, *officers[(start + i) % officers.size()], clock_, options_.on_note));
        CLOISON_TRY(const auto mine,
                    page(browser, "/queue?mine=yes&reference=" + victim_.reference));
        const auto links = targets(mine);
        const std::string path = "/cases/" + victim_.objects.at("request");
        if (std::find(links.begin(), links.end(), path) == links.end())
            return std::optional(std::move(browser));
    }
    return std::optional<Browser>();
}

Status Drill::ask_desk() {
    CLOISON_TRY(const auto incident, dpos_->open_incident("Drill: an incident to ask for"));
    CLOISON_TRY(const auto actor,
                dpos_->actor_of(incident, accounts_.with_role("support").at(0)->name));
    CLOISON_TRY(auto browser, officer_without_case());
    if (!browser) return fail(ErrorCode::kNotFound, "Every officer has the case.");
    CLOISON_TRY(const auto found, page(*browser, "/queue?reference=" + victim_.reference));
    const std::string take = "/cases/" + victim_.objects.at("request") + "/take";
    const auto links = targets(found);
    const bool waits = std::find(links.begin(), links.end(), take) != links.end();
    if (waits)
        report_.figures.push_back({"left out", "taking the case, which waits for any officer"});
    Parameters parameters = victim_.objects;
    parameters["incident"] = incident;
    parameters["actor"] = actor;
    Bytes approval(16);
    random_.fill(approval);
    parameters["approval"] = hex_encode(approval);
    for (const Route& route : options_.desk_routes) {
        const auto names = parameter_names(route.pattern);
        if (!std::any_of(names.begin(), names.end(), names_an_object)) continue;
        if (waits && route.pattern == "/cases/{request}/take") continue;
        CLOISON_TRY_STATUS(
            ask_route(*browser, "an officer without the case", route, parameters, true));
    }
    CLOISON_TRY(auto anybody, Browser::open(options_.desk));
    CLOISON_TRY_STATUS(page(anybody, "/sign-in"));
    for (const Route& route : options_.desk_routes) {
        const auto names = parameter_names(route.pattern);
        if (!std::any_of(names.begin(), names.end(), names_an_object)) continue;
        CLOISON_TRY_STATUS(ask_route(anybody, "nobody", route, parameters, true));
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

    CLOISON_TRY(auto anybody, Browser::open(options_.portal));
    CLOISON_TRY_STATUS(page(anybody, "/sign-in"));
    CLOISON_TRY_STATUS(ask_portal(anybody, "nobody", false));

    const auto professionals = accounts_.with_role("professional");
    CLOISON_TRY(auto professional, Browser::open(options_.portal));
    CLOISON_TRY_STATUS(sign_in(professional,
                               *professionals.at(rotate(professionals.size(), clock_.now())),
                               clock_, options_.on_note));
    CLOISON_TRY_STATUS(ask_portal(professional, "a professional", false));

    note("Asks for a case of others on every route of the desk.");
    CLOISON_TRY_STATUS(ask_desk());
    note("Asks the desk what the session had.");
    CLOISON_TRY_STATUS(ask_scope(own["session"], begin));

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
