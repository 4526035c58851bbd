#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "casework/request_type.h"
#include "demo/accounts.h"
#include "demo/people.h"
#include "population/calls.h"
#include "population/plan.h"

namespace cloison::population {

/// Carries out the plan's steps, one call each. Steps of one moment may run on several threads;
/// the moments come one after the other.
class Life {
  public:
    Life(const House& house, const demo::People& people, std::uint64_t seed,
         std::uint32_t residents, Clock& clock, Random& random);

    /// Makes the accounts of one member of staff. `number` from 0 to staff_count() - 1.
    Status hire(std::uint32_t number);
    static std::uint32_t staff_count();
    /// Asks the keeper for the persons that the next sign-ups need.
    Status prepare(const Moment& moment);
    Status run(const Step& step);

    /// Staff and professionals, in the order of hire.
    const std::vector<demo::Account>& staff() const { return staff_; }
    std::uint32_t documents() const { return documents_; }
    std::uint32_t messages() const { return messages_; }
    /// By status, of all residents' requests.
    std::map<std::string, std::uint32_t> count_requests() const;

  private:
    struct Household {
        std::string token;
        std::string enrolment;
        std::string request;  ///< Of casework; empty: none.
        std::string status;
        std::vector<std::string> earlier;  ///< Statuses of requests before that one.
    };
    struct Case {
        casework::v1::Request request;
        std::string ticket;
    };

    Visitor resident_at_portal(const demo::Resident& resident) const;
    Visitor staff_at_door(const Step& step) const;
    std::size_t staff_index(StaffRole role, std::uint32_t staff) const;

    // residents.cc
    Status sign_up(const demo::Resident& resident);
    Status save_profile(const demo::Resident& resident);
    Status apply(const demo::Resident& resident);
    /// `number`: which of their files.
    Status attach(const demo::Resident& resident, std::uint32_t number, bool full_length);
    Status submit(const demo::Resident& resident);
    Status withdraw(const demo::Resident& resident);
    Status look_again(const demo::Resident& resident);
    Status correct(const demo::Resident& resident);
    Status return_to_portal(const demo::Resident& resident);
    Status read_own_profile(const Visitor& visitor);
    Result<Case> own_request(const Visitor& visitor, const std::string& request);
    Status read_own_request(const Visitor& visitor, const Case& own);
    Status write_as_resident(const Visitor& visitor, const Case& own, std::string_view text);

    // staff.cc
    Status staff_sign_in(const Step& step);
    Status take_case(const Step& step);
    Status examine_case(const Step& step);
    Status decide_case(const Step& step);
    Status read_profile_by_email(const Step& step, std::string_view purpose,
                                 std::string_view reason, std::vector<std::string> fields);
    Result<Case> case_in_hand(const Visitor& visitor, const Household& home);
    Status reveal(const Visitor& visitor, const Case& open, std::string_view reason,
                  const std::vector<std::string>& fields);
    Status read_documents(const Visitor& visitor, const Case& open);

    const House& house_;
    const demo::People& people_;
    const SeededRandom origin_;
    Clock& clock_;
    Random& random_;
    std::vector<Household> homes_;  ///< By number of the resident; 0 is nobody.
    std::vector<demo::Account> staff_;
    std::vector<std::string> staff_tokens_;
    std::atomic<std::uint32_t> documents_{0};
    std::atomic<std::uint32_t> messages_{0};
};

}  // namespace cloison::population
