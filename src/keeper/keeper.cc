#include "keeper/keeper.h"

#include "crypto/pae.h"
#include "journal/note.h"
#include "keeper/history_schema.h"
#include "keeper/parts.h"
#include "keeper/persons_schema.h"

namespace cloison::keeper {
namespace {

constexpr Duration kDay{24 * 60 * 60 * 1000};

Path root_key_path(const Path& directory) {
    return directory / "root.key";
}
Path journal_key_path(const Path& directory) {
    return directory / "journal.key";
}

Result<crypto::SigningKey> load_journal_key(FileSystem& files, const Path& directory) {
    CLOISON_TRY(auto seed, crypto::load_key_file(files, journal_key_path(directory)));
    return crypto::SigningKey::from_seed(seed.view());
}

Result<journal::Entry> read_entry(const journal::Journal& journal, std::uint64_t index) {
    CLOISON_TRY(auto entries, journal.read(index, 1));
    return journal::decode_entry(entries.at(0));
}

Result<Time> last_time(const journal::Journal& journal) {
    if (journal.size() == 0) return Time{};
    CLOISON_TRY(auto entry, read_entry(journal, journal.size() - 1));
    return entry.time;
}

/// The first line that is younger than `since`. Times never go back, so halving finds it.
Result<std::uint64_t> first_after(const journal::Journal& journal, Time since) {
    std::uint64_t low = 0;
    std::uint64_t high = journal.size();
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        CLOISON_TRY(auto entry, read_entry(journal, middle));
        if (entry.time > since)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/// An erasure whose line is durable but whose key a crash left in place.
Status finish_erasure(PersonStore& persons, std::uint32_t ordinal) {
    CLOISON_TRY(auto found, persons.find({ordinal}));
    if (found.at(0)) CLOISON_TRY_STATUS(persons.erase(*found[0]));
    return {};
}

Status replay(const journal::Entry& entry, const registry::Registry& registry, Budgets& budgets,
              PersonStore& persons) {
    const bool erased = entry.kind == journal::EntryKind::kErased;
    if (erased) CLOISON_TRY_STATUS(finish_erasure(persons, entry.person));
    if (!erased && entry.kind != journal::EntryKind::kDisclosed) return {};
    const auto* purpose = registry.purpose(entry.purpose);
    const auto* door = registry.door(entry.door);
    // A purpose or door that the register no longer has can grant nothing either.
    if (purpose && door) budgets.charge({entry.actor, purpose, door, entry.person}, entry.time);
    return {};
}

/// Charges what the lines of the last day before the last line say, and finishes their erasures:
/// the last day before now may not reach back to what a crash cut short.
Status read_back(const journal::Journal& journal, const registry::Registry& registry, Time last,
                 Budgets& budgets, PersonStore& persons) {
    CLOISON_TRY(auto next, first_after(journal, last - kDay));
    while (next < journal.size()) {
        CLOISON_TRY(auto entries, journal.read(next, journal::Journal::kMaxRead));
        if (entries.empty()) return fail(ErrorCode::kCorrupt, "The journal gives no entries.");
        for (const auto& bytes : entries) {
            CLOISON_TRY(auto entry, journal::decode_entry(bytes));
            CLOISON_TRY_STATUS(replay(entry, registry, budgets, persons));
        }
        next += entries.size();
    }
    return {};
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

}  // namespace

Status create_keeper_directory(FileSystem& files, const Path& directory, Random& random) {
    for (const auto& path : {root_key_path(directory), journal_key_path(directory)}) {
        CLOISON_TRY(const bool exists, files.exists(path));
        if (exists)
            return fail(ErrorCode::kConflict, "The key file " + path.string() + " exists already.");
    }
    CLOISON_TRY_STATUS(files.create_directories(directory));
    CLOISON_TRY_STATUS(crypto::create_key_file(files, root_key_path(directory), random));
    return crypto::create_key_file(files, journal_key_path(directory), random);
}

Result<std::string> journal_verify_key(FileSystem& files, const Path& directory,
                                       const std::string& origin) {
    CLOISON_TRY(const auto key, load_journal_key(files, directory));
    return journal::note_vkey(origin, key.verify_key());
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
    CLOISON_TRY(auto root_bytes, crypto::load_key_file(files, root_key_path(directory)));
    CLOISON_TRY(auto root, crypto::RootKey::from_bytes(root_bytes.view()));
    CLOISON_TRY(auto journal_key, load_journal_key(files, directory));
    auto parts = std::make_unique<Parts>(std::move(registry), root);
    parts->clock = &clock;
    parts->random = &random;

    journal::Journal::Options journal_options;
    journal_options.directory = journal_directory(directory);
    journal_options.origin = options.origin;
    CLOISON_TRY(parts->journal, journal::Journal::open(std::move(journal_options), files, clock,
                                                       std::move(journal_key)));
    CLOISON_TRY(auto persons, storage::open_sqlite(directory / "persons.sqlite", persons_schema()));
    CLOISON_TRY(parts->persons, PersonStore::open(std::move(persons), parts->keys, random));
    CLOISON_TRY(auto history, storage::open_sqlite(directory / "history.sqlite", history_schema()));
    CLOISON_TRY(parts->history, History::open(std::move(history), *parts->journal));

    CLOISON_TRY(const auto last, last_time(*parts->journal));
    parts->recorder = std::make_unique<Recorder>(
        *parts->journal, clock, random, last,
        Recorder::Hooks{std::move(options.on_journal_failure),
                        [history_index = parts->history.get()] { history_index->nudge(); }});
    CLOISON_TRY_STATUS(
        read_back(*parts->journal, parts->registry, last, parts->budgets, *parts->persons));
    const auto digest = configuration_digest(parts->registry, identity);
    CLOISON_TRY_STATUS(announce(journal::EntryKind::kConfigured, "configuration", digest,
                                "configuration " + hex_encode(digest).substr(0, 16),
                                *parts->persons, *parts->recorder));
    const std::string epoch = "epoch " + std::to_string(parts->persons->epoch());
    CLOISON_TRY_STATUS(announce(journal::EntryKind::kKeyChanged, "epoch", as_bytes(epoch), epoch,
                                *parts->persons, *parts->recorder));

    Parts& p = *parts;
    p.grants = std::make_unique<GrantChecker>(p.registry, p.keys, identity, clock);
    p.sealer = std::make_unique<Sealer>(p.registry, p.keys, p.persons->epoch(), random);
    p.subjects = std::make_unique<Subjects>(p.keys, *p.grants, *p.persons, clock);
    p.discloser = std::make_unique<Discloser>(
        Discloser::Parts{*p.grants, p.keys, *p.persons, *p.sealer, p.registry, p.budgets,
                         *p.recorder, clock, random},
        std::move(options.on_step));
    p.investigation = std::make_unique<Investigation>(Investigation::Parts{
        *p.grants, p.keys, *p.persons, *p.journal, *p.recorder, clock, random});
    p.own_lines = std::make_unique<OwnLines>(*p.grants, *p.history, *p.journal);
    p.eraser = std::make_unique<Eraser>(*p.grants, *p.persons, p.budgets, *p.recorder, random);
    p.blind_index =
        std::make_unique<BlindIndex>(p.registry, p.keys, clock, options.blind_index_budget);
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
