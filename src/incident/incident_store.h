#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "incident/scope.h"
#include "storage/database.h"

namespace cloison::incident {

using ApprovalId = Id<struct ApprovalTag>;  ///< identity's name of an approval.

/// A moment at which the controller may have become aware; an incident has several candidates,
/// since which one counts is often disputed.
struct Awareness {
    Time at;
    std::string source;  ///< Who or what said so.
    ActorId entered_by;
    Time entered;
};

struct Note {
    std::string text;
    ActorId by;
    Time at;
};

/// A scope as it was answered at the time.
struct SavedScope {
    std::string query;  ///< format_scope_query
    std::uint64_t persons = 0;
    std::uint64_t lines = 0;
    std::uint64_t covered_size = 0;
    crypto::Hash covered_root{};
    ActorId by;
    Time at;
};

struct Download {
    std::uint64_t persons = 0;
    std::string format;  ///< csv or json
    ActorId by;
    Time at;
};
/// A request for the list of persons of a scope, and what became of it.
struct Export {
    ApprovalId approval;
    IncidentId incident;
    std::string query;          ///< With up_to: what was approved cannot grow.
    crypto::Hash list{};        ///< Digest of its persons, keeper/client/person_list.h.
    std::uint64_t persons = 0;  ///< When asked.
    ActorId asked_by;
    Time asked;
    std::vector<Download> downloads;
};

struct IncidentSummary {
    IncidentId incident;
    std::string title;
    Time opened;
    ActorId opened_by;
    std::optional<Time> aware;     ///< The earliest candidate: the one the law's clock is held to.
    std::optional<Time> notified;  ///< The supervisory authority was told.
    std::string notified_reference;
    std::optional<Time> closed;
    bool is_open() const { return !closed; }
    /// When the clock stands still: told, or closed without telling.
    std::optional<Time> stopped() const { return notified ? notified : closed; }
};
struct Incident : IncidentSummary {
    std::vector<Awareness> awareness;  ///< Earliest first.
    std::vector<Note> notes;           ///< Append-only, oldest first.
    std::vector<SavedScope> scopes;    ///< Newest first.
    std::vector<Export> exports;       ///< Newest first.
};

inline constexpr std::size_t kMaxTitle = 200;   ///< Characters; the same bound for a source.
inline constexpr std::size_t kMaxNote = 4'000;  ///< Characters.
inline constexpr std::size_t kMaxListed = 500;  ///< Incidents, and entries of one list.

/// Opens or creates the database that an IncidentStore keeps its tables in.
Result<std::unique_ptr<storage::Database>> open_incident_database(const Path& path);

/// Incidents in the desk's own database. Holds nothing personal of residents: actors by id, persons
/// by number. Texts are valid UTF-8 within the bounds and not blank (kInvalidArgument); an unknown
/// incident is kNotFound; changing a closed one is kConflict. Safe from any thread.
class IncidentStore {
  public:
    /// `database` is one of open_incident_database and must outlive the store, as `clock` and
    /// `random` must.
    IncidentStore(storage::Database& database, Clock& clock, Random& random)
        : database_(database), clock_(clock), random_(random) {}

    Result<IncidentId> open(std::string_view title, ActorId by);
    Result<std::vector<IncidentSummary>> list() const;  ///< Newest first.
    Result<Incident> get(IncidentId incident) const;
    /// kInvalidArgument for a time in the future.
    Status add_awareness(IncidentId incident, Time at, std::string_view source, ActorId by);
    Status add_note(IncidentId incident, std::string_view text, ActorId by);
    /// Stops the clock; once (kConflict).
    Status set_notified(IncidentId incident, Time at, std::string_view reference);
    Status close(IncidentId incident, ActorId by);
    Status save_scope(IncidentId incident, const SavedScope& scope);

    /// `request` names its approval, incident, query, list, persons and who asked.
    Status add_export(const Export& request);
    Result<Export> get_export(ApprovalId approval) const;
    Status add_download(ApprovalId approval, std::uint64_t persons, std::string_view format,
                        ActorId by);

    /// What of a journal was covered last, by the journal's name: outlives a restart, so that a
    /// journal that was cut meanwhile is noticed.
    Result<std::optional<Coverage>> covered(std::string_view origin) const;
    Status set_covered(std::string_view origin, const Coverage& covered);

  private:
    Status change(IncidentId incident, const storage::Database::Work& work);

    storage::Database& database_;
    Clock& clock_;
    Random& random_;
};

}  // namespace cloison::incident
