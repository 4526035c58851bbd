#include "keeper/canaries.h"

#include <algorithm>

#include "base/log.h"
#include "crypto/box.h"
#include "keeper/blind_index.h"
#include "keeper/canary_box.h"
#include "keeper/tokens.h"

namespace cloison::keeper {
namespace {

using storage::Transaction;

constexpr std::string_view kEmail = "email";
constexpr std::string_view kCause = "canary ";

Status check_copy(std::string_view copy) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    if (copy.empty() || copy.size() > Canaries::kMaxCopyName ||
        !std::all_of(copy.begin(), copy.end(), good))
        return fail(ErrorCode::kInvalidArgument,
                    "The name of a copy has 1 to 32 characters of a to z, 0 to 9, '-' and '.'.");
    return {};
}

std::string cause_of(registry::Compartment compartment, std::string_view copy) {
    return std::string(kCause) + std::string(registry::compartment_name(compartment)) + " " +
           std::string(copy);
}

/// How many canaries there are, boxed (8 bytes), among the store's settings: rows that are taken
/// out, at the end too, are missed.
constexpr std::string_view kCount = "canaries planted";
constexpr std::size_t kCountSize = 8;

Status missing(std::uint64_t number) {
    return fail(ErrorCode::kCorrupt,
                "The register of canaries is not whole: it was changed at number " +
                    std::to_string(number) + ". Put the newest copy of persons.sqlite in place.");
}

journal::Entry operators_line(journal::EntryKind kind, std::string reason) {
    journal::Entry entry;
    entry.kind = kind;
    entry.role = registry::Role::kAdministrator;
    entry.reason = std::move(reason);
    return entry;
}

}  // namespace

Result<std::unique_ptr<Canaries>> Canaries::open(Parts parts, std::size_t max_canaries) {
    std::unique_ptr<Canaries> canaries(new Canaries(parts, max_canaries));
    CLOISON_TRY_STATUS(canaries->load());
    return canaries;
}

Status Canaries::load() {
    CLOISON_TRY(const auto stored, parts_.persons.setting(kCount));
    std::uint64_t planted = 0;
    if (!stored.empty()) {
        CLOISON_TRY(const auto count,
                    crypto::box_decrypt(parts_.keys.canaries(), stored, as_bytes(kCount)));
        if (count.view().size() != kCountSize)
            return fail(ErrorCode::kCorrupt, "The number of canaries is malformed.");
        planted = get_u64(count.view());
    }
    for (;;) {
        CLOISON_TRY(const auto canaries, page(next_ - 1, kMaxPersons));
        for (const auto& canary : canaries) {
            if (canary.number != next_) return missing(next_);
            remember(canary);
            ++next_;
        }
        if (canaries.empty()) break;
    }
    if (stored.empty() && next_ > 1)
        CLOISON_TRY_STATUS(count_anew());
    else if (next_ - 1 != planted)
        return missing(std::min(next_, planted + 1));
    return compare_with_journal();
}

/// Whoever takes rows out can put an earlier count beside those that are left, or none. The journal
/// they cannot change.
Status Canaries::compare_with_journal() {
    const std::uint64_t told = parts_.mark.canaries();
    const std::uint64_t held = next_ - 1;
    if (held > told)
        return fail(ErrorCode::kCorrupt, "The register holds " + std::to_string(held) +
                                             " canaries, and the journal says that there are " +
                                             std::to_string(told) + '.');
    if (held == told) return {};
    CLOISON_TRY_STATUS(parts_.alarms.raise("canaries are missing"));
    const auto under_way = parts_.mark.begin();
    return lose(told - held);
}

/// Tells the journal that so many of those planted are not in the register. Within mark.begin().
Status Canaries::lose(std::uint64_t count) {
    CLOISON_TRY_STATUS(parts_.recorder.write(
        {operators_line(journal::EntryKind::kConfigured, canaries_lost_line(count))}));
    parts_.mark.count_canaries(-static_cast<std::int64_t>(count));
    return {};
}

/// The store is of a time when canaries were not counted, or somebody took the count away: which of
/// the two, the alarm has a person find out.
Status Canaries::count_anew() {
    CLOISON_TRY_STATUS(parts_.alarms.raise("canaries were not counted"));
    return parts_.persons.set_setting(kCount, boxed_count(next_ - 1));
}

