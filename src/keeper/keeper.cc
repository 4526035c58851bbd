#include "keeper/keeper.h"

#include "base/log.h"
#include "crypto/pae.h"
#include "journal/note.h"
#include "keeper/backup.h"
#include "keeper/history_schema.h"
#include "keeper/known_numbers.h"
#include "keeper/parts.h"
#include "keeper/persons_schema.h"
#include "keeper/read_back.h"

namespace cloison::keeper {
namespace {

Path journal_key_path(const Path& directory) {
    return directory / "journal.key";
}

std::shared_ptr<const crypto::BoxKey> entry_key_of(const crypto::RootKey& root) {
    return std::make_shared<const crypto::BoxKey>(
        crypto::derive_key<crypto::BoxKey>(root, "cloison/keeper/v1/journal-entries"));
}

Result<crypto::SigningKey> load_journal_key(FileSystem& files, const Path& directory) {
    CLOISON_TRY(auto seed, crypto::load_key_file(files, journal_key_path(directory)));
    return crypto::SigningKey::from_seed(seed.view());
}

/// Everything that decides what may be opened, in one digest.
crypto::Hash configuration_digest(const registry::Registry& registry,
                                  const crypto::VerifyKey& identity) {
    Bytes text;
    const auto add = [&](std::string_view word) {
        put_u32(text, static_cast<std::uint32_t>(word.size()));
        text.insert(text.end(), word.begin(), word.end());
    };
    const auto add_budget = [&](const registry::Budget& budget) {
        put_u32(text, budget.per_hour);
        put_u32(text, budget.per_day);
    };
    for (const auto& field : registry.fields()) {
        text.push_back(field.number);
        add(field.name);
        add(registry::compartment_name(field.compartment));
        put_u32(text, static_cast<std::uint32_t>(field.purposes.size()));
        for (const auto& purpose : field.purposes) add(purpose);
    }
    for (const auto& purpose : registry.purposes()) {
        text.push_back(purpose.number);
        add(purpose.name);
        text.push_back(purpose.bulk);
        add_budget(purpose.budget);
        put_u32(text, static_cast<std::uint32_t>(purpose.roles.size()));
        for (const auto role : purpose.roles) add(registry::role_name(role));
        put_u32(text, static_cast<std::uint32_t>(purpose.reasons.size()));
        for (const auto& reason : purpose.reasons) add(reason.code);
    }
    for (const auto& door : registry.doors()) {
        text.push_back(door.number);
        add(door.name);
        add_budget(door.budget);
    }
    for (const auto& allowance : registry.allowances()) {
        add(allowance.name);
        add_budget(allowance.budget);
        put_u32(text, allowance.block);
    }
    put_u32(text, registry.thresholds().refusals_per_hour);
    put_u32(text, registry.thresholds().hardenings_of_account_per_hour);
    return crypto::sha256({text, identity.bytes});
}

/// Writes a line if `content` is not what the journal last spoke of.
Status announce(journal::EntryKind kind, std::string_view name, ByteView content,
                std::string reason, PersonStore& persons, Recorder& recorder) {
    CLOISON_TRY(auto known, persons.setting(name));
    if (equal_constant_time(known, content)) return {};
    journal::Entry entry;
    entry.kind = kind;
    entry.role = registry::Role::kAdministrator;
    entry.reason = std::move(reason);
    CLOISON_TRY_STATUS(recorder.write({std::move(entry)}));
    return persons.set_setting(name, content);
}

/// The index is derived from the journal: a damaged file is removed, and made anew.
Result<std::unique_ptr<History>> open_history(const Path& file, const journal::Journal& journal,
                                              const crypto::BoxKey& key, FileSystem& files,
                                              Random& random) {
    const auto open = [&]() -> Result<std::unique_ptr<History>> {
        CLOISON_TRY(auto database, storage::open_sqlite(file, history_schema()));
        return History::open(std::move(database), journal, key, random);
    };
    auto history = open();
    if (history || history.error().code != ErrorCode::kCorrupt) return history;
    log_warning("history.sqlite is damaged and is built anew: " + history.error().message);
    for (const char* suffix : {"", "-wal", "-shm"}) {
        const Path part = file.string() + suffix;
        CLOISON_TRY(const bool exists, files.exists(part));
        if (exists) CLOISON_TRY_STATUS(files.remove(part));
    }
    return open();
}

std::unique_ptr<Cosigner> start_cosigner(const Keeper::Witnesses& witnesses,
                                         CosignedCheckpoint last, const Path& journal_directory,
                                         journal::Journal& journal, Alarms& alarms,
                                         FileSystem& files, const Clock& clock) {
    Cosigner::Options options;
    options.witnesses = witnesses.addresses;
    options.quorum = witnesses.quorum;
    options.interval = witnesses.interval;
    options.warn_after = witnesses.warn_after;
    options.ca_file = witnesses.ca_file;
    return std::make_unique<Cosigner>(
        std::move(options), std::move(last), journal_directory, journal, files, clock,
        [&alarms](std::string_view cause) { return alarms.raise(cause); });
}

/// When the last line was written. Lines never go back in time: they wait for a clock that does,
/// and grants do not.
Result<Time> last_line(const journal::Journal& journal, Time now) {
    constexpr Duration kNoticed{60'000};
    CLOISON_TRY(const auto last, last_time(journal));
    if (last > now + kNoticed)
        log_warning("The journal's last line is of " + format_rfc3339(last) +
                    ", and the clock says " + format_rfc3339(now) +
                    ": until it has caught up, lines bear that time, and grants count as expired.");
    return last;
}

}  // namespace

Status create_keeper_directory(FileSystem& files, const Path& directory, Random& random,
                               const RootKeySource& root_key) {
    CLOISON_TRY(const bool exists, files.exists(journal_key_path(directory)));
    if (exists)
        return fail(ErrorCode::kConflict,
                    "The key file " + journal_key_path(directory).string() + " exists already.");
    CLOISON_TRY_STATUS(files.create_directories(directory));
    CLOISON_TRY_STATUS(create_root_key(files, directory, root_key, random));
    return crypto::create_key_file(files, journal_key_path(directory), random);
}

Result<std::string> journal_verify_key(FileSystem& files, const Path& directory,
                                       const std::string& origin) {
    CLOISON_TRY(const auto key, load_journal_key(files, directory));
    return journal::note_vkey(origin, key.verify_key());
}

Result<std::shared_ptr<const crypto::BoxKey>> journal_entry_key(FileSystem& files,
                                                                const Path& directory,
                                                                const RootKeySource& root_key) {
    CLOISON_TRY(const auto root, load_root_key(files, directory, root_key));
    return entry_key_of(root.key());
}

Result<crypto::SigningKey> journal_signing_key(FileSystem& files, const Path& directory) {
    return load_journal_key(files, directory);
}

Path journal_directory(const Path& directory) {
    return directory / "journal";
}

Keeper::Keeper(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)), service_(parts_->make_service()) {}

Keeper::~Keeper() = default;

Result<std::unique_ptr<Keeper>> Keeper::open(Options options, registry::Registry registry,
                                             crypto::VerifyKey identity, FileSystem& files,
                                             Clock& clock, Random& random) {
    crypto::initialize();
    const Path& directory = options.directory;
    CLOISON_TRY(const auto root, load_root_key(files, directory, options.root_key));
    CLOISON_TRY(auto journal_key, load_journal_key(files, directory));
    CLOISON_TRY_STATUS(discard_unfinished_backup(files, directory));
    auto parts = std::make_unique<Parts>(std::move(registry), root.key());
    parts->clock = &clock;
    parts->random = &random;

    journal::Journal::Options journal_options;
    journal_options.directory = journal_directory(directory);
    journal_options.origin = options.origin;
    journal_options.entry_key = entry_key_of(root.key());
    journal_options.random = &random;
    CLOISON_TRY(parts->journal, journal::Journal::open(std::move(journal_options), files, clock,
                                                       std::move(journal_key)));
    // Before anything is written: a journal that lost lines must not grow new ones in their place.
    CLOISON_TRY(auto cosigned, read_cosigned(files, journal_directory(directory), *parts->journal));
    CLOISON_TRY(auto persons, storage::open_sqlite(directory / "persons.sqlite", persons_schema()));
    CLOISON_TRY(parts->epochs,
                Epochs::open(files, directory / "epochs", parts->keys.epoch_wrap(), random));
    CLOISON_TRY(parts->persons,
                PersonStore::open(std::move(persons), *parts->epochs, parts->keys, random));
    CLOISON_TRY_STATUS(keep_numbers(parts->registry, *parts->persons));
    parts->mark = std::make_unique<JournalMark>(*parts->persons, *parts->journal,
                                                parts->keys.journal_mark(), random);
    CLOISON_TRY(const bool put_back, parts->mark->replay());
    CLOISON_TRY(parts->history, open_history(directory / "history.sqlite", *parts->journal,
                                             parts->keys.history(), files, random));

    CLOISON_TRY(const auto last, last_line(*parts->journal, clock.now()));
    CLOISON_TRY(auto receipt_key, load_journal_key(files, directory));
    parts->receipts = std::make_unique<ReceiptSigner>(options.origin, std::move(receipt_key));
    parts->recorder = std::make_unique<Recorder>(
        *parts->journal, clock, random, last,
        Recorder::Hooks{std::move(options.on_journal_failure),
                        [history_index = parts->history.get()] { history_index->nudge(); },
                        [signer = parts->receipts.get()](auto first, auto calls, const auto& top) {
                            return signer->sign(first, calls, top);
                        }});
    parts->alarms = std::make_unique<Alarms>(*parts->recorder);
    parts->cosigner =
        start_cosigner(options.witnesses, std::move(cosigned), journal_directory(directory),
                       *parts->journal, *parts->alarms, files, clock);
    CLOISON_TRY(parts->allowances,
                Allowances::create(parts->registry, *parts->recorder, *parts->alarms));
    CLOISON_TRY_STATUS(
        read_back(*parts->journal, parts->registry, last,
                  {parts->budgets, parts->refusals, parts->revocations, *parts->allowances}));
    parts->allowances->finish_replay(parts->recorder->now());
    parts->hardener = std::make_unique<Hardener>(
        parts->keys, parts->registry.thresholds().hardenings_of_account_per_hour,
        *parts->allowances, *parts->recorder, *parts->alarms);
    // First the line, then the mark: a crash in between finds it out again.
    if (put_back) CLOISON_TRY_STATUS(parts->alarms->raise("persons.sqlite was put back"));
    CLOISON_TRY_STATUS(parts->mark->remember());
    CLOISON_TRY(const auto returned, find_returned(*parts->persons, *parts->history));
    if (!returned.empty()) {
        CLOISON_TRY_STATUS(parts->alarms->raise("erased persons came back"));
        CLOISON_TRY_STATUS(parts->persons->erase(returned));
    }
    const auto digest = configuration_digest(parts->registry, identity);
    CLOISON_TRY_STATUS(announce(journal::EntryKind::kConfigured, "configuration", digest,
                                "configuration " + hex_encode(digest).substr(0, 16),
                                *parts->persons, *parts->recorder));
    parts->rotation = std::make_unique<Rotation>(*parts->epochs, *parts->persons, *parts->recorder,
                                                 *parts->mark, Rotation::Options{});
    CLOISON_TRY_STATUS(parts->rotation->begin());

    Parts& p = *parts;
    p.grants = std::make_unique<GrantChecker>(p.registry, p.keys, identity, p.revocations, clock);
    p.sealer = std::make_unique<Sealer>(p.registry, p.keys, *p.persons, random);
    CLOISON_TRY(p.canaries, Canaries::open({*p.persons, p.keys, *p.sealer, *p.recorder, *p.alarms,
                                            *p.mark, clock, random}));
    p.generations =
        std::make_unique<Generations>(Generations::Parts{*p.persons, p.keys, *p.alarms, random});
    p.subjects = std::make_unique<Subjects>(p.keys, *p.grants, *p.persons, clock);
    p.discloser = std::make_unique<Discloser>(
        Discloser::Parts{*p.grants, p.keys, *p.persons, *p.sealer, p.registry, p.budgets,
                         p.refusals, p.erased, *p.alarms, *p.recorder, *p.canaries, clock, random},
        std::move(options.on_step));
    p.investigation = std::make_unique<Investigation>(Investigation::Parts{
        *p.grants, p.keys, *p.persons, *p.journal, *p.recorder, *p.canaries, clock, random});
    p.own_lines = std::make_unique<OwnLines>(*p.grants, *p.history, *p.journal, *p.cosigner);
    p.eraser = std::make_unique<Eraser>(*p.grants, *p.persons, p.budgets, *p.recorder, *p.mark,
                                        p.erased, *p.canaries, p.refusals, *p.alarms, random);
    p.blind_index = std::make_unique<BlindIndex>(p.registry, p.keys, *p.allowances);
    return std::unique_ptr<Keeper>(new Keeper(std::move(parts)));
}

std::shared_ptr<net::RpcService> Keeper::service() const {
    return service_;
}

const crypto::SealedBoxPublicKey& Keeper::handle_key() const {
    return parts_->keys.handle_keys().public_key();
}

std::string Keeper::verify_key() const {
    return parts_->journal->verify_key();
}

Status Keeper::publish() {
    return parts_->journal->publish();
}

}  // namespace cloison::keeper
