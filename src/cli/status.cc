#include "cli/status.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

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

/// What the keeper says of its witnesses; none if it does not answer.
std::optional<keeper::v1::DescribeResponse> ask_keeper(const Layout& layout) {
    const auto wiring = Wiring::load(layout, "operator");
    if (!wiring) return std::nullopt;
    auto answer = wiring->client<keeper::KeeperClient>("keeper").describe({});
    if (!answer) return std::nullopt;
    return std::move(*answer);
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

}  // namespace

Status show_status(const Layout& layout, FileSystem& files, bool json) {
    CLOISON_TRY(auto configuration, Configuration::load(files, layout.configuration()));
    const auto bytes = files.read_file(layout.run() / "serve.json", 64 * 1024);
    const auto state = bytes ? nlohmann::json::parse(as_text(*bytes), nullptr, false)
                             : nlohmann::json(nlohmann::json::value_t::discarded);
    if (state.is_discarded() || kill(state.value("pid", 0), 0) != 0)
        return fail(ErrorCode::kUnavailable, "Nothing runs in " + layout.var().string() +
                                                 ". Start it with \"cloison serve\".");

    bool all_answer = true;
    nlohmann::json report = nlohmann::json::array();
    for (const auto& service : state["services"]) {
        const std::string name = service.value("name", "");
        const int pid = service.value("pid", 0);
        const bool runs = pid != 0 && kill(pid, 0) == 0 && answers(name, layout, configuration);
        all_answer = all_answer && runs;
        report.push_back({{"name", name},
                          {"pid", pid},
                          {"answers", runs},
                          {"started", service.value("started", "")},
                          {"restarts", service.value("restarts", 0)}});
    }
    const auto keeper = ask_keeper(layout);
    const auto witnesses = keeper ? witnesses_report(*keeper) : nlohmann::json();
    if (json) {
        const nlohmann::json whole = {
            {"pid", state["pid"]}, {"services", report}, {"witnesses", witnesses}};
        std::printf("%s\n", whole.dump().c_str());
    } else {
        std::printf("%-10s %-8s %-9s %-21s %s\n", "service", "pid", "answers", "since", "restarts");
        for (const auto& service : report)
            std::printf("%-10s %-8d %-9s %-21s %d\n", service["name"].get<std::string>().c_str(),
                        service["pid"].get<int>(), service["answers"].get<bool>() ? "yes" : "NO",
                        service["started"].get<std::string>().c_str(),
                        service["restarts"].get<int>());
        if (keeper) print_witnesses(witnesses);
    }
    if (!all_answer) return fail(ErrorCode::kUnavailable, "A service does not answer.");
    return {};
}

}  // namespace cloison::cli
