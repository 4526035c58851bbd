#include "keeper/cosigner.h"

#include <algorithm>

#include "base/log.h"
#include "journal/cosignature.h"
#include "journal/entry.h"
#include "journal/note.h"
#include "journal/proof.h"

namespace cloison::keeper {
namespace {

constexpr std::size_t kMaxNote = 1 << 20;
constexpr std::chrono::seconds kPace{1};

using Outcome = journal::WitnessAnswer::Outcome;

Result<journal::Checkpoint> open_checkpoint(std::string_view note,
                                            const journal::Journal& journal) {
    CLOISON_TRY(const auto verifier, journal::NoteVerifier::parse(journal.verify_key()));
    CLOISON_TRY(const auto text, journal::open_note(note, verifier));
    return journal::Checkpoint::parse(text);
}

/// When so many witnesses had cosigned the note; none if fewer have.
std::optional<Time> witnessed_at(const std::string& note,
                                 const std::vector<journal::WitnessAddress>& witnesses,
                                 std::size_t quorum) {
    std::vector<Time> times;
    for (const auto& witness : witnesses)
        if (const auto at = journal::cosigned_at(note, witness.verifier)) times.push_back(*at);
    if (quorum == 0 || times.size() < quorum) return std::nullopt;
    std::sort(times.begin(), times.end());
    return times[quorum - 1];
}

std::string in_words(Duration duration) {
    const std::int64_t seconds = duration.count() / 1'000;
    return seconds < 120 ? std::to_string(seconds) + " s" : std::to_string(seconds / 60) + " min";
}

}  // namespace

Result<CosignedCheckpoint> read_cosigned(FileSystem& files, const Path& journal_directory,
                                         const journal::Journal& journal) {
    const Path path = journal_directory / kCosignedFile;
    const auto bytes = files.read_file(path, kMaxNote);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound) return CosignedCheckpoint{};
    if (!bytes) return fail(bytes.error());
    const auto corrupt = [&path](const std::string& why) {
        return fail(ErrorCode::kCorrupt, path.string() + ": " + why);
    };
    const auto checkpoint = open_checkpoint(as_text(*bytes), journal);
    if (!checkpoint) return corrupt(checkpoint.error().message);
    const std::uint64_t size = journal.size();
    if (checkpoint->size > size)
        return corrupt("witnesses have cosigned " + std::to_string(checkpoint->size) +
                       " lines, and the journal has " + std::to_string(size) +
                       ": lines were removed, or an older copy was put back. Put the newest copy "
                       "back; keep this one as evidence.");
    CLOISON_TRY(const auto now, journal.checkpoint());
    CLOISON_TRY(const auto current, open_checkpoint(now, journal));
    CLOISON_TRY(const auto proof, journal.prove_consistency(checkpoint->size, current.size));
    if (!journal::verify_consistency(checkpoint->size, checkpoint->root, current.size, current.root,
                                     proof))
        return corrupt("witnesses have cosigned other lines than the first " +
                       std::to_string(checkpoint->size) +
                       " of this journal: it was rewritten, or it is another one. Put the right "
                       "copy back; keep this one as evidence.");
    return CosignedCheckpoint{to_string(*bytes), checkpoint->size};
}

/// One witness and how it fares.
struct Cosigner::Witness {
    explicit Witness(journal::WitnessClient asked) : client(std::move(asked)) {}
    const std::string& name() const { return client.address().verifier.name; }

    journal::WitnessClient client;
    Duration backoff{0};
    Time not_before;
    Outcome last = Outcome::kCosigned;
    // While it says that the journal is not what it saw.
    Outcome objected = Outcome::kCosigned;
    std::string objection;
};

/// The checkpoint that a round is about.
struct Cosigner::Round {
    std::string note;
    std::uint64_t size = 0;
};

Cosigner::Cosigner(Options options, CosignedCheckpoint last, const Path& journal_directory,
                   journal::Journal& journal, FileSystem& files, const Clock& clock, Alarm alarm)
    : options_(std::move(options)),
      directory_(journal_directory),
      journal_(journal),
      files_(files),
      clock_(clock),
      alarm_(std::move(alarm)) {
    for (const auto& address : options_.witnesses)
        witnesses_.push_back(std::make_unique<Witness>(
            options_.connect
                ? options_.connect(address)
                : journal::WitnessClient(address, options_.timeout, options_.ca_file)));
    adopt(std::move(last));
    if (!witnesses_.empty() && options_.in_background) background_ = std::thread([this] { run(); });
}

Cosigner::~Cosigner() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    stop_.notify_all();
    if (background_.joinable()) background_.join();
}

void Cosigner::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        tick();
        lock.lock();
        stop_.wait_for(lock, kPace, [this] { return stopping_; });
    }
}

void Cosigner::tick() {
    const Time now = clock_.now();
    if (due(now)) {
        const auto status = run_round(now);
        const std::string failure = status ? std::string() : status.error().message;
        if (!failure.empty() && failure != failure_)
            log_warning("The checkpoint is not cosigned: " + failure + ".");
        failure_ = failure;
    }
    warn(now);
}

bool Cosigner::due(Time now) const {
    if (witnesses_.empty()) return false;
    // A clock that went back does not put it off for longer than the wait was.
    if (now < not_before_ && not_before_ - now <= options_.interval) return false;
    const std::lock_guard lock(mutex_);
    return first_ || last_.size < journal_.size();
}

