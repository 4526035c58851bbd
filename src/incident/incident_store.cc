#include "incident/incident_store.h"

#include <algorithm>

#include "incident/incident_schema.h"
#include "net/http.h"

namespace cloison::incident {
namespace {

using storage::blob;
using storage::Row;
using storage::Rows;
using storage::Transaction;
using storage::Value;

constexpr std::string_view kIncidentColumns =
    "SELECT i.incident, i.title, i.opened_ms, i.opened_by, i.notified_ms, i.notified_reference, "
    "i.closed_ms, (SELECT MIN(a.at_ms) FROM awareness a WHERE a.incident = i.incident) "
    "FROM incidents i ";

Status check_text(std::string_view text, std::size_t most, std::string_view what) {
    const bool is_blank = std::all_of(text.begin(), text.end(), [](char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    });
    if (is_blank) return fail(ErrorCode::kInvalidArgument, std::string(what) + " is empty.");
    const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    });
    if (static_cast<std::size_t>(characters) > most || !net::is_valid_utf8(text))
        return fail(ErrorCode::kInvalidArgument, std::string(what) + " must be text of at most " +
                                                     std::to_string(most) + " characters.");
    return {};
}

template <class Tag>
Id<Tag> read_id(const Row& row, std::size_t column) {
    return Id<Tag>::from_bytes(row.bytes(column)).value_or(Id<Tag>());
}
Time read_time(const Row& row, std::size_t column) {
    return from_unix_ms(row.integer(column));
}
std::optional<Time> read_optional_time(const Row& row, std::size_t column) {
    if (row.is_null(column)) return std::nullopt;
    return read_time(row, column);
}
crypto::Hash read_hash(const Row& row, std::size_t column) {
    crypto::Hash hash{};
    const Bytes& bytes = row.bytes(column);
    std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
    return hash;
}
std::uint64_t read_count(const Row& row, std::size_t column) {
    return static_cast<std::uint64_t>(row.integer(column));
}
Value count(std::uint64_t number) {
    return static_cast<std::int64_t>(number);
}
Value text(std::string_view value) {
    return std::string(value);
}

IncidentSummary read_summary(const Row& row) {
    IncidentSummary summary;
    summary.incident = read_id<IncidentTag>(row, 0);
    summary.title = row.text(1);
    summary.opened = read_time(row, 2);
    summary.opened_by = read_id<ActorTag>(row, 3);
    summary.notified = read_optional_time(row, 4);
    if (!row.is_null(5)) summary.notified_reference = row.text(5);
    summary.closed = read_optional_time(row, 6);
    summary.aware = read_optional_time(row, 7);
    return summary;
}

Export read_export(const Row& row) {
    Export found;
    found.approval = read_id<ApprovalTag>(row, 0);
    found.incident = read_id<IncidentTag>(row, 1);
    found.query = row.text(2);
    found.list = read_hash(row, 3);
    found.persons = read_count(row, 4);
    found.asked_by = read_id<ActorTag>(row, 5);
    found.asked = read_time(row, 6);
    return found;
}
constexpr std::string_view kExportColumns =
    "SELECT approval, incident, query, list, persons, asked_by, asked_ms FROM exports ";

Status read_downloads(Transaction& transaction, Export& of) {
    CLOISON_TRY(const Rows rows,
                transaction.query("SELECT persons, format, downloaded_by, downloaded_ms FROM "
                                  "downloads WHERE approval = $1 ORDER BY sequence LIMIT 500",
                                  {blob(of.approval.view())}));
    for (const Row& row : rows)
        of.downloads.push_back(
            {read_count(row, 0), row.text(1), read_id<ActorTag>(row, 2), read_time(row, 3)});
    return {};
}

Status read_lists(Transaction& transaction, Incident& incident) {
    const std::vector<Value> key = {blob(incident.incident.view())};
    CLOISON_TRY(const Rows awareness,
                transaction.query("SELECT at_ms, source, entered_by, entered_ms FROM awareness "
                                  "WHERE incident = $1 ORDER BY at_ms, entered_ms LIMIT 500",
                                  key));
    for (const Row& row : awareness)
        incident.awareness.push_back(
            {read_time(row, 0), row.text(1), read_id<ActorTag>(row, 2), read_time(row, 3)});
    CLOISON_TRY(const Rows notes,
                transaction.query("SELECT text, written_by, written_ms FROM notes WHERE "
                                  "incident = $1 ORDER BY sequence LIMIT 500",
                                  key));
    for (const Row& row : notes)
        incident.notes.push_back({row.text(0), read_id<ActorTag>(row, 1), read_time(row, 2)});
    CLOISON_TRY(const Rows scopes,
                transaction.query("SELECT query, persons, lines, covered_size, covered_root, "
                                  "saved_by, saved_ms FROM scopes WHERE incident = $1 ORDER BY "
                                  "saved_ms DESC, scope LIMIT 500",
                                  key));
    for (const Row& row : scopes)
        incident.scopes.push_back({row.text(0), read_count(row, 1), read_count(row, 2),
                                   read_count(row, 3), read_hash(row, 4), read_id<ActorTag>(row, 5),
                                   read_time(row, 6)});
    CLOISON_TRY(const Rows exports,
                transaction.query(std::string(kExportColumns) +
                                      "WHERE incident = $1 ORDER BY asked_ms DESC, approval "
                                      "LIMIT 500",
                                  key));
    for (const Row& row : exports) {
        incident.exports.push_back(read_export(row));
        CLOISON_TRY_STATUS(read_downloads(transaction, incident.exports.back()));
    }
    return {};
}

