// Uses a journal as the keeper does, for tests that fail its system calls.
//
//   journal_driver run KEEPER SCENARIO LOG   opens the journal of a keeper's directory a few times,
//                                            appends, publishes, closes, until something fails
//   journal_driver check KEEPER LOG          opens it again: what LOG acknowledges is there;
//   appends,
//                                            publishes and closes without failing
//
// LOG gets "ack <first> <count>" in one write(2) for every append that was acknowledged. `run` ends
// with 0 if all went well, with 3 if a call failed and the journal then refused every further
// append, and with 1 if it did anything else. An entry is made from its number, so `check` knows
// what has to be there.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/log.h"
#include "crypto/keys.h"
#include "journal/entry.h"
#include "journal/fsck.h"
#include "journal/journal.h"
#include "journal/note.h"
#include "journal/proof.h"

using namespace cloison;

namespace {

constexpr const char* kOrigin = "localhost/keeper";
constexpr std::size_t kLargeEntryBytes = 65'000;
constexpr std::uint64_t kLargeBatch = 128;

[[noreturn]] void give_up(int code, const std::string& message) {
    std::fprintf(stderr, "journal_driver: %s\n", message.c_str());
    std::exit(code);
}

Bytes small_entry(std::uint64_t number) {
    journal::Entry entry;
    entry.time = from_unix_ms(1'776'000'000'000 + static_cast<std::int64_t>(number));
    entry.person = static_cast<std::uint32_t>(number);
    entry.reason = "r" + std::to_string(number % 7);
    return journal::encode_entry(entry);
}

Bytes large_entry(std::uint64_t number) {
    Bytes entry;
    put_u64(entry, number);
    entry.resize(kLargeEntryBytes, static_cast<std::uint8_t>(number));
    return entry;
}

/// Entries lie encrypted on the disk, as the keeper's do.
std::shared_ptr<const crypto::BoxKey> entry_key() {
    return std::make_shared<const crypto::BoxKey>(
        std::move(*crypto::BoxKey::from_bytes(Bytes(crypto::kKeySize, 7))));
}

std::unique_ptr<journal::Journal> open_journal(const Path& keeper, int code_on_failure) {
    const auto seed = crypto::load_key_file(local_file_system(), keeper / "journal.key");
    if (!seed) give_up(code_on_failure, "open: " + seed.error().message);
    journal::Journal::Options options;
    options.directory = keeper / "journal";
    options.origin = kOrigin;
    options.entry_key = entry_key();
    auto opened = journal::Journal::open(std::move(options), local_file_system(), system_clock(),
                                         crypto::SigningKey::from_seed(seed->view()));
    if (!opened) give_up(code_on_failure, "open: " + opened.error().message);
    return std::move(*opened);
}

class Driver {
  public:
    Driver(Path keeper, const Path& log, int code_on_failure)
        : keeper_(std::move(keeper)),
          code_on_failure_(code_on_failure),
          log_(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
        if (log_ < 0) give_up(1, "the log cannot be opened");
    }

    void open() { journal_ = open_journal(keeper_, code_on_failure_); }
    void close() { journal_.reset(); }
    journal::Journal& journal() { return *journal_; }

