#include "keeper/rotation.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/log.h"

namespace cloison::keeper {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kEpoch = "epoch";
constexpr std::string_view kDestroyed = "epochs destroyed";
constexpr std::string_view kPace = "pace of rotation";
/// A slow pace is kept with batches this often.
constexpr std::uint32_t kBatchesPerSecond = 10;
/// How often the thread, when idle, has the store remember the journal.
constexpr std::chrono::seconds kUpkeep{2};
/// Other writers have their turn for as long as a batch took, within these.
constexpr steady_clock::duration kLeastYield = std::chrono::milliseconds(1);
constexpr steady_clock::duration kMostYield = std::chrono::milliseconds(100);

std::string epoch_name(std::uint32_t number) {
    return "epoch " + std::to_string(number);
}

/// Thrown nowhere: says that a test ended the thread, or the keeper is stopping or pausing.
tl::unexpected<Error> told_to_stop() {
    return fail(ErrorCode::kUnavailable, "");
}

bool was_told_to_stop(const Error& error) {
    return error.message.empty();
}

}  // namespace

Rotation::Rotation(Epochs& epochs, PersonStore& persons, Recorder& recorder, JournalMark& mark,
                   Options options)
    : epochs_(epochs),
      persons_(persons),
      recorder_(recorder),
      mark_(mark),
      options_(std::move(options)) {}

Rotation::~Rotation() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (!thread_.joinable()) return;
    thread_.join();
    if (!abandoned_) keep_up();
}

Status Rotation::begin() {
    CLOISON_TRY(const auto known, persons_.setting(kEpoch));
    if (known.empty()) CLOISON_TRY_STATUS(announce(persons_.epoch()));
    CLOISON_TRY(const auto pace, persons_.setting(kPace));
    if (pace.size() == 4) pace_ = get_u32(pace);
    thread_ = std::thread([this] { run(); });
    return {};
}

bool Rotation::under_way() const {
    const auto living = epochs_.living();
    return living.size() > 1 || epochs_.newest() > persons_.epoch();
}

Status Rotation::start(std::uint32_t pace) {
    Bytes stored;
    put_u32(stored, pace);
    CLOISON_TRY_STATUS(persons_.set_setting(kPace, stored));
    {
        const std::lock_guard lock(mutex_);
        pace_ = pace;
        if (!under_way()) wanted_ = true;
        paused_ = false;
        failure_.clear();
    }
    wake_.notify_all();
    return {};
}

void Rotation::pause() {
    {
        const std::lock_guard lock(mutex_);
        paused_ = true;
    }
    wake_.notify_all();
}

Result<Rotation::State> Rotation::state() const {
    CLOISON_TRY(const auto progress, persons_.progress());
    State state;
    state.progress = progress;
    state.epoch = persons_.epoch();
    const std::lock_guard lock(mutex_);
    state.failure = failure_;
    state.running = !paused_ && failure_.empty() && (wanted_ || busy_ || under_way());
    return state;
}

bool Rotation::may_go_on() {
    const std::lock_guard lock(mutex_);
    return !stopping_ && !paused_;
}

void Rotation::reached(Step step) {
    if (!options_.on_step || options_.on_step(step)) return;
    const std::lock_guard lock(mutex_);
    stopping_ = abandoned_ = true;
}

void Rotation::keep_up() {
    for (const auto& status : {mark_.remember(), persons_.compact()})
        if (!status && !status.error().retryable())
            log_error("The person store is not brought up to date: " + status.error().message);
}

void Rotation::run() {
    bool look = true;  // At start there may be something under way, or a line to be written.
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            const auto has_work = [&] {
                return !paused_ && failure_.empty() && (look || wanted_ || under_way());
            };
            wake_.wait_for(lock, kUpkeep, [&] { return stopping_ || has_work(); });
            if (stopping_) break;
            busy_ = has_work();
        }
        if (busy_) {
            const auto status = rotate();
            const std::lock_guard lock(mutex_);
            busy_ = false;
            if (status) look = false;
            if (!status && !was_told_to_stop(status.error())) {
                failure_ = status.error().message;
                log_error("The rotation stands still: " + failure_);
            }
            if (stopping_) break;
        }
        keep_up();
    }
}

