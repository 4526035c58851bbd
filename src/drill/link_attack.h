#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "drill/link_records.h"

namespace cloison::drill {

/// How well the records of one person in two stores can be told to be the same person's.
struct Linking {
    double success = 0;  ///< How often the best guess for a record is right.
    double chance = 0;   ///< How often a blind one is.
    double low = 0;      ///< Of success ÷ chance: 95 % interval.
    double high = 0;
    std::size_t records = 0;          ///< Judged, of the one side,
    std::size_t choices = 0;          ///< and among how many of the other.
    bool judged = false;              ///< False: too few records have a person on both sides.
    std::vector<std::string> helped;  ///< Pairs of traits, the most telling first.

    double ratio() const { return chance == 0 ? 1 : success / chance; }
};

/// The strongest attack that is at hand. For half of the persons the attacker is told the truth:
/// from them it learns, for every pair of traits, how much likelier each combination of two values
/// is in two records of one person than in two records taken blindly (of the values themselves, of
/// their difference, of the difference of their ranks, and for byte strings that both hold); takes
/// the pairs that prove themselves on persons that were not learnt from; and for a record of each
/// person of the other half guesses the record with the highest sum of log-likelihood ratios among
/// all. Every person counts alike, in learning and in judging, whatever number of records they
/// have: that the one with most is the likeliest owner of any record links nothing. Both halves
/// take turns. Of records that score the same, one is taken blindly, and the expected success
/// counts: luck does not.
///
/// Both ways, a for b and b for a; what is returned is the better one. Follows from `seed`.
Linking attack(const Records& a, const Records& b, std::uint64_t seed);

}  // namespace cloison::drill