Bytes Canaries::boxed_count(std::uint64_t count) const {
    Bytes number;
    put_u64(number, count);
    return crypto::box_encrypt(parts_.keys.canaries(), number, as_bytes(kCount), parts_.random);
}

void Canaries::remember(const Canary& canary) {
    std::lock_guard lock(mutex_);
    auto& cause = causes_[cause_of(canary.compartment, canary.copy)];
    if (!cause)
        cause = std::make_shared<const std::string>(cause_of(canary.compartment, canary.copy));
    known_[canary.person.ordinal] = {canary.person.root, cause};
}

std::string Canaries::alarm_of(const Person& person) const {
    std::shared_lock lock(mutex_);
    const auto found = known_.find(person.ordinal);
    if (found == known_.end() || found->second.root != person.root) return {};
    return *found->second.cause;
}

journal::Entry Canaries::opened(std::string_view cause, journal::Entry about) {
    log_warning("Alarm in the journal: " + std::string(cause) + ".");
    about.kind = journal::EntryKind::kAlarm;
    about.reason = cause;
    return about;
}

std::optional<journal::Entry> Canaries::refused(std::string_view cause, const journal::Entry& about,
                                                Time at) {
    std::string asked(kCause);
    asked.append("asked ").append(cause.substr(kCause.size()));
    return parts_.alarms.compose(asked, about, at);
}

Status Canaries::check(std::string_view compartment,
                       const std::vector<std::vector<PlainValue>>& persons) const {
    if (persons.empty() || persons.size() > kMaxPersons)
        return fail(ErrorCode::kInvalidArgument, "A call plants 1 to 1,000 canaries.");
    for (const auto& values : persons) {
        if (values.empty() || values.size() > kMaxItems)
            return fail(ErrorCode::kInvalidArgument, "A canary has 1 to 200 values.");
        for (const auto& value : values) {
            CLOISON_TRY(const auto* field, parts_.sealer.field(value.field, value.record));
            if (registry::compartment_name(field->compartment) != compartment)
                return fail(ErrorCode::kInvalidArgument,
                            "A canary has values of one compartment only.");
            if (value.field == kEmail) CLOISON_TRY_STATUS(normalise_for_index(kEmail, value.value));
        }
    }
    return {};
}

Result<std::vector<Canaries::Planted>> Canaries::plant(
    std::string_view copy, std::string_view compartment_name,
    const std::vector<std::vector<PlainValue>>& persons) {
    CLOISON_TRY_STATUS(check_copy(copy));
    CLOISON_TRY(const auto compartment, registry::compartment_from_name(compartment_name));
    CLOISON_TRY_STATUS(check(compartment_name, persons));
    for (const auto& values : persons)
        if (canary_entry_size(copy, values) > kMaxEntryBytes)
            return fail(ErrorCode::kInvalidArgument,
                        "The values of a canary have at most 65,536 bytes, with what is noted "
                        "beside them.");

    std::lock_guard lock(planting_);
    if (next_ - 1 + persons.size() > max_)
        return fail(ErrorCode::kExhausted, "The register has room for " + std::to_string(max_) +
                                               " canaries, and holds " + std::to_string(next_ - 1) +
                                               ".");
    CLOISON_TRY(const auto people,
                parts_.persons.enroll(static_cast<std::uint32_t>(persons.size())));
    CLOISON_TRY(auto planted, make(people, compartment, persons));

    const Time now = parts_.clock.now();
    std::vector<Canary> canaries;
    for (std::size_t i = 0; i < people.size(); ++i) {
        Canary canary{next_ + i, std::string(copy), compartment, people[i], now, {}};
        for (const auto& value : persons[i])
            canary.values.push_back({std::string(value.field), to_bytes(value.record),
                                     to_bytes(value.value), value.schema_version});
        canaries.push_back(std::move(canary));
    }
    const auto under_way = parts_.mark.begin();
    CLOISON_TRY_STATUS(parts_.recorder.write(
        {operators_line(journal::EntryKind::kConfigured, canaries_planted_line(canaries.size()))}));
    parts_.mark.count_canaries(static_cast<std::int64_t>(canaries.size()));
    if (auto stored = store(canaries); !stored) {
        CLOISON_TRY_STATUS(lose(canaries.size()));
        return fail(stored.error());
    }
    next_ += canaries.size();
    for (const auto& canary : canaries) remember(canary);
    return planted;
}

