#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drill/browser.h"
#include "drill/record.h"

namespace cloison::drill {

/// What the desk is asked: who, in which session, since when.
struct Question {
    std::string title;       ///< Of the incident.
    std::string actor_name;  ///< As the desk shows it; empty: not narrowed.
    std::string session;     ///< Hexadecimal; empty: not narrowed.
    bool include_self = false;
    Time from;
    Time to;
};

struct DeskAnswer {
    std::string incident;
    std::string approval;  ///< Of the export.
    std::uint64_t persons = 0;
    std::uint64_t lines = 0;
    std::uint64_t refused = 0;
    std::uint64_t sessions = 0;
    std::map<std::string, std::uint64_t> persons_by_field;
    double seconds = 0;       ///< From asking to the scope.
    Record list;              ///< The persons of the list that was exported.
    double list_seconds = 0;  ///< From asking for the list to holding it, with the approval.
};

/// Two data-protection officers at the desk: one asks, the other approves the list of persons.
/// Signs in with the first use of each.
class Dpos {
  public:
    Dpos(const Options& options, const demo::Accounts& accounts, Clock& clock)
        : options_(options), accounts_(accounts), clock_(clock) {}

    Result<DeskAnswer> ask(const Question& question);
    Result<Browser*> first() { return browser(0); }
    /// The actor's id as the desk's form offers it; kNotFound if nobody has the name.
    Result<std::string> actor_of(const std::string& incident, const std::string& name);
    Result<std::string> open_incident(const std::string& title);

  private:
    Result<Browser*> browser(std::size_t which);
    Status ask_scope(const std::string& query, DeskAnswer& answer);
    Status export_list(const std::string& query, DeskAnswer& answer);
    Status approve(const std::string& approval);

    const Options& options_;
    const demo::Accounts& accounts_;
    Clock& clock_;
    std::optional<std::size_t> start_;
    std::vector<std::pair<std::size_t, Browser>> browsers_;
};

/// Faults wherever the desk's counts differ from what was had.
void judge_counts(Report& report, const Record& had, const DeskAnswer& answer);

}  // namespace cloison::drill
