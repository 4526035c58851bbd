#include "demo/people.h"

#include <array>
#include <cstdio>
#include <utility>

namespace cloison::demo {
namespace {

/// Invented streets: the register of real addresses would name real doors.
constexpr std::array<std::string_view, 24> kStreets{
    "rue des Lilas",          "rue du Moulin",      "avenue de la Gare",  "rue Victor-Hugo",
    "rue de l'Église",        "place du Marché",    "rue des Écoles",     "boulevard Voltaire",
    "chemin des Vignes",      "rue de la Fontaine", "rue Pasteur",        "allée des Tilleuls",
    "rue du Château",         "avenue Jean-Jaurès", "rue des Acacias",    "impasse des Jardins",
    "rue de la République",   "rue du Stade",       "quai des Bateliers", "rue des Cerisiers",
    "avenue des Marronniers", "route de la Forêt",  "rue du Lavoir",      "rue Émile-Zola",
};
constexpr std::array<std::string_view, 7> kEyes{"blue",  "grey",  "green",    "hazel",
                                                "brown", "black", "different"};
constexpr std::array<std::string_view, 6> kNationalities{
    "parent_born_in_france", "french_parent", "residence",
    "naturalisation",        "declaration",   "other"};
constexpr std::array<std::string_view, 8> kReasons{"first", "renewal", "renewal", "renewal",
                                                   "loss",  "theft",   "address", "full"};

template <class List>
const auto& pick(Random& random, const List& list) {
    return list[random.uniform(list.size())];
}

bool chance(Random& random, unsigned percent) {
    return random.uniform(100) < percent;
}

std::string two_digits(std::uint64_t number) {
    return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

std::string date(Random& random, std::uint64_t first_year, std::uint64_t years) {
    const auto year = first_year + random.uniform(years);
    return std::to_string(year) + '-' + two_digits(1 + random.uniform(12)) + '-' +
           two_digits(1 + random.uniform(28));
}

std::string place(const Commune& commune) {
    return commune.name + " (" + commune.department + ')';
}

/// The block 06 39 98 00 00 to 99 99 is assigned to nobody (ARCEP, decision 2018-0881, annex:
/// numbers for audiovisual works).
std::string fictional_phone(std::uint64_t number) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "+3363998%04u", static_cast<unsigned>(number % 10'000));
    return text.data();
}

struct Folding {
    std::string_view from;
    std::string_view to;
};
constexpr std::array<Folding, 26> kFoldings{{
    {"à", "a"}, {"â", "a"}, {"ä", "a"}, {"ç", "c"},  {"é", "e"},  {"è", "e"}, {"ê", "e"},
    {"ë", "e"}, {"î", "i"}, {"ï", "i"}, {"ô", "o"},  {"ö", "o"},  {"ù", "u"}, {"û", "u"},
    {"ü", "u"}, {"ÿ", "y"}, {"À", "a"}, {"Â", "a"},  {"Ç", "c"},  {"É", "e"}, {"È", "e"},
    {"Ê", "e"}, {"Î", "i"}, {"Ô", "o"}, {"œ", "oe"}, {"æ", "ae"},
}};

}  // namespace

std::string ascii_name(std::string_view utf8) {
    std::string out;
    while (!utf8.empty()) {
        const char c = utf8.front();
        if (static_cast<unsigned char>(c) < 0x80) {
            if (c >= 'A' && c <= 'Z')
                out += static_cast<char>(c - 'A' + 'a');
            else if (c >= 'a' && c <= 'z')
                out += c;
            utf8.remove_prefix(1);
            continue;
        }
        std::size_t length = 1;
        while (length < utf8.size() && (static_cast<unsigned char>(utf8[length]) & 0xC0) == 0x80)
            ++length;
        const std::string_view letter = utf8.substr(0, length);
        for (const Folding& folding : kFoldings)
            if (folding.from == letter) out += folding.to;
        utf8.remove_prefix(length);
    }
    return out.empty() ? "usager" : out;
}

std::string make_password(Random& random) {
    static constexpr std::string_view kAlphabet = "abcdefghjkmnpqrstuvwxyz23456789";
    std::string out;
    for (int i = 0; i < 20; ++i) {
        if (i > 0 && i % 5 == 0) out += '-';
        out += kAlphabet[random.uniform(kAlphabet.size())];
    }
    return out;
}

People::People(std::shared_ptr<const Names> names, std::uint64_t seed)
    : names_(std::move(names)), origin_(SeededRandom(seed).split("people")) {}

SeededRandom People::random(std::string_view what, std::uint32_t number) const {
    return origin_.split(what).split(number);
}

Resident People::resident(std::uint32_t number) const {
    SeededRandom draw = random("resident", number);
    Resident resident;
    resident.number = number;
    resident.female = chance(draw, 51);
    const auto& given = resident.female ? names_->female : names_->male;
    const std::string first = pick(draw, given);
    resident.given_names = first;
    for (std::uint64_t more = draw.uniform(3); more > 0; --more)
        resident.given_names += ' ' + pick(draw, given);
    resident.family_name = pick(draw, names_->surnames);
    resident.email = ascii_name(first) + '.' + ascii_name(resident.family_name) +
                     std::to_string(number) + "@demo.example";
    // The block has 10,000 numbers: 7919 is coprime to that, so neighbours are far apart.
    if (chance(draw, 85)) resident.phone = fictional_phone(std::uint64_t{number} * 7919);
    resident.language = chance(draw, 92) ? "fr" : "en";
    SeededRandom secret = random("password", number);
    resident.password = make_password(secret);
    return resident;
}

Values People::application(const Resident& resident) const {
    SeededRandom draw = random("application", resident.number);
    Values values;
    const std::string_view reason = pick(draw, kReasons);
    values["request_reason"] = reason;
    if (reason != "first") {
        values["previous_title_number"] = two_digits(10 + draw.uniform(15)) +
                                          static_cast<char>('A' + draw.uniform(26)) +
                                          static_cast<char>('A' + draw.uniform(26)) +
                                          std::to_string(10'000 + draw.uniform(90'000));
        values["previous_title_issued"] = date(draw, 2008, 17);
    }
    values["birth_name"] = resident.family_name;
    values["forenames"] = resident.given_names;
    if (chance(draw, 15)) values["name_in_use"] = pick(draw, names_->surnames);
    values["sex"] = resident.female ? "female" : "male";
    values["birth_date"] = date(draw, 1940, 66);
    values["birthplace"] = place(pick(draw, names_->communes));
    values["nationality"] = pick(draw, kNationalities);
    values["height"] = std::to_string(150 + draw.uniform(45));
    values["eye_colour"] = pick(draw, kEyes);
    for (const char* parent : {"parent1", "parent2"}) {
        const std::string prefix = parent;
        const bool known = prefix == "parent1" || chance(draw, 93);
        values[prefix + "_known"] = known ? "yes" : "no";
        if (!known) continue;
        const bool mother = prefix == "parent1";
        values[prefix + "_name"] = (mother ? pick(draw, names_->surnames) : resident.family_name) +
                                   ' ' + pick(draw, mother ? names_->female : names_->male);
        values[prefix + "_birth_date"] = date(draw, 1905, 35);
        values[prefix + "_birthplace"] = place(pick(draw, names_->communes));
    }
    const Commune& home = pick(draw, names_->communes);
    values["postal_address"] = std::to_string(1 + draw.uniform(120)) + ' ' +
                               std::string(pick(draw, kStreets)) + '\n' + home.postcode + ' ' +
                               home.name;
    values["contact_phone"] = resident.phone.empty()
                                  ? fictional_phone(std::uint64_t{resident.number} * 7919)
                                  : resident.phone;
    values["contact_email"] = resident.email;
    return values;
}

}  // namespace cloison::demo