Result<std::vector<Canaries::Planted>> Canaries::make(
    const std::vector<Person>& people, registry::Compartment compartment,
    const std::vector<std::vector<PlainValue>>& persons) const {
    std::vector<Planted> planted;
    for (std::size_t i = 0; i < people.size(); ++i) {
        CLOISON_TRY(auto key, parts_.persons.key(people[i]));
        const Subjects::Writer writer{{people[i], {}}, std::move(key), compartment};
        CLOISON_TRY(auto sealed, parts_.sealer.seal(writer, persons[i]));
        Planted made{make_canary_enrolment(parts_.keys, people[i], compartment, parts_.clock.now(),
                                           parts_.random),
                     std::move(sealed),
                     {}};
        for (const auto& value : persons[i]) {
            if (value.field != kEmail) continue;
            CLOISON_TRY(const auto normalised, normalise_for_index(kEmail, value.value));
            made.email_index = parts_.keys.blind_index(kEmail, normalised.view());
        }
        planted.push_back(std::move(made));
    }
    return planted;
}

Status Canaries::store(const std::vector<Canary>& canaries) {
    std::vector<Bytes> boxes;
    boxes.reserve(canaries.size());
    for (const auto& canary : canaries)
        boxes.push_back(seal_canary(parts_.keys.canaries(), canary, parts_.random));
    const Bytes count = boxed_count(canaries.back().number);
    return parts_.persons.database().write([&](Transaction& transaction) -> Status {
        for (std::size_t i = 0; i < canaries.size(); ++i)
            CLOISON_TRY_STATUS(transaction.execute(
                "INSERT INTO canary (number, box) VALUES ($1, $2)",
                {static_cast<std::int64_t>(canaries[i].number), storage::blob(boxes[i])}));
        CLOISON_TRY_STATUS(
            transaction.execute("INSERT INTO setting (name, content) VALUES ($1, $2) "
                                "ON CONFLICT (name) DO UPDATE SET content = excluded.content",
                                {std::string(kCount), storage::blob(count)}));
        return {};
    });
}

Result<std::vector<Canary>> Canaries::page(std::uint64_t after, std::size_t limit) const {
    const auto rows =
        parts_.persons.database().read_result<storage::Rows>([&](Transaction& transaction) {
            return transaction.query(
                "SELECT number, box FROM canary WHERE number > $1 ORDER BY number LIMIT $2",
                {static_cast<std::int64_t>(after), static_cast<std::int64_t>(limit)});
        });
    if (!rows) return fail(rows.error());
    std::vector<Canary> canaries;
    for (const auto& row : *rows) {
        CLOISON_TRY(auto canary,
                    open_canary(parts_.keys.canaries(), static_cast<std::uint64_t>(row.integer(0)),
                                row.bytes(1)));
        canaries.push_back(std::move(canary));
    }
    return canaries;
}

Result<std::vector<Canary>> Canaries::read(std::string_view copy, std::uint64_t after,
                                           std::size_t limit) {
    if (limit < 1 || limit > kMaxPersons)
        return fail(ErrorCode::kInvalidArgument, "A call reads 1 to 1,000 canaries.");
    if (!copy.empty()) CLOISON_TRY_STATUS(check_copy(copy));
    CLOISON_TRY_STATUS(parts_.recorder.write(
        {operators_line(journal::EntryKind::kListRead, "register of canaries")}));
    std::vector<Canary> found;
    std::size_t bytes = 0;
    after = std::min(after, std::uint64_t{kMaxCanaries});  // numbers end there
    while (found.size() < limit && bytes < kMaxAnswerBytes) {
        CLOISON_TRY(auto canaries, page(after, std::min(limit, std::size_t{100})));
        if (canaries.empty()) break;
        for (auto& canary : canaries) {
            after = canary.number;
            if (!copy.empty() && canary.copy != copy) continue;
            for (const auto& value : canary.values) bytes += value.value.size();
            found.push_back(std::move(canary));
            if (found.size() == limit || bytes >= kMaxAnswerBytes) break;
        }
    }
    return found;
}

}  // namespace cloison::keeper
