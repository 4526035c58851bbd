#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

/// Every bound that identity keeps. docs/formats/identity-store.md says what happens at each.
namespace cloison::identity {

inline constexpr Duration kMinute{60'000};
inline constexpr Duration kHour = 60 * kMinute;
inline constexpr Duration kDay = 24 * kHour;
/// What lasting rows are dated to: coarse, so that their times do not betray which rows of another
/// compartment are the same person's.
inline constexpr Duration kPeriod = 30 * kDay;

inline constexpr std::size_t kBlindIndexSize = 32;
inline constexpr std::size_t kMinPasswordCharacters = 15;
inline constexpr std::size_t kMaxPasswordCharacters = 256;
inline constexpr std::size_t kMaxPasswordBytes = 4 * kMaxPasswordCharacters;
inline constexpr std::size_t kMaxSealedValue = 589;  ///< That of a value of 511 bytes.
inline constexpr std::size_t kMaxStaffText = 200;
inline constexpr std::size_t kMaxOrigin = 64;
inline constexpr std::size_t kMaxUserAgent = 512;
inline constexpr std::size_t kMaxGrantText = 8192;  ///< A grant or ticket shown to identity.

inline constexpr Duration kSignUpLifetime = kDay;
inline constexpr int kMaxSignUpTries = 5;
inline constexpr int kMaxSignUpsPerEmail = 5;  ///< Unfinished ones, in a day.
inline constexpr int kMaxSignUps = 100'000;

/// CNIL 2022-100: more than a minute's wait after five failures, at most 25 failures a day.
inline constexpr int kFreeTries = 5;
inline constexpr Duration kFirstWait = kMinute;
inline constexpr std::size_t kMaxFailuresPerDay = 25;
inline constexpr int kMaxUnknownSubjects = 100'000;

inline constexpr std::size_t kTotpSecretSize = 20;
inline constexpr int kTotpDigits = 6;
inline constexpr int kTotpStepSeconds = 30;
inline constexpr Duration kTotpPendingLifetime = 5 * kMinute;
inline constexpr int kMaxTotpTries = 5;
inline constexpr int kMaxTotpPending = 5;  ///< For one account at once.

inline constexpr Duration kSessionTimeUnit = 5 * kMinute;
inline constexpr Duration kSessionIdle = kHour;
inline constexpr Duration kResidentSession = 12 * kHour;
inline constexpr Duration kStaffSession = 10 * kHour;
inline constexpr int kMaxSessions = 20;  ///< For one account at once.

inline constexpr int kMaxTraces = 200;
inline constexpr std::uint32_t kTraceSchemaVersion = 1;
inline constexpr std::size_t kMaxQueuedTraces = 1024;
inline constexpr std::uint32_t kMaxTracesListed = 100;

inline constexpr Duration kGrantLifetime = 5 * kMinute;
/// Much longer than a grant lives, also by a clock that is wrong.
inline constexpr Duration kRevocationKept = kHour;
inline constexpr int kMaxHandles = 1000;
inline constexpr int kMaxActors = 1000;
inline constexpr int kMaxStaff = 8000;  ///< Fits one answer of ListStaff.

inline constexpr Duration kApprovalLifetime = kHour;
inline constexpr Duration kApprovalKept = 30 * kDay;
inline constexpr std::size_t kApprovalDigestSize = 32;
inline constexpr std::size_t kMaxApprovalSummary = 500;
inline constexpr int kMaxWaitingApprovals = 20;  ///< Of one requester.
inline constexpr int kMaxApprovalsListed = 100;

}  // namespace cloison::identity