Status Cosigner::run_round(Time now) {
    not_before_ = now + options_.interval;
    CLOISON_TRY(const auto round, prepare());
    std::vector<std::size_t> asked;
    std::vector<journal::WitnessAnswer> answers;
    ask(round, now, asked, answers);
    for (std::size_t i = 0; i < asked.size(); ++i) judge(*witnesses_[asked[i]], answers[i], now);
    {
        const std::lock_guard lock(mutex_);
        trouble_.clear();
        for (const auto& witness : witnesses_)
            if (!witness->objection.empty())
                trouble_ += (trouble_.empty() ? "" : " ") + witness->objection;
    }
    return store(round, answers);
}

Result<Cosigner::Round> Cosigner::prepare() const {
    // Witnesses see what is published: tiles for all of it are there for whoever checks.
    CLOISON_TRY_STATUS(journal_.publish());
    CLOISON_TRY(const auto bytes, files_.read_file(directory_ / "checkpoint", kMaxNote));
    CLOISON_TRY(const auto checkpoint, open_checkpoint(as_text(bytes), journal_));
    return Round{to_string(bytes), checkpoint.size};
}

void Cosigner::ask(const Round& round, Time now, std::vector<std::size_t>& asked,
                   std::vector<journal::WitnessAnswer>& answers) {
    for (std::size_t i = 0; i < witnesses_.size(); ++i) {
        const Witness& witness = *witnesses_[i];
        const bool waits = now < witness.not_before && witness.not_before - now <= kMaxBackoff;
        if (!waits) asked.push_back(i);
    }
    answers.resize(asked.size());
    std::vector<std::thread> threads;
    threads.reserve(asked.size());
    for (std::size_t i = 0; i < asked.size(); ++i)
        threads.emplace_back(
            [this, &round, &answer = answers[i], &client = witnesses_[asked[i]]->client] {
                answer = client.cosign(round.note, round.size,
                                       [this](std::uint64_t old_size, std::uint64_t size) {
                                           return journal_.prove_consistency(old_size, size);
                                       });
            });
    for (auto& thread : threads) thread.join();
}

void Cosigner::judge(Witness& witness, const journal::WitnessAnswer& answer, Time now) {
    const Outcome before = std::exchange(witness.last, answer.outcome);
    if (answer.outcome == Outcome::kCosigned) {
        if (before != Outcome::kCosigned) log_info("Witness " + witness.name() + " cosigns again.");
        witness.backoff = Duration(0);
        witness.not_before = Time();
        witness.objected = Outcome::kCosigned;
        witness.objection.clear();
        return;
    }
    witness.backoff = std::min(kMaxBackoff, std::max(options_.interval, 2 * witness.backoff));
    witness.not_before = now + witness.backoff;
    if (before != answer.outcome)
        log_warning("Witness " + witness.name() + " did not cosign: " + answer.problem + ".");
    if (answer.outcome == Outcome::kFailed) return;
    witness.objection = "Witness " + witness.name() + " objects: " + answer.problem + ".";
    if (witness.objected == answer.outcome) return;
    // Where there is no room for the line, the next round tries again.
    if (alarm_(answer.outcome == Outcome::kAhead ? "journal rolled back" : "witness disagrees"))
        witness.objected = answer.outcome;
}

Status Cosigner::store(const Round& round, const std::vector<journal::WitnessAnswer>& answers) {
    CosignedCheckpoint checkpoint{round.note, round.size};
    for (const auto& answer : answers) checkpoint.note += answer.line;
    if (!witnessed_at(checkpoint.note, options_.witnesses, options_.quorum))
        return fail(ErrorCode::kUnavailable,
                    "fewer than " + std::to_string(options_.quorum) + " witnesses gave their word");
    CLOISON_TRY_STATUS(
        files_.write_file_atomically(directory_ / kCosignedFile, as_bytes(checkpoint.note), 0600));
    first_ = false;
    adopt(std::move(checkpoint));
    return {};
}

void Cosigner::adopt(CosignedCheckpoint checkpoint) {
    const auto at = witnessed_at(checkpoint.note, options_.witnesses, options_.quorum);
    // Signed by witnesses that are not asked any more: as good as none.
    if (!at) return;
    const std::lock_guard lock(mutex_);
    last_ = std::move(checkpoint);
    witnessed_at_ = *at;
}

Cosigner::State Cosigner::state() const {
    const std::lock_guard lock(mutex_);
    return {last_.size, witnessed_at_, options_.witnesses.size(), options_.quorum,
            warning_locked()};
}

std::optional<std::string> Cosigner::covering(std::uint64_t index) const {
    const std::lock_guard lock(mutex_);
    if (index >= last_.size) return std::nullopt;
    return last_.note;
}

std::string Cosigner::warning_locked() const {
    std::string warning = trouble_;
    const std::uint64_t size = journal_.size();
    if (options_.witnesses.empty() || size <= last_.size) return warning;
    // Not the age of the checkpoint: a journal that rests has an old one, and nothing is amiss.
    const auto entries = journal_.read(last_.size, 1);
    if (!entries || entries->empty()) return warning;
    const auto oldest = journal::decode_entry(entries->front());
    if (!oldest || clock_.now() - oldest->time <= options_.warn_after) return warning;
    return warning + (warning.empty() ? "" : " ") +
           "Journal lines that are not cosigned yet: " + std::to_string(size - last_.size) +
           "; the oldest has waited for " + in_words(clock_.now() - oldest->time) + ".";
}

void Cosigner::warn(Time now) {
    if (now < next_warning_ && next_warning_ - now <= options_.warn_after) return;
    const std::string warning = state().warning;
    if (warning.empty()) return;
    log_warning(warning);
    next_warning_ = now + options_.warn_after;
}

}  // namespace cloison::keeper
