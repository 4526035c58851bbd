#include "incident/journal_reader.h"

#include <chrono>
#include <mutex>

#include "journal/merkle.h"
#include "journal/note.h"

namespace cloison::incident {

namespace {

std::uint8_t self_service_number(const registry::Registry& registry) {
    const registry::Purpose* purpose = registry.purpose(kSelfService);
    return purpose == nullptr ? 0 : purpose->number;
}

}  // namespace

struct JournalReader::State {
    State(Options given, keeper::KeeperClient client, const registry::Registry& fields)
        : options(std::move(given)),
          keeper(std::move(client)),
          registry(fields),
          index(self_service_number(fields)) {}

    Options options;
    keeper::KeeperClient keeper;
    const registry::Registry& registry;

    std::mutex mutex;
    std::optional<journal::NoteVerifier> verifier;
    ScopeIndex index;
    journal::TreeEdge tree;
    Coverage covered;
    /// Set when the entries read do not give the checkpoint: nothing is answered from then on.
    std::optional<Error> refused;

    Status prepare_verifier();
    Status refresh(const std::string& grant);
    Status take(const std::string& bytes);
    Result<keeper::v1::ReadEntriesResponse> read(const std::string& grant, std::uint32_t count);
    Status compare(const journal::Checkpoint& checkpoint, const std::string& note);
    Status refuse(std::string message) {
        refused = Error{ErrorCode::kCorrupt, std::move(message)};
        return fail(*refused);
    }
};

Status JournalReader::State::prepare_verifier() {
    if (verifier) return {};
    std::string key = options.verify_key;
    if (key.empty()) {
        CLOISON_TRY(const auto described, keeper.describe({}));
        key = described.verify_key();
    }
    CLOISON_TRY(verifier, journal::NoteVerifier::parse(key));
    return {};
}

Result<keeper::v1::ReadEntriesResponse> JournalReader::State::read(const std::string& grant,
                                                                   std::uint32_t count) {
    keeper::v1::ReadEntriesRequest request;
    request.set_grant(grant);
    request.set_first(index.size());
    request.set_count(count);
    return keeper.read_entries(request);
}

Status JournalReader::State::take(const std::string& bytes) {
    const auto entry = journal::decode_entry(as_bytes(bytes));
    const std::string number = std::to_string(index.size());
    if (!entry) return refuse("Entry " + number + " of the journal does not decode.");
    tree.append(journal::hash_leaf(as_bytes(bytes)), [](int, const crypto::Hash&) {});
    CLOISON_TRY_STATUS(index.add(index.size(), *entry));
    const auto& before = options.covered_before;
    if (before && before->size == tree.size() && before->root != tree.root())
        return refuse("The first " + std::to_string(before->size) +
                      " entries of the journal are not those that were covered before: it was "
                      "rewritten.");
    return {};
}

Status JournalReader::State::compare(const journal::Checkpoint& checkpoint,
                                     const std::string& note) {
    const crypto::Hash root = checkpoint.size == 0 ? journal::empty_root() : tree.root();
    if (root != checkpoint.root)
        return refuse("The journal's entries do not give its signed checkpoint of " +
                      std::to_string(checkpoint.size) + " entries: it was altered.");
    covered = {checkpoint.size, checkpoint.root, note};
    return {};
}

/// Reads up to the checkpoint of the first answer and no further: each reading is itself journaled,
/// so the end keeps moving.
Status JournalReader::State::refresh(const std::string& grant) {
    if (refused) return fail(*refused);
    CLOISON_TRY_STATUS(prepare_verifier());
    std::optional<journal::Checkpoint> target;
    std::string note;
    while (!target || index.size() < target->size) {
        std::uint64_t wanted = options.batch;
        if (target) wanted = std::min<std::uint64_t>(wanted, target->size - index.size());
        CLOISON_TRY(const auto answer, read(grant, static_cast<std::uint32_t>(wanted)));
        if (!target) {
            auto text = journal::open_note(answer.checkpoint(), *verifier);
            if (!text)
                return fail(ErrorCode::kCorrupt,
                            "The journal's checkpoint is not signed by the key that is known.");
            CLOISON_TRY(target, journal::Checkpoint::parse(*text));
            note = answer.checkpoint();
            const auto& before = options.covered_before;
            const std::uint64_t least =
                std::max<std::uint64_t>(index.size(), before ? before->size : 0);
            if (target->size < least)
                return refuse("The journal's checkpoint has " + std::to_string(target->size) +
                              " entries where " + std::to_string(least) +
                              " were covered before: it was cut.");
        }
        const std::uint64_t before_reading = index.size();
        for (const std::string& entry : answer.entries()) {
            if (index.size() == target->size) break;
            CLOISON_TRY_STATUS(take(entry));
        }
        if (index.size() < target->size && index.size() == before_reading)
            return refuse("The journal hands out " + std::to_string(index.size()) +
                          " entries where its checkpoint names " + std::to_string(target->size) +
                          ".");
    }
    return compare(*target, note);
}

JournalReader::JournalReader(Options options, keeper::KeeperClient keeper,
                             const registry::Registry& registry)
    : state_(std::make_unique<State>(std::move(options), std::move(keeper), registry)) {}
JournalReader::~JournalReader() = default;

Result<ScopeAnswer> JournalReader::scope(const std::string& grant, const ScopeQuery& query,
                                         const std::vector<registry::Role>& known_roles) {
    // The steady clock: how long it takes is no matter of the time of day that is passed in.
    const auto began = std::chrono::steady_clock::now();
    const std::lock_guard lock(state_->mutex);
    CLOISON_TRY_STATUS(state_->refresh(grant));
    ScopeAnswer answer;
    answer.query = query;
    answer.counts = state_->index.count(query);
    std::vector<registry::Role> roles = state_->index.roles(query);
    if (roles.empty()) roles = known_roles;
    answer.fields = judge_fields(query, answer.counts, roles, state_->registry);
    answer.covered = state_->covered;
    answer.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return answer;
}

Result<JournalReader::Persons> JournalReader::persons(const std::string& grant,
                                                      const ScopeQuery& query) {
    const std::lock_guard lock(state_->mutex);
    CLOISON_TRY_STATUS(state_->refresh(grant));
    return Persons{state_->index.persons(query), state_->covered};
}

Result<JournalReader::Lines> JournalReader::lines(const std::string& grant, const ScopeQuery& query,
                                                  std::uint64_t offset, std::size_t limit) {
    const std::lock_guard lock(state_->mutex);
    CLOISON_TRY_STATUS(state_->refresh(grant));
    return Lines{state_->index.lines(query, offset, limit), state_->covered};
}

}  // namespace cloison::incident
