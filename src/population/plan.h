#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace cloison::population {

/// How many of each role have accounts.
inline constexpr std::uint32_t kOfficerCount = 12;
inline constexpr std::uint32_t kSupportCount = 2;
inline constexpr std::uint32_t kDpoCount =
    6;  ///< Approval takes two, and a one-time code is good once.
inline constexpr std::uint32_t kAdministratorCount = 1;
inline constexpr std::uint32_t kProfessionalCount = 6;

inline constexpr int kPlannedDays = 120;
/// Of one officer on one day; below the budget of the purpose, so that no plan is refused.
inline constexpr std::uint32_t kCasesPerOfficerDay = 150;

/// What one person does at one moment.
enum class Act {
    kSignUp,        ///< Resident: account and profile.
    kApply,         ///< Resident: a request, all values saved, then read back to check them.
    kAttach,        ///< Resident: a supporting document.
    kSubmit,        ///< Resident.
    kWithdraw,      ///< Resident.
    kLookAgain,     ///< Resident: signs in, reads their own request or profile, may write.
    kCorrect,       ///< Resident: signs in, reads what to correct, submits again.
    kStaffSignIn,   ///< Officer, support, professional.
    kTakeCase,      ///< Officer.
    kExamineCase,   ///< Officer: reveals values, reads documents.
    kDecideCase,    ///< Officer: to `status`.
    kSupportCall,   ///< Support: reads a caller's profile.
    kPartnerLookUp  ///< Professional: reads a customer's profile.
};

/// How much the residents do. The busy ones hand in several files each, come back often and apply
/// again: what two stores have in common shows best there.
enum class Habits { kDemo, kBusy };

enum class StaffRole : std::uint8_t { kNone, kOfficer, kSupport, kProfessional };

struct Step {
    Act act;
    std::uint32_t resident = 0;  ///< From 1; 0: none is concerned.
    StaffRole role = StaffRole::kNone;
    std::uint32_t staff = 0;    ///< From 0, within the role.
    std::string_view status{};  ///< kDecideCase.
    std::uint32_t count = 1;    ///< kAttach: files,
    bool full_length = false;   ///< as long as real ones.
};

/// Steps that happen at one time of the simulated clock: no two of them are of the same person or
/// about the same case, so they may run side by side.
struct Moment {
    Time at;
    std::vector<Step> steps;
};

/// The history as a pure function of number of residents, seed and end: kPlannedDays days, in
/// order, nothing after `end`. Every status of a request occurs from 20 residents on.
std::vector<Moment> make_plan(std::uint32_t residents, std::uint64_t seed, Time end,
                              Habits habits = Habits::kDemo);

}  // namespace cloison::population
