// The keeper over real RPC: opening one value, durably, against the slower of a bare RPC echo of
// messages of the same sizes and a raw group commit of the same line; opening batches of persons,
// each under a grant of its own, against the raw group commit; enrolment against plain inserts.

#include "bench/keeper_servers.h"
#include "bench/raw_group_commit.h"
#include "bench/stored_value.h"
#include "storage/database.h"

using namespace cloison;
using namespace cloison::bench;

namespace {

constexpr double kSeconds = 2.0;
constexpr int kRounds = 5;
constexpr int kCallers = 64;
constexpr int kBatchCallers = 8;
constexpr int kBatchPersons = 100;
constexpr std::size_t kLineBytes = 176;  // About what one disclosure writes.
constexpr std::uint32_t kEnrolBatch = 10'000;

/// A person of their own with one sealed value, and a grant for it.
keeper::v1::OpenRequest make_opening(const Servers& servers, const keeper::KeeperClient& portal,
                                     const keeper::KeeperClient& identity) {
    keeper::v1::EnrollRequest enroll;
    enroll.set_count(1);
    const auto enrolled = must(portal.enroll(enroll), "enroll");
    keeper::v1::OpenRequest request;
    *request.add_disclosures() =
        disclosure_of(servers, store_value(portal, identity, enrolled.enrolments(0)));
    return request;
}

void measure_open(const Servers& servers) {
    const auto portal = servers.client("portal");
    const auto identity = servers.client("identity");
    std::vector<keeper::v1::OpenRequest> openings;
    for (int i = 0; i < kCallers; ++i) openings.push_back(make_opening(servers, portal, identity));

    const auto open = [&] {
        return run_callers(kCallers, kSeconds, [&](int caller) {
            const auto opened =
                must(portal.open(openings[static_cast<std::size_t>(caller)]), "open");
            if (opened.disclosed(0).values_size() != 1) std::exit(1);
        });
    };
    auto echo_channel = servers.channel("echo", "portal");
    testing::v1::SayRequest say;
    say.set_text(std::string(openings[0].ByteSizeLong(), 'x'));
    say.set_times(
        static_cast<std::uint32_t>(must(portal.open(openings[0]), "open").ByteSizeLong()));
    compare("keeper_open_64", "rpc_echo_of_the_same_messages", kRounds, open, [&] {
        return run_callers(kCallers, kSeconds, [&](int) {
            must(echo_channel->call<testing::v1::SayResponse>("Say", say), "echo");
        });
    });
    RawGroupCommit raw(servers.directory() / "raw");
    const Bytes line(kLineBytes, 1);
    compare("keeper_open_64", "raw_group_commit", kRounds, open,
            [&] { return run_callers(kCallers, kSeconds, [&](int) { raw.append(line); }); });
}

/// Calls that open a value each of many persons, every one under a grant of its own.
void measure_batches(const Servers& servers) {
    const auto portal = servers.client("portal");
    const auto identity = servers.client("identity");
    std::vector<keeper::v1::OpenRequest> batches(kBatchCallers);
    for (auto& batch : batches)
        for (int i = 0; i < kBatchPersons; ++i)
            *batch.add_disclosures() = make_opening(servers, portal, identity).disclosures(0);

    const auto in_lines = [](Figures figures) {
        figures.per_second *= kBatchPersons;
        figures.cpu_us /= kBatchPersons;
        return figures;
    };
    RawGroupCommit raw(servers.directory() / "raw");
    const Bytes line(kLineBytes, 1);
    compare(
        "keeper_open_batches_of_100_lines", "raw_group_commit_64_callers", kRounds,
        [&] {
            return in_lines(run_callers(kBatchCallers, kSeconds, [&](int caller) {
                const auto opened =
                    must(portal.open(batches[static_cast<std::size_t>(caller)]), "open");
                for (const auto& disclosed : opened.disclosed())
                    if (disclosed.values_size() != 1) std::exit(1);
            }));
        },
        [&] { return run_callers(kCallers, kSeconds, [&](int) { raw.append(line); }); });
}

/// Plain inserts of rows like a person's: number, root id, wrapped key.
class PlainInserts {
  public:
    explicit PlainInserts(const Path& file)
        : database_(must(storage::open_sqlite(
                             file, {{1, "rows",
                                     "CREATE TABLE rows (number INTEGER PRIMARY KEY, "
                                     "root BYTES NOT NULL UNIQUE, wrapped BYTES NOT NULL);"}}),
                         "database")) {}
    void insert(std::uint32_t count) {
        must(database_->write([&](storage::Transaction& transaction) -> Status {
            for (std::uint32_t i = 0; i < count; ++i) {
                Bytes root(16);
                Bytes wrapped(72);
                system_random().fill(root);
                system_random().fill(wrapped);
                CLOISON_TRY_STATUS(transaction.execute(
                    "INSERT INTO rows (root, wrapped) VALUES ($1, $2)", {root, wrapped}));
            }
            return {};
        }),
             "insert");
    }

  private:
    std::unique_ptr<storage::Database> database_;
};

void measure_enrolment(const Servers& servers) {
    const auto portal = servers.client("portal");
    PlainInserts plain(servers.directory() / "plain.db");
    const auto per_person = [](Figures figures) {
        figures.per_second *= kEnrolBatch;
        return figures;
    };
    compare(
        "enrolment_persons", "plain_inserts", kRounds,
        [&] {
            return per_person(run_callers(1, kSeconds, [&](int) {
                keeper::v1::EnrollRequest enroll;
                enroll.set_count(kEnrolBatch);
                must(portal.enroll(enroll), "enroll");
            }));
        },
        [&] {
            return per_person(run_callers(1, kSeconds, [&](int) { plain.insert(kEnrolBatch); }));
        });
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialize();
    const std::string only = argc > 1 ? argv[1] : "";
    const auto chosen = [&](const char* part) { return only.empty() || only == part; };
    const Servers servers;
    if (chosen("open")) measure_open(servers);
    if (chosen("batches")) measure_batches(servers);
    if (chosen("enrolment")) measure_enrolment(servers);
    return 0;
}