Status Rotation::rotate() {
    bool wanted = false;
    {
        const std::lock_guard lock(mutex_);
        wanted = wanted_;
    }
    if (wanted && !under_way()) {
        CLOISON_TRY_STATUS(epochs_.create(persons_.epoch() + 1));
        reached(Step::kKeyMade);
    }
    {
        const std::lock_guard lock(mutex_);
        wanted_ = false;
    }
    if (!may_go_on()) return told_to_stop();
    if (epochs_.newest() > persons_.epoch()) {
        CLOISON_TRY_STATUS(announce(epochs_.newest()));
        reached(Step::kLineWritten);
        if (!may_go_on()) return told_to_stop();
        CLOISON_TRY_STATUS(persons_.use_epoch(epochs_.newest()));
        reached(Step::kInUse);
    }
    if (epochs_.living().size() > 1) {
        do {
            CLOISON_TRY_STATUS(renew());
            reached(Step::kAllMoved);
            if (!may_go_on()) return told_to_stop();
            // Not by the store's count alone: an old key is never destroyed under somebody.
            CLOISON_TRY(const auto behind, persons_.left_behind());
            if (behind == 0) break;
        } while (true);
        CLOISON_TRY_STATUS(destroy_old());
    }
    CLOISON_TRY_STATUS(announce_destroyed());
    reached(Step::kEnded);
    return {};
}

Status Rotation::renew() {
    auto kept_up = steady_clock::now();
    for (;;) {
        if (!may_go_on()) return told_to_stop();
        if (steady_clock::now() - kept_up >= kUpkeep) {
            keep_up();
            kept_up = steady_clock::now();
        }
        std::uint32_t pace = 0;
        {
            const std::lock_guard lock(mutex_);
            pace = pace_;
        }
        const auto began = steady_clock::now();
        CLOISON_TRY(const auto rewrapped, persons_.rewrap_next(batch_at(pace)));
        reached(Step::kBatch);
        if (rewrapped.last) return {};
        const auto took = steady_clock::now() - began;
        auto rest = std::clamp(took, kLeastYield, kMostYield);
        if (pace > 0) {
            const auto share = std::chrono::nanoseconds(std::chrono::seconds(1)) *
                               static_cast<std::int64_t>(rewrapped.persons) / pace;
            rest = std::max<steady_clock::duration>(rest, share - took);
        }
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, rest, [&] { return stopping_ || paused_ || pace_ != pace; });
    }
}

std::size_t Rotation::batch_at(std::uint32_t pace) const {
    if (pace == 0) return options_.batch;
    return std::clamp<std::size_t>(pace / kBatchesPerSecond, 1, options_.batch);
}

Status Rotation::destroy_old() {
    for (const std::uint32_t number : epochs_.living()) {
        if (number == persons_.epoch()) continue;
        if (!may_go_on()) return told_to_stop();
        CLOISON_TRY_STATUS(epochs_.destroy(number));
        reached(Step::kKeyDestroyed);
    }
    return {};
}

Status Rotation::write_line(const std::string& reason) {
    journal::Entry entry;
    entry.kind = journal::EntryKind::kKeyChanged;
    entry.role = registry::Role::kAdministrator;
    entry.reason = reason;
    CLOISON_TRY_STATUS(recorder_.write({std::move(entry)}));
    return {};
}

Status Rotation::announce(std::uint32_t number) {
    CLOISON_TRY(const auto known, persons_.setting(kEpoch));
    const std::string name = epoch_name(number);
    if (as_text(known) == name) return {};
    CLOISON_TRY_STATUS(write_line(name));
    return persons_.set_setting(kEpoch, as_bytes(name));
}

Status Rotation::announce_destroyed() {
    CLOISON_TRY(const auto known, persons_.setting(kDestroyed));
    std::uint32_t told = known.size() == 4 ? get_u32(known) : 0;
    while (told + 1 < persons_.epoch()) {
        if (!may_go_on()) return told_to_stop();
        if (epochs_.wrapping(told + 1)) return {};
        CLOISON_TRY_STATUS(write_line(epoch_name(told + 1) + " destroyed"));
        Bytes number;
        put_u32(number, ++told);
        CLOISON_TRY_STATUS(persons_.set_setting(kDestroyed, number));
    }
    return {};
}

}  // namespace cloison::keeper
