// Pages of a running portal: a page with personal data (session, grant, sealed values, a durable
// journal line) against a page of the same server that needs none of it.
//
//   pages_bench PORTAL DEMO_FILE       e.g. pages_bench http://127.0.0.1:8080 var/demo.json

#include <memory>
#include <regex>

#include "bench/measure.h"
#include "demo/accounts.h"
#include "net/http_client.h"

using namespace cloison;
using namespace cloison::bench;

namespace {

constexpr double kSeconds = 4.0;
constexpr int kRounds = 3;
constexpr int kCallers = 16;

std::string csrf_of(const std::string& page) {
    static const std::regex pattern("name=\"csrf\" value=\"([^\"]+)\"");
    std::smatch found;
    return std::regex_search(page, found, pattern) ? found[1].str() : "";
}

/// A browser of its own, signed in as a demo resident.
std::unique_ptr<net::HttpClient> signed_in(const std::string& portal, const demo::Account& who) {
    auto client = must(net::HttpClient::create(portal), "client");
    const auto page = must(client->get("/sign-in"), "sign-in page");
    net::Form form;
    form.add("csrf", csrf_of(page.body));
    form.add("email", who.email);
    form.add("password", who.password);
    const auto answer = must(client->post_form("/sign-in", form), "sign-in");
    if (answer.status != 303) {
        std::fprintf(stderr, "sign-in answered %d\n", answer.status);
        std::exit(1);
    }
    return client;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: pages_bench PORTAL DEMO_FILE\n");
        return 2;
    }
    const auto demo = must(demo::load_accounts(local_file_system(), argv[2]), "demo accounts");
    const demo::Account* resident = nullptr;
    for (const auto* account : demo.with_role("resident"))
        if (account->totp.empty()) resident = account;
    if (resident == nullptr) {
        std::fprintf(stderr, "no demo resident without a one-time code\n");
        return 1;
    }
    std::vector<std::unique_ptr<net::HttpClient>> clients;
    for (int i = 0; i < kCallers; ++i) clients.push_back(signed_in(argv[1], *resident));

    const auto get = [&](const std::string& path) {
        return run_callers(kCallers, kSeconds, [&](int caller) {
            const auto page = must(clients[static_cast<std::size_t>(caller)]->get(path), "page");
            if (page.status != 200) {
                std::fprintf(stderr, "%s answered %d\n", path.c_str(), page.status);
                std::exit(1);
            }
        });
    };
    for (const char* path : {"/account", "/requests"})
        compare(
            std::string("page") + path, "page/help", kRounds, [&] { return get(path); },
            [&] { return get("/help"); });
    return 0;
}