Result<Incident> read_incident(Transaction& transaction, IncidentId id) {
    auto row = transaction.query_one(std::string(kIncidentColumns) + "WHERE i.incident = $1",
                                     {blob(id.view())});
    if (!row && row.error().code == ErrorCode::kNotFound)
        return fail(ErrorCode::kNotFound, "No such incident.");
    if (!row) return fail(row.error());
    Incident incident;
    static_cast<IncidentSummary&>(incident) = read_summary(*row);
    return incident;
}

/// The lists are read back with this bound, so that nothing is stored that would not be shown.
Status check_room(Transaction& transaction, std::string_view table, IncidentId incident) {
    CLOISON_TRY(const Row row, transaction.query_one("SELECT COUNT(*) FROM " + std::string(table) +
                                                         " WHERE incident = $1",
                                                     {blob(incident.view())}));
    if (row.integer(0) >= static_cast<std::int64_t>(kMaxListed))
        return fail(ErrorCode::kTooLarge, "An incident has at most " + std::to_string(kMaxListed) +
                                              " entries in each of its lists.");
    return {};
}

}  // namespace

Result<std::unique_ptr<storage::Database>> open_incident_database(const Path& path) {
    return storage::open_sqlite(path, incident_schema());
}

/// Runs `work` if the incident exists and is open.
Status IncidentStore::change(IncidentId incident, const storage::Database::Work& work) {
    return database_.write([&](Transaction& transaction) -> Status {
        CLOISON_TRY(const Incident found, read_incident(transaction, incident));
        if (!found.is_open()) return fail(ErrorCode::kConflict, "The incident is closed.");
        return work(transaction);
    });
}

Result<IncidentId> IncidentStore::open(std::string_view title, ActorId by) {
    CLOISON_TRY_STATUS(check_text(title, kMaxTitle, "The title"));
    const auto incident = IncidentId::random(random_);
    const Time now = clock_.now();
    return database_.write_result<IncidentId>([&](Transaction& transaction) -> Result<IncidentId> {
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO incidents (incident, title, opened_ms, opened_by) VALUES ($1, $2, $3, $4)",
            {blob(incident.view()), text(title), to_unix_ms(now), blob(by.view())}));
        return incident;
    });
}

Result<std::vector<IncidentSummary>> IncidentStore::list() const {
    return database_.read_result<std::vector<IncidentSummary>>(
        [](Transaction& transaction) -> Result<std::vector<IncidentSummary>> {
            CLOISON_TRY(const Rows rows,
                        transaction.query(std::string(kIncidentColumns) +
                                              "ORDER BY i.opened_ms DESC, i.incident LIMIT 500",
                                          {}));
            std::vector<IncidentSummary> found;
            for (const Row& row : rows) found.push_back(read_summary(row));
            return found;
        });
}

Result<Incident> IncidentStore::get(IncidentId incident) const {
    return database_.read_result<Incident>([&](Transaction& transaction) -> Result<Incident> {
        CLOISON_TRY(Incident found, read_incident(transaction, incident));
        CLOISON_TRY_STATUS(read_lists(transaction, found));
        return found;
    });
}

Status IncidentStore::add_awareness(IncidentId incident, Time at, std::string_view source,
                                    ActorId by) {
    CLOISON_TRY_STATUS(check_text(source, kMaxTitle, "The source"));
    const Time now = clock_.now();
    if (at > now)
        return fail(ErrorCode::kInvalidArgument, "The time of awareness is in the future.");
    const auto id = Id<struct AwarenessTag>::random(random_);
    return change(incident, [&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(check_room(transaction, "awareness", incident));
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO awareness (awareness, incident, at_ms, source, entered_by, entered_ms) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            {blob(id.view()), blob(incident.view()), to_unix_ms(at), text(source), blob(by.view()),
             to_unix_ms(now)}));
        return {};
    });
}

