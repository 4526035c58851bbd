#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/password.h"
#include "population/plan.h"

namespace cloison::population {

/// How far it is; `done` of `total` residents in the stage that walks through the months.
struct Progress {
    std::string stage;  ///< "staff", "residents"
    std::uint32_t done = 0;
    std::uint32_t total = 0;
};

struct Options {
    // Directories as `cloison init` made them, without a service running on them.
    Path keeper;
    Path identity;
    Path casework;
    Path documents;
    Path trust;
    Path demo_file;  ///< Where to write docs/formats/demo.md.

    Path registry_file;
    Path request_types;
    Path names_file;  ///< docs/formats/demo.md, "names.json"
    std::string journal_origin = "localhost/keeper";

    std::uint32_t residents = 2000;  ///< 1 to kMaxResidents.
    std::uint64_t seed = 1;
    Habits habits = Habits::kDemo;
    Time now;  ///< The history ends shortly before.
    crypto::PasswordCost password_cost;
    unsigned threads = 0;                              ///< 0: two for each processor.
    std::function<void(const Progress&)> on_progress;  ///< One thread at a time.
    std::function<bool()> stopped;                     ///< Asked often; any thread.
};
inline constexpr std::uint32_t kMaxResidents = 1'000'000;

struct Summary {
    std::uint32_t residents = 0;
    std::uint32_t staff = 0;
    std::uint32_t documents = 0;
    std::uint32_t messages = 0;
    std::map<std::string, std::uint32_t> requests;  ///< By status.
    std::uint64_t journal_entries = 0;
};

/// Runs the real keeper, identity, casework and documents in this process, on a clock that walks
/// from four months ago to the present, and has invented people use them: sign up, apply, write,
/// look at their data; officers, support and professionals do their work. Everything is sealed,
/// budgeted and journaled as in real use.
///
/// kConflict if somebody has an account already; kUnavailable if `stopped` said so, and then, as
/// after any other error, what was written so far is complete in itself but no demo: begin again
/// with new directories.
Result<Summary> populate(const Options& options, FileSystem& files, Random& random);

}  // namespace cloison::population
