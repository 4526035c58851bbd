#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/seeded_random.h"
#include "demo/names.h"

namespace cloison::demo {

/// One invented resident: the same for the same seed, names and number.
struct Resident {
    std::uint32_t number = 0;  ///< From 1.
    std::string email;         ///< …@demo.example (RFC 2606): no mail can reach anybody.
    std::string password;
    bool female = false;
    std::string given_names;
    std::string family_name;
    std::string phone;  ///< Of the block reserved for fiction (ARCEP 2018-0881); empty: none given.
    std::string language;  ///< fr or en
};

/// Values by field name, in the canonical forms of the request type "passport".
using Values = std::map<std::string, std::string>;

/// The demo's people as pure functions of a seed, shared by the population, which gives them
/// accounts, and the drills, which know what there is to be found. Safe from any thread.
class People {
  public:
    People(std::shared_ptr<const Names> names, std::uint64_t seed);

    Resident resident(std::uint32_t number) const;
    /// What they answer in their application for a passport.
    Values application(const Resident& resident) const;

  private:
    SeededRandom random(std::string_view what, std::uint32_t number) const;

    std::shared_ptr<const Names> names_;
    SeededRandom origin_;
};

/// Lower-case ASCII for the local part of an address: "Anaïs" gives "anais".
std::string ascii_name(std::string_view utf8);
/// A password that follows from the generator alone: four groups of five.
std::string make_password(Random& random);

}  // namespace cloison::demo