Status IncidentStore::add_note(IncidentId incident, std::string_view note, ActorId by) {
    CLOISON_TRY_STATUS(check_text(note, kMaxNote, "The note"));
    const Time now = clock_.now();
    return change(incident, [&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(check_room(transaction, "notes", incident));
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO notes (incident, sequence, text, written_by, written_ms) VALUES ($1, "
            "(SELECT COUNT(*) FROM notes WHERE incident = $1), $2, $3, $4)",
            {blob(incident.view()), text(note), blob(by.view()), to_unix_ms(now)}));
        return {};
    });
}

Status IncidentStore::set_notified(IncidentId incident, Time at, std::string_view reference) {
    CLOISON_TRY_STATUS(check_text(reference, kMaxTitle, "The reference"));
    if (at > clock_.now())
        return fail(ErrorCode::kInvalidArgument, "The time of notification is in the future.");
    return change(incident, [&](Transaction& transaction) -> Status {
        CLOISON_TRY(const auto changed,
                    transaction.execute("UPDATE incidents SET notified_ms = $2, "
                                        "notified_reference = $3 WHERE incident = $1 AND "
                                        "notified_ms IS NULL",
                                        {blob(incident.view()), to_unix_ms(at), text(reference)}));
        if (changed != 1)
            return fail(ErrorCode::kConflict, "The notification is recorded already.");
        return {};
    });
}

Status IncidentStore::close(IncidentId incident, ActorId by) {
    const Time now = clock_.now();
    return change(incident, [&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute(
            "UPDATE incidents SET closed_ms = $2, closed_by = $3 WHERE incident = $1",
            {blob(incident.view()), to_unix_ms(now), blob(by.view())}));
        return {};
    });
}

Status IncidentStore::save_scope(IncidentId incident, const SavedScope& scope) {
    const auto id = Id<struct ScopeTag>::random(random_);
    const Time now = clock_.now();
    return change(incident, [&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(check_room(transaction, "scopes", incident));
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO scopes (scope, incident, query, persons, lines, covered_size, "
            "covered_root, saved_by, saved_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            {blob(id.view()), blob(incident.view()), scope.query, count(scope.persons),
             count(scope.lines), count(scope.covered_size), blob(scope.covered_root),
             blob(scope.by.view()), to_unix_ms(now)}));
        return {};
    });
}

Status IncidentStore::add_export(const Export& request) {
    const Time now = clock_.now();
    return change(request.incident, [&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(check_room(transaction, "exports", request.incident));
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO exports (approval, incident, query, list, persons, asked_by, asked_ms) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            {blob(request.approval.view()), blob(request.incident.view()), request.query,
             blob(request.list), count(request.persons), blob(request.asked_by.view()),
             to_unix_ms(now)}));
        return {};
    });
}

Result<Export> IncidentStore::get_export(ApprovalId approval) const {
    return database_.read_result<Export>([&](Transaction& transaction) -> Result<Export> {
        auto row = transaction.query_one(std::string(kExportColumns) + "WHERE approval = $1",
                                         {blob(approval.view())});
        if (!row && row.error().code == ErrorCode::kNotFound)
            return fail(ErrorCode::kNotFound, "No such export.");
        if (!row) return fail(row.error());
        Export found = read_export(*row);
        CLOISON_TRY_STATUS(read_downloads(transaction, found));
        return found;
    });
}

Status IncidentStore::add_download(ApprovalId approval, std::uint64_t persons,
                                   std::string_view format, ActorId by) {
    const Time now = clock_.now();
    return database_.write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO downloads (approval, sequence, persons, format, downloaded_by, "
            "downloaded_ms) VALUES ($1, (SELECT COUNT(*) FROM downloads WHERE approval = $1), $2, "
            "$3, $4, $5)",
            {blob(approval.view()), count(persons), text(format), blob(by.view()),
             to_unix_ms(now)}));
        return {};
    });
}

Result<std::optional<Coverage>> IncidentStore::covered(std::string_view origin) const {
    return database_.read_result<std::optional<Coverage>>(
        [&](Transaction& transaction) -> Result<std::optional<Coverage>> {
            CLOISON_TRY(const Rows rows,
                        transaction.query("SELECT size, root FROM covered WHERE origin = $1",
                                          {text(origin)}));
            if (rows.empty()) return std::optional<Coverage>();
            return std::optional<Coverage>({read_count(rows[0], 0), read_hash(rows[0], 1), ""});
        });
}

Status IncidentStore::set_covered(std::string_view origin, const Coverage& covered) {
    return database_.write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO covered (origin, size, root) VALUES ($1, $2, $3) ON CONFLICT (origin) DO "
            "UPDATE SET size = excluded.size, root = excluded.root WHERE excluded.size > "
            "covered.size",
            {text(origin), count(covered.size), blob(covered.root)}));
        return {};
    });
}

}  // namespace cloison::incident
