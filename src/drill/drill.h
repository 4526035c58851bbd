#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"

namespace cloison::drill {

/// One route of a door, as its router lists it.
struct Route {
    std::string method;
    std::string pattern;  ///< "/requests/{request}"
    std::string access;   ///< public, signed_in, resident, professional, officer …
};

struct Options {
    std::string portal;  ///< http://127.0.0.1:8080
    std::string desk;
    std::vector<Route> portal_routes;
    std::vector<Route> desk_routes;

    Path demo_file;  ///< As the population wrote it.
    Path names_file;
    Path registry_file;
    // Of the running services; stolen_database copies and reads them, the others do not look.
    Path keeper;
    Path identity;
    Path casework;
    Path documents;
    Path desk_store;  ///< Of the desk's incidents; may be missing, where no desk ever ran.

    /// The field that a label on a page stands for, of every request type and in every language.
    std::map<std::string, std::string> field_labels;

    std::function<void(const std::string&)> on_note;  ///< What it does now.
};

/// One line of a report's table.
struct Line {
    std::string what;
    std::string value;
};

struct Report {
    std::string drill;
    /// The desk's answer is exact, or nothing was had where nothing must be had.
    bool ok = false;
    /// Distinct (person, field) pairs that the drill got hold of.
    std::uint64_t persons = 0;
    std::map<std::string, std::uint64_t> persons_by_field;
    std::uint64_t disclosed = 0;
    double precision = 1;  ///< Of the pairs that the desk named, those that were really had.
    double recall = 1;     ///< Of the pairs that were had, those that the desk named.
    double seconds_to_answer = 0;     ///< From asking the desk to its complete answer.
    std::vector<Line> figures;        ///< What else this drill measured.
    std::vector<std::string> faults;  ///< Why not ok; at most kMaxFaults.

    std::string text() const;
    std::string json() const;
};
inline constexpr std::size_t kMaxFaults = 20;

/// Each rehearses one leak against running services, as an attacker would, through their real
/// doors; keeps its own record of every value that it got hold of; then asks the desk, as the
/// data-protection officer, and compares. An error means that the drill could not be carried out.
///
/// A stolen officer's account reads cases until the budget stops it.
Result<Report> stolen_officer(const Options& options, FileSystem& files, Clock& clock);
/// A professional's account enumerates residents by addresses known from elsewhere.
Result<Report> partner(const Options& options, FileSystem& files, Clock& clock);
/// A resident's session asks for another's objects on every route of the portal, and an officer
/// for cases of others on every route of the desk.
Result<Report> idor(const Options& options, FileSystem& files, Clock& clock, Random& random);
/// Each store alone is searched for readable values and for links to the others.
Result<Report> stolen_database(const Options& options, FileSystem& files);

}  // namespace cloison::drill
