// Journal append against a raw group commit of the same bytes: callers that wait together share one
// write and one fdatasync, and nothing else is done.

#include "base/id.h"
#include "base/temporary_directory.h"
#include "bench/measure.h"
#include "bench/raw_group_commit.h"
#include "crypto/keys.h"
#include "journal/entry.h"
#include "journal/journal.h"

using namespace cloison;
using namespace cloison::bench;

namespace {

constexpr double kSeconds = 2.0;
constexpr int kRounds = 5;

Bytes sample_entry() {
    journal::Entry entry;
    entry.time = system_clock().now();
    entry.door = 2;
    entry.purpose = 3;
    entry.actor = ActorId::random(system_random());
    entry.session = SessionId::random(system_random());
    entry.person = 12'345;
    entry.fields.set(20).set(24);
    entry.case_reference = RequestId::random(system_random());
    entry.reason = "examine";
    system_random().fill(entry.salt);
    return journal::encode_entry(entry);
}

}  // namespace

int main() {
    crypto::initialize();
    const Bytes entry = sample_entry();
    // As the keeper does: its entries lie encrypted.
    const auto entry_key =
        std::make_shared<const crypto::BoxKey>(crypto::BoxKey::random(system_random()));
    for (const int callers : {1, 64, 256}) {
        const TemporaryDirectory directory;
        RawGroupCommit raw(directory.path() / "raw");
        auto log = must(journal::Journal::open({.directory = directory.path() / "journal",
                                                .origin = "bench.example/log",
                                                .entry_key = entry_key},
                                               local_file_system(), system_clock(),
                                               crypto::SigningKey::from_seed(Bytes(32, 7))),
                        "journal");
        compare(
            "journal_append_" + std::to_string(callers), "raw_group_commit", kRounds,
            [&] {
                return run_callers(callers, kSeconds,
                                   [&](int) { must(log->append({entry}), "append"); });
            },
            [&] { return run_callers(callers, kSeconds, [&](int) { raw.append(entry); }); });
    }
    return 0;
}