    void append(std::uint64_t count, Bytes (*make)(std::uint64_t)) {
        const std::uint64_t first = journal_->size();
        std::vector<Bytes> entries;
        for (std::uint64_t i = 0; i < count; ++i) entries.push_back(make(first + i));
        const auto index = journal_->append(entries);
        if (!index) stop("append: " + index.error().message);
        if (*index != first) give_up(1, "append: another index than the next one");
        const std::string line =
            "ack " + std::to_string(first) + ' ' + std::to_string(count) + '\n';
        if (::write(log_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
            give_up(1, "the log cannot be written");
    }
    void publish() {
        if (auto status = journal_->publish(); !status) stop("publish: " + status.error().message);
    }

  private:
    /// After a failure the journal takes nothing more.
    [[noreturn]] void stop(const std::string& message) {
        for (int again = 0; again < 3; ++again)
            if (journal_->append({small_entry(journal_->size())}))
                give_up(1, "appended although this had failed: " + message);
        give_up(code_on_failure_, message);
    }

    Path keeper_;
    int code_on_failure_;
    int log_;
    std::unique_ptr<journal::Journal> journal_;
};

int run(const Path& keeper, const std::string& scenario, const Path& log) {
    Driver driver(keeper, log, 3);
    driver.open();
    if (scenario == "small") {
        // Three openings; a partial tile that grows, becomes full, and gives way to the full one.
        driver.append(1, small_entry);
        driver.append(5, small_entry);
        driver.publish();
        driver.append(3, small_entry);
        driver.close();
        driver.open();
        driver.append(250, small_entry);
        driver.publish();
        driver.append(2, small_entry);
        driver.close();
        driver.open();
        driver.append(1, small_entry);
    } else if (scenario == "segment") {
        // More than a segment holds, so that one is begun in the middle of appending.
        for (int i = 0; i < 3; ++i) driver.append(kLargeBatch, large_entry);
    } else if (scenario == "round") {
        // More tiles than are synced one by one.
        for (int i = 0; i < 3; ++i) driver.append(4096, small_entry);
        driver.publish();
        driver.append(1, small_entry);
    } else {
        give_up(2, "no such scenario");
    }
    driver.close();
    return 0;
}

std::uint64_t acknowledged_in(const Path& log) {
    std::ifstream lines(log);
    std::uint64_t end = 0;
    std::string line;
    while (std::getline(lines, line)) {
        unsigned long long first = 0;
        unsigned long long count = 0;
        if (std::sscanf(line.c_str(), "ack %llu %llu", &first, &count) != 2) continue;
        if (first < end) give_up(1, "two appends were given the same index");
        end = first + count;
    }
    return end;
}

/// Reads everything back and proves it against the signed checkpoint; true if all of it are lines
/// that a keeper could have written, which fsck insists on.
bool check_content(const journal::Journal& journal, std::uint64_t acknowledged) {
    if (journal.size() < acknowledged)
        give_up(1, "entry " + std::to_string(acknowledged - 1) +
                       " was acknowledged, and the journal ends at " +
                       std::to_string(journal.size()));
    const auto verifier = journal::NoteVerifier::parse(journal.verify_key());
    if (!verifier) give_up(1, verifier.error().message);
    bool lines_only = true;
    for (std::uint64_t first = 0; first < journal.size();) {
        const auto entries = journal.read(first, 256);
        if (!entries) give_up(1, "read: " + entries.error().message);
        for (const Bytes& entry : *entries) {
            const bool large = entry.size() == kLargeEntryBytes;
            const auto expected = large ? large_entry(first) : small_entry(first);
            lines_only &= !large;
            if (entry != expected)
                give_up(1, "entry " + std::to_string(first) + " is not what was appended");
            ++first;
        }
        const auto text = journal.prove(first - 1);
        if (!text) give_up(1, "prove: " + text.error().message);
        const auto proof = journal::Proof::parse(*text);
        if (!proof) give_up(1, "prove: " + proof.error().message);
        const auto verified = journal::verify_proof(*proof, *verifier);
        if (!verified) give_up(1, "verify: " + verified.error().message);
    }
    return lines_only;
}

void check_every_file(const Path& keeper, const std::string& verify_key, std::uint64_t size) {
    journal::FsckOptions options;
    options.verify_key = verify_key;
    options.entry_key = entry_key();
    options.at_least = size;
    const auto report = journal::fsck(local_file_system(), keeper / "journal", options);
    if (!report) give_up(1, "fsck: " + report.error().message);
    if (report->entries != size) give_up(1, "fsck: another number of entries than the journal has");
}

int check(const Path& keeper, const Path& log) {
    const std::uint64_t acknowledged = acknowledged_in(log);
    Driver driver(keeper, log, 1);
    driver.open();
    const std::uint64_t found = driver.journal().size();
    check_content(driver.journal(), acknowledged);
    driver.append(2, small_entry);
    driver.publish();
    driver.append(1, small_entry);
    const bool lines_only = check_content(driver.journal(), found + 3);
    const std::string verify_key = driver.journal().verify_key();
    driver.close();
    if (lines_only) check_every_file(keeper, verify_key, found + 3);
    std::printf("%llu %llu\n", static_cast<unsigned long long>(acknowledged),
                static_cast<unsigned long long>(found));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialize();
    set_log_level(LogLevel::kError);
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 4 && words[0] == "run") return run(words[1], words[2], words[3]);
    if (words.size() == 3 && words[0] == "check") return check(words[1], words[2]);
    std::fprintf(stderr, "usage: journal_driver run KEEPER SCENARIO LOG | check KEEPER LOG\n");
    return 2;
}
