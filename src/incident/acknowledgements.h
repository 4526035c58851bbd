#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "storage/database.h"

namespace cloison::incident {

struct Acknowledgement {
    ActorId by;
    Time at;
};

/// Which alarms of a journal somebody has said to have seen, in the desk's own database
/// (docs/formats/desk-store.md). The first word on an alarm stands. Safe from any thread.
class Acknowledgements {
  public:
    static constexpr std::size_t kMaxEntries = 200;  ///< In one call: kInvalidArgument beyond.

    /// `database` is one of open_incident_database and must outlive it, as `clock` must.
    Acknowledgements(storage::Database& database, const Clock& clock)
        : database_(database), clock_(clock) {}

    /// `entries` are indexes in the journal that is kept under `origin`.
    Status add(std::string_view origin, const std::vector<std::uint64_t>& entries, ActorId by);
    /// Those of `entries` that are acknowledged.
    Result<std::map<std::uint64_t, Acknowledgement>> find(
        std::string_view origin, const std::vector<std::uint64_t>& entries) const;
    Result<std::uint64_t> count(std::string_view origin) const;

  private:
    storage::Database& database_;
    const Clock& clock_;
};

}  // namespace cloison::incident
