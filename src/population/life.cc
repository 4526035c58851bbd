#include "population/life.h"

#include <algorithm>
#include <array>

namespace cloison::population {
namespace {

struct Post {
    std::string_view role;
    StaffRole kind;
    std::uint32_t count;
    std::string_view unit;
};
constexpr std::array<Post, 5> kPosts{{
    {"officer", StaffRole::kOfficer, kOfficerCount, "Centre d’expertise des titres"},
    {"support", StaffRole::kSupport, kSupportCount, "Assistance aux usagers"},
    {"professional", StaffRole::kProfessional, kProfessionalCount, "Auto-école"},
    {"dpo", StaffRole::kNone, kDpoCount, "Délégation à la protection des données"},
    {"administrator", StaffRole::kNone, kAdministratorCount, "Exploitation"},
}};
constexpr std::array<std::string_view, kProfessionalCount> kSchools{
    "Auto-école du Port",  "Auto-école des Remparts",  "Conduite et Cie",
    "Auto-école Bellevue", "École de conduite du Lac", "Auto-école du Centre"};
constexpr std::array<std::string_view, 4> kBrowsers{
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0"};

constexpr std::size_t kTotpSecret = 20;
/// Staff are drawn from the same names, with numbers that no resident has.
constexpr std::uint32_t kFirstStaffNumber = 3'000'000'000;

/// Which post the member of staff with this number holds, and the number within it.
std::pair<const Post*, std::uint32_t> post_of(std::uint32_t number) {
    for (const Post& post : kPosts) {
        if (number < post.count) return {&post, number};
        number -= post.count;
    }
    return {nullptr, 0};
}

/// Addresses for documentation (RFC 5737).
std::string address(std::string_view net, std::uint32_t host) {
    return std::string(net) + std::to_string(1 + host % 250);
}

}  // namespace

Life::Life(const House& house, const demo::People& people, std::uint64_t seed,
           std::uint32_t residents, Clock& clock, Random& random)
    : house_(house),
      people_(people),
      origin_(SeededRandom(seed).split("life")),
      clock_(clock),
      random_(random),
      homes_(residents + 1),
      staff_(staff_count()),
      staff_tokens_(staff_count()) {}

std::uint32_t Life::staff_count() {
    std::uint32_t count = 0;
    for (const Post& post : kPosts) count += post.count;
    return count;
}

std::size_t Life::staff_index(StaffRole role, std::uint32_t staff) const {
    std::size_t index = staff;
    for (const Post& post : kPosts) {
        if (post.kind == role) break;
        index += post.count;
    }
    return index;
}

Status Life::hire(std::uint32_t number) {
    const auto [post, within] = post_of(number);
    const demo::Resident person = people_.resident(kFirstStaffNumber + number);
    demo::Account& account = staff_[number];
    account.role = post->role;
    account.email = std::string(post->role) + std::to_string(within + 1) + "@demo.example";
    account.password = person.password;
    account.name =
        person.given_names.substr(0, person.given_names.find(' ')) + ' ' + person.family_name;
    Bytes secret(kTotpSecret);
    random_.fill(secret);
    account.totp = base32_encode(secret);

    identity::v1::CreateStaffRequest request;
    request.set_role(account.role);
    CLOISON_TRY(*request.mutable_email_index(), email_index(house_.desk(), account.email));
    request.set_display_name(account.name);
    const bool professional = post->kind == StaffRole::kProfessional;
    request.set_unit(std::string(professional ? kSchools[within] : post->unit));
    request.set_password(account.password);
    request.set_totp_secret(to_string(secret));
    request.set_acts_for_anyone(professional);
    request.set_language("fr");
    CLOISON_TRY_STATUS(house_.operator_line().identity.create_staff(request));
    return {};
}

Status Life::prepare(const Moment& moment) {
    constexpr std::uint32_t kMostAtOnce = 10'000;
    std::vector<std::uint32_t> comers;
    for (const Step& step : moment.steps)
        if (step.act == Act::kSignUp) comers.push_back(step.resident);
    for (std::size_t done = 0; done < comers.size();) {
        const auto count = std::min<std::size_t>(comers.size() - done, kMostAtOnce);
        keeper::v1::EnrollRequest request;
        request.set_count(static_cast<std::uint32_t>(count));
        CLOISON_TRY(auto enrolled, house_.portal().keeper.enroll(request));
        for (auto& enrolment : *enrolled.mutable_enrolments())
            homes_[comers.at(done++)].enrolment = std::move(enrolment);
    }
    return {};
}

Status Life::run(const Step& step) {
    switch (step.act) {
        case Act::kSignUp:
            return sign_up(people_.resident(step.resident));
        case Act::kApply:
            return apply(people_.resident(step.resident));
        case Act::kAttach:
            for (std::uint32_t number = 0; number < step.count; ++number)
                CLOISON_TRY_STATUS(
                    attach(people_.resident(step.resident), number, step.full_length));
            return {};
        case Act::kSubmit:
            return submit(people_.resident(step.resident));
        case Act::kWithdraw:
            return withdraw(people_.resident(step.resident));
        case Act::kLookAgain:
            return look_again(people_.resident(step.resident));
        case Act::kCorrect:
            return correct(people_.resident(step.resident));
        case Act::kStaffSignIn:
            return staff_sign_in(step);
        case Act::kTakeCase:
            return take_case(step);
        case Act::kExamineCase:
            return examine_case(step);
        case Act::kDecideCase:
            return decide_case(step);
        case Act::kSupportCall:
            return read_profile_by_email(step, "support_call", "call",
                                         {"email", "phone", "family_name", "given_names"});
        case Act::kPartnerLookUp:
            return read_profile_by_email(step, "act_for", "mandate",
                                         {"email", "family_name", "given_names"});
    }
    return {};
}

Visitor Life::resident_at_portal(const demo::Resident& resident) const {
    return {&house_.portal(), homes_[resident.number].token,
            address(resident.number % 2 == 0 ? "203.0.113." : "198.51.100.", resident.number / 2),
            std::string(kBrowsers[resident.number % kBrowsers.size()])};
}

Visitor Life::staff_at_door(const Step& step) const {
    const std::size_t index = staff_index(step.role, step.staff);
    const bool professional = step.role == StaffRole::kProfessional;
    return {professional ? &house_.portal() : &house_.desk(), staff_tokens_[index],
            professional ? address("203.0.113.", 200 + step.staff)
                         : address("192.0.2.", static_cast<std::uint32_t>(index)),
            std::string(kBrowsers[3])};
}

std::map<std::string, std::uint32_t> Life::count_requests() const {
    std::map<std::string, std::uint32_t> counts;
    for (const Household& home : homes_) {
        if (!home.request.empty()) ++counts[home.status];
        for (const auto& status : home.earlier) ++counts[status];
    }
    return counts;
}

}  // namespace cloison::population
