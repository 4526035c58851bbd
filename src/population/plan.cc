#include "population/plan.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/seeded_random.h"

namespace cloison::population {
namespace {

constexpr Duration kMinute{60'000};
constexpr Duration kDay{24 * 60 * 60'000};

/// What becomes of a resident's request by the end, and when the resident must come for that.
struct Fate {
    std::string_view status;  ///< Empty: no request.
    int first_day = 0;
    int last_day = kPlannedDays - 2;
};
constexpr Fate kNoRequest{};
constexpr Fate kDraft{"draft"};
constexpr Fate kSubmitted{"submitted", 100};
constexpr Fate kInReview{"in_review", 85, 108};
constexpr Fate kActionRequired{"action_required", 80, 108};
constexpr Fate kApproved{"approved", 80, 108};
constexpr Fate kRefused{"refused", 0, 108};
constexpr Fate kInProduction{"in_production", 65, 98};
constexpr Fate kReady{"ready", 55, 90};
constexpr Fate kDelivered{"delivered", 0, 70};
constexpr Fate kWithdrawn{"withdrawn"};
/// All statuses stand among the first ten, so that a small population has them all.
constexpr std::array<Fate, 20> kFates{kDelivered,      kSubmitted, kInReview,  kDraft,
                                      kActionRequired, kApproved,  kRefused,   kInProduction,
                                      kReady,          kWithdrawn, kSubmitted, kDelivered,
                                      kReady,          kInReview,  kApproved,  kActionRequired,
                                      kInProduction,   kSubmitted, kDelivered, kDraft};

Fate fate_of(std::uint32_t resident) {
    if (resident % 8 == 0) return kNoRequest;
    return kFates[(resident - resident / 8 - 1) % kFates.size()];
}

/// The decisions of an officer that lead to a status, one a visit.
std::vector<std::string_view> decisions_to(std::string_view status, bool corrected) {
    static constexpr std::array<std::string_view, 4> kIssue{"approved", "in_production", "ready",
                                                            "delivered"};
    std::vector<std::string_view> decisions;
    if (corrected) decisions.emplace_back("action_required");
    const auto* end = std::find(kIssue.begin(), kIssue.end(), status);
    if (end == kIssue.end())
        decisions.push_back(status);
    else
        decisions.insert(decisions.end(), kIssue.begin(), end + 1);
    return decisions;
}

struct Visit {
    std::uint32_t resident;
    bool first;                 ///< The officer takes the case.
    bool examine;               ///< And looks at what is in it.
    std::string_view decision;  ///< Empty: none yet.
};

class Planner {
  public:
    Planner(std::uint32_t residents, std::uint64_t seed, Time end, Habits habits)
        : residents_(residents),
          habits_(habits),
          origin_(SeededRandom(seed).split("plan")),
          end_(end),
          first_(truncate(end, kDay) - (kPlannedDays - 1) * kDay),
          signed_up_(residents + 1) {
        // A larger town has its officers in on more days of the week.
        days_a_week_ = static_cast<int>(std::clamp<std::uint32_t>(residents / 4000, 1, 5));
        for (int day = 0; day < kPlannedDays; ++day) {
            SeededRandom draw = origin_.split("day").split(static_cast<std::uint64_t>(day));
            noon_[day] = minutes(draw, 660, 60);
            evening_[day] = minutes(draw, 1080, 90);
        }
    }

    std::vector<Moment> plan() {
        for (std::uint32_t resident = 1; resident <= residents_; ++resident) live(resident);
        for (std::uint32_t officer = 0; officer < kOfficerCount; ++officer) work(officer);
        for (std::uint32_t staff = 0; staff < kSupportCount; ++staff) answer_calls(staff);
        for (std::uint32_t staff = 0; staff < kProfessionalCount; ++staff) look_up(staff);
        std::vector<Moment> plan;
        for (auto& [at, steps] : moments_)
            if (at <= end_) plan.push_back({at, std::move(steps)});
        return plan;
    }

  private:
    static Duration minutes(SeededRandom& draw, std::uint64_t from, std::uint64_t span) {
        return static_cast<std::int64_t>(from + draw.uniform(span)) * kMinute;
    }
    Time on(int day, Duration since_midnight) const { return first_ + day * kDay + since_midnight; }
    void add(Time at, Step step) { moments_[at].push_back(step); }

    void live(std::uint32_t resident) {
        SeededRandom draw = origin_.split("resident").split(resident);
        const Fate fate = fate_of(resident);
        const int day =
            fate.first_day + static_cast<int>(draw.uniform(fate.last_day - fate.first_day + 1));
        const Time begin = on(day, draw.uniform(2) == 0 ? noon_[day] : evening_[day]);
        signed_up_[resident] = begin;
        add(begin, {Act::kSignUp, resident});
        if (!fate.status.empty()) apply(resident, fate, begin, draw);
        if (draw.uniform(100) < 12) come_back(resident, day, draw);
        const bool handled = !fate.status.empty() && fate.status != "draft" &&
                             fate.status != "submitted" && fate.status != "withdrawn";
        const int done = handled ? process(resident, fate, day, draw) : day;
        if (habits_ == Habits::kBusy) be_busy(resident, fate, day, done);
    }

    /// One in three is a heavy user, who comes back for months; whose request is finished may
    /// apply again.
    void be_busy(std::uint32_t resident, const Fate& fate, int day, int done) {
        SeededRandom draw = origin_.split("busy").split(resident);
        const bool heavy = draw.uniform(3) == 0;
        const bool finished =
            fate.status == "delivered" || fate.status == "refused" || fate.status == "withdrawn";
        const int again = done + 2 + static_cast<int>(draw.uniform(20));
        const bool applies_again = finished && draw.uniform(100) < (heavy ? 70 : 25);
        const int last = applies_again ? std::min(again, kPlannedDays) : kPlannedDays;
        for (int i = heavy ? 2 + static_cast<int>(draw.uniform(6)) : 0; i > 0; --i) {
            const int visit = day + 1 + static_cast<int>(draw.uniform(kPlannedDays));
            if (visit < last) add(on(visit, visit_time(draw)), {Act::kLookAgain, resident});
        }
        if (!applies_again || again >= kPlannedDays) return;
        const Time begin = on(again, visit_time(draw));
        add(begin, {Act::kLookAgain, resident});
        apply(resident, draw.uniform(3) == 0 ? kDraft : kSubmitted, begin, draw);
    }
    /// In seconds of its own, so that no two steps of one person fall together.
    static Duration visit_time(SeededRandom& draw) {
        return minutes(draw, 840, 200) + Duration(10'000);
    }

    void apply(std::uint32_t resident, const Fate& fate, Time begin, SeededRandom& draw) {
        add(begin + 15 * kMinute, {Act::kApply, resident});
        if (draw.uniform(100) < 8 && habits_ == Habits::kDemo)
            add(begin + 25 * kMinute, {Act::kAttach, resident});
        if (habits_ == Habits::kBusy) hand_in(resident, begin + 25 * kMinute);
        if (fate.status == "draft") return;
        add(begin + 35 * kMinute, {Act::kSubmit, resident});
        if (fate.status == "withdrawn") add(begin + 50 * kMinute, {Act::kWithdraw, resident});
    }

    void hand_in(std::uint32_t resident, Time at) {
        SeededRandom draw = origin_.split("files").split(resident);
        Step step{Act::kAttach, resident};
        step.full_length = true;
        step.count = static_cast<std::uint32_t>(draw.uniform(4));
        if (step.count > 0) add(at, step);
    }

    void come_back(std::uint32_t resident, int day, SeededRandom& draw) {
        const int again = day + 3 + static_cast<int>(draw.uniform(28));
        if (again < kPlannedDays)
            add(on(again, evening_[again] + 100 * kMinute), {Act::kLookAgain, resident});
    }

    /// The day of the last decision.
    int process(std::uint32_t resident, const Fate& fate, int day, SeededRandom& draw) {
        const auto officer = static_cast<std::uint32_t>(draw.uniform(kOfficerCount));
        const bool issued = fate.status != "refused" && fate.status != "in_review" &&
                            fate.status != "action_required";
        const bool corrected = issued && fate.status == "delivered" && draw.uniform(100) < 20;
        auto decisions = fate.status == "in_review" ? std::vector<std::string_view>{""}
                                                    : decisions_to(fate.status, corrected);
        for (std::size_t i = 0; i < decisions.size(); ++i) {
            day = next_day_in(officer, day);
            if (day >= kPlannedDays) return day;
            const bool examine = i == 0 || (corrected && i == 1);
            visits_[{officer, day}].push_back({resident, i == 0, examine, decisions[i]});
            if (corrected && i == 0) {
                day += 1 + static_cast<int>(draw.uniform(3));
                if (day >= kPlannedDays) return day;
                add(on(day, evening_[day] + 160 * kMinute), {Act::kCorrect, resident});
            }
        }
        return day;
    }

    bool is_in(std::uint32_t officer, int day) const {
        // 1970-01-01 was a Thursday.
        const auto since = (first_.time_since_epoch() + day * kDay) / kDay;
        const int weekday = static_cast<int>((since + 3) % 7);
        return weekday < 5 && (weekday + 5 - static_cast<int>(officer % 5)) % 5 < days_a_week_;
    }

    int next_day_in(std::uint32_t officer, int day) const {
        for (++day; day < kPlannedDays; ++day) {
            if (!is_in(officer, day)) continue;
            const auto full = visits_.find({officer, day});
            if (full == visits_.end() || full->second.size() < kCasesPerOfficerDay) return day;
        }
        return kPlannedDays;
    }

    void work(std::uint32_t officer) {
        for (int day = 0; day < kPlannedDays; ++day) {
            const auto found = visits_.find({officer, day});
            if (found == visits_.end()) continue;
            const auto count = static_cast<std::int64_t>(found->second.size());
            const Duration apart = std::clamp<std::int64_t>(400 / count, 1, 40) * kMinute;
            Time at = on(day, (7 * 60 + officer % 6 * 7) * kMinute);
            add(at, {Act::kStaffSignIn, 0, StaffRole::kOfficer, officer});
            for (const Visit& visit : found->second) {
                at += apart;
                const Step step{Act::kTakeCase, visit.resident, StaffRole::kOfficer, officer};
                if (visit.first) add(at, step);
                // In seconds of their own: the steps of one case come one after the other.
                if (visit.examine) add(at + Duration(20'000), with(step, Act::kExamineCase));
                if (!visit.decision.empty())
                    add(at + Duration(40'000), with(step, Act::kDecideCase, visit.decision));
            }
        }
    }

    static Step with(Step step, Act act, std::string_view status = "") {
        step.act = act;
        step.status = status;
        return step;
    }

    void answer_calls(std::uint32_t staff) {
        SeededRandom draw = origin_.split("support").split(staff);
        for (int day = 4 + static_cast<int>(staff); day < kPlannedDays; day += 7)
            shift(draw, StaffRole::kSupport, staff, Act::kSupportCall, on(day, 9 * 60 * kMinute));
    }

    void look_up(std::uint32_t staff) {
        SeededRandom draw = origin_.split("professional").split(staff);
        for (int day = 5 + static_cast<int>(staff); day < kPlannedDays; day += 12)
            shift(draw, StaffRole::kProfessional, staff, Act::kPartnerLookUp,
                  on(day, 14 * 60 * kMinute));
    }

    void shift(SeededRandom& draw, StaffRole role, std::uint32_t staff, Act act, Time begin) {
        begin += static_cast<std::int64_t>(staff) * 3 * kMinute;
        std::vector<std::uint32_t> known;
        for (std::uint32_t resident = 1; resident <= residents_ && resident <= 5000; ++resident)
            if (signed_up_[resident] < begin) known.push_back(resident);
        if (known.empty()) return;
        add(begin, {Act::kStaffSignIn, 0, role, staff});
        const auto count = 2 + draw.uniform(4);
        for (std::uint64_t i = 1; i <= count; ++i) {
            const auto resident = known[draw.uniform(known.size())];
            add(begin + static_cast<std::int64_t>(i) * 13 * kMinute, {act, resident, role, staff});
        }
    }

    const std::uint32_t residents_;
    const Habits habits_;
    const SeededRandom origin_;
    const Time end_;
    const Time first_;
    int days_a_week_ = 1;
    std::array<Duration, kPlannedDays> noon_{};
    std::array<Duration, kPlannedDays> evening_{};
    std::vector<Time> signed_up_;
    std::map<std::pair<std::uint32_t, int>, std::vector<Visit>> visits_;
    std::map<Time, std::vector<Step>> moments_;
};

}  // namespace

std::vector<Moment> make_plan(std::uint32_t residents, std::uint64_t seed, Time end,
                              Habits habits) {
    return Planner(residents, seed, end, habits).plan();
}

}  // namespace cloison::population
