#include "cli/status.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/caller_key.h"
#include "cli/counted.h"
#include "cli/service_wiring.h"
#include "keeper/client/keeper_client.h"
#include "net/http_client.h"

namespace cloison::cli {
namespace {

bool socket_answers(const Path& path) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.string();
    bool ok = text.size() < sizeof address.sun_path;
    if (ok) {
        text.copy(address.sun_path, text.size());
        ok = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    close(fd);
    return ok;
}

bool page_answers(const std::string& address, std::uint16_t port) {
    auto client = net::HttpClient::create("http://" + address + ":" + std::to_string(port));
    if (!client) return false;
    const auto response = (*client)->get("/");
    return response && response->status < 500;
}

bool answers(const std::string& name, const Layout& layout, const Configuration& configuration) {
    if (name == "portal") return page_answers(configuration.address, configuration.portal_port);
    if (name == "desk") return page_answers(configuration.address, configuration.desk_port);
    if (name == "outbox") return page_answers(configuration.address, configuration.outbox_port);
    return socket_answers(layout.socket(name));
}

/// What the keeper says of itself.
Result<keeper::v1::DescribeResponse> ask_keeper(const Layout& layout) {
    CLOISON_TRY(const auto wiring, Wiring::load(layout, kOperator));
    return wiring.client<keeper::KeeperClient>("keeper").describe({});
}

nlohmann::json witnesses_report(const keeper::v1::DescribeResponse& keeper) {
    return {{"witnesses", keeper.witnesses()},
            {"needed", keeper.witnesses_needed()},
            {"entries", keeper.entries()},
            {"witnessed_entries", keeper.witnessed_entries()},
            {"witnessed", keeper.witnessed_ms() == 0
                              ? std::string()
                              : format_rfc3339(from_unix_ms(keeper.witnessed_ms()))},
            {"warning", keeper.witness_warning()}};
}

void print_witnesses(const nlohmann::json& report) {
    const auto entries = report["entries"].get<std::uint64_t>();
    const auto witnessed = report["witnessed_entries"].get<std::uint64_t>();
    std::string line;
    if (report["witnesses"] == 0)
        line = "no witness is set; nobody else holds a checkpoint of the journal";
    else if (witnessed == 0)
        line = "no checkpoint is cosigned yet";
    else
        line = "last cosigned checkpoint " + report["witnessed"].get<std::string>() + " over " +
               std::to_string(witnessed) + " lines, " +
               std::to_string(entries - std::min(entries, witnessed)) + " not cosigned yet";
    std::printf("witnesses  %s\n", line.c_str());
    const auto warning = report["warning"].get<std::string>();
    if (!warning.empty()) std::printf("WARNING    %s\n", warning.c_str());
}

nlohmann::json keeper_report(const keeper::v1::DescribeResponse& keeper) {
    return {{"persons", keeper.persons()},
            {"entries", keeper.entries()},
            {"alarms", keeper.alarms()},
            {"epoch", keeper.epoch()}};
}

void print_keeper(const nlohmann::json& report) {
    std::printf("keeper     %s (epoch %u), %s, %s\n",
                counted(report["persons"].get<std::uint64_t>(), "person").c_str(),
                report["epoch"].get<unsigned>(),
                counted(report["entries"].get<std::uint64_t>(), "journal line").c_str(),
                counted(report["alarms"].get<std::uint64_t>(), "alarm").c_str());
}

/// What `cloison serve` runs, and whether each of it answers.
nlohmann::json services_report(const nlohmann::json& state, const Layout& layout,
                               const Configuration& configuration) {
    nlohmann::json report = nlohmann::json::array();
    for (const auto& service : state["services"]) {
        const std::string name = service.value("name", "");
        const int pid = service.value("pid", 0);
        const bool runs = pid != 0 && kill(pid, 0) == 0 && answers(name, layout, configuration);
        report.push_back({{"name", name},
                          {"pid", pid},
                          {"answers", runs},
                          {"started", service.value("started", "")},
                          {"restarts", service.value("restarts", 0)}});
    }
    return report;
}

/// Whether `cloison serve` has come so far.
bool has_started(const nlohmann::json& service) {
    return !service.at("started").get<std::string>().empty();
}

void print_services(const nlohmann::json& report) {
    std::printf("%-10s %-8s %-9s %-21s %s\n", "service", "pid", "answers", "since", "restarts");
    for (const auto& service : report)
        std::printf(
            "%-10s %-8d %-9s %-21s %d\n", service["name"].get<std::string>().c_str(),
            service["pid"].get<int>(), service["answers"].get<bool>() ? "yes" : "NO",
            has_started(service) ? service["started"].get<std::string>().c_str() : "not yet",
            service["restarts"].get<int>());
}

}  // namespace

Status show_status(const Layout& layout, FileSystem& files, bool json) {
    CLOISON_TRY(auto configuration, Configuration::load(files, layout.configuration()));
    const auto bytes = files.read_file(layout.run() / "serve.json", 64 * 1024);
    const auto state = bytes ? nlohmann::json::parse(as_text(*bytes), nullptr, false)
                             : nlohmann::json(nlohmann::json::value_t::discarded);
    const bool serves = !state.is_discarded() && kill(state.value("pid", 0), 0) == 0;
    // A keeper may also run alone.
    const bool keeper_runs = socket_answers(layout.socket("keeper"));
    const auto report =
        serves ? services_report(state, layout, configuration) : nlohmann::json::array();
    Result<keeper::v1::DescribeResponse> keeper = fail(ErrorCode::kUnavailable, "");
    if (keeper_runs) keeper = ask_keeper(layout);
    if (json) {
        const nlohmann::json whole = {
            {"pid", serves ? state["pid"] : nlohmann::json()},
            {"services", report},
            {"keeper", keeper ? keeper_report(*keeper) : nlohmann::json()},
            {"witnesses", keeper ? witnesses_report(*keeper) : nlohmann::json()}};
        std::printf("%s\n", whole.dump().c_str());
    } else {
        if (serves) print_services(report);
        if (!serves && keeper_runs) std::printf("The keeper runs alone.\n");
        if (keeper) {
            print_keeper(keeper_report(*keeper));
            print_witnesses(witnesses_report(*keeper));
        }
    }
    if (!serves && !keeper_runs)
        return fail(ErrorCode::kUnavailable, "Nothing runs in " + layout.var().string() +
                                                 ". Start it with \"cloison serve\".");
    if (keeper_runs && !keeper) return fail(keeper.error());
    const bool all_answer = std::all_of(report.begin(), report.end(), [](const auto& service) {
        return service.at("answers").template get<bool>();
    });
    if (all_answer) return {};
    if (!std::all_of(report.begin(), report.end(), has_started))
        return fail(ErrorCode::kUnavailable, "Cloison is starting: not every service runs yet.");
    return fail(ErrorCode::kUnavailable, "A service does not answer.");
}

}  // namespace cloison::cli
