#include "cli/canary_people.h"

#include <algorithm>
#include <array>

namespace cloison::cli {
namespace {

/// Under top-level domains that are gone (canary_people.h).
constexpr std::array<std::string_view, 12> kMailDomains{
    "caribmail.an",   "antillesnet.an",  "courrier-iles.an", "sxm-online.an",
    "saintmart.an",   "iles-du-vent.an", "alizes-net.an",    "messagerie.an",
    "correio-net.tp", "webmail-one.tp",  "freemail-eu.tp",   "boite-postale.tp"};

bool chance(Random& random, std::uint64_t percent) {
    return random.uniform(100) < percent;
}

std::uint64_t random_seed(Random& random) {
    Bytes bytes(8);
    random.fill(bytes);
    return get_u64(bytes);
}

}  // namespace

CanaryPeople::CanaryPeople(std::shared_ptr<const demo::Names> names, std::string mail_domain,
                           Random& random)
    : people_(std::move(names), random_seed(random)),
      mail_domain_(std::move(mail_domain)),
      random_(random) {}

demo::Resident CanaryPeople::next() {
    auto resident = people_.resident(static_cast<std::uint32_t>(1 + random_.uniform(1U << 31)));
    resident.email = address_for(resident);
    return resident;
}

std::string CanaryPeople::address_for(const demo::Resident& resident) {
    const std::string given =
        demo::ascii_name(resident.given_names.substr(0, resident.given_names.find(' ')));
    const std::string family = demo::ascii_name(resident.family_name);
    std::string local;
    switch (random_.uniform(4)) {
        case 0:
            local = given.substr(0, 1) + family;
            break;
        case 1:
            local = family + '.' + given;
            break;
        default:
            local = given + '.' + family;
    }
    if (chance(random_, 40)) local += std::to_string(1 + random_.uniform(98));
    const std::string_view domain = mail_domain_.empty()
                                        ? kMailDomains[random_.uniform(kMailDomains.size())]
                                        : std::string_view(mail_domain_);
    return local + '@' + std::string(domain);
}

CanaryValues CanaryPeople::account() {
    const auto resident = next();
    CanaryValues values{{"email", resident.email},
                        {"family_name", resident.family_name},
                        {"given_names", resident.given_names}};
    if (!resident.phone.empty()) values["phone"] = resident.phone;
    return values;
}

CanaryValues CanaryPeople::application() {
    return people_.application(next());
}

std::string CanaryPeople::document_name(std::string_view content_type) {
    const auto resident = next();
    const std::string family = demo::ascii_name(resident.family_name);
    const std::string stem =
        chance(random_, 50)
            ? "justificatif-" + family
            : "facture-" + family + '-' +
                  demo::ascii_name(resident.given_names.substr(0, resident.given_names.find(' ')));
    if (content_type == "application/pdf") return stem + ".pdf";
    return stem + (content_type == "image/png" ? ".png" : ".jpg");
}

std::string CanaryPeople::language() {
    return chance(random_, 92) ? "fr" : "en";
}

Status check_mail_domain(std::string_view domain) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    if (domain.size() > 200 || domain.find('.') == std::string_view::npos ||
        domain.find("..") != std::string_view::npos || domain.front() == '.' ||
        domain.back() == '.' || !std::all_of(domain.begin(), domain.end(), good))
        return fail(ErrorCode::kInvalidArgument,
                    "A mail domain is written like courriel.example.org, in lower case.");
    return {};
}

}  // namespace cloison::cli
