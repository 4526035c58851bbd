#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "drill/link_attack.h"
#include "drill/link_truth.h"

namespace cloison::drill {

/// Two stolen stores side by side.
struct LinkedPair {
    std::string a;
    std::string b;
    /// False between two stores of the keeper: one directory and one root key, so that no thief
    /// has one without the other (docs/decisions/0005-stores-are-tagged-lists.md).
    bool bounded = true;
    Linking linking;      ///< Of the sorts of records that link best.
    std::string records;  ///< Which they are; empty: one of the two holds no record of a person.
    std::string note;
    bool too_few = false;  ///< Both hold records of persons, and too few to tell anything.

    /// Links better than the bound, and not by chance.
    bool is_fault() const;
    /// Links better than the bound, but chance may do that with so few records.
    bool is_undecided() const;
};

struct LinkReport {
    std::uint64_t persons = 0;
    std::vector<LinkedPair> pairs;
    std::vector<std::string> faults;
    std::vector<std::string> undecided;  ///< Of these the drill proves nothing: more residents do.

    /// Takes a pair in, and judges it.
    void add(LinkedPair pair);
    /// Of some pair at least it can be told; if not, the drill proves nothing.
    bool tells() const;
    bool ok() const { return faults.empty() && undecided.empty(); }
    std::string text() const;
    std::string json() const;
};

/// So many times chance is allowed in a bounded pair.
inline constexpr double kMostLinking = 2;

struct LinkOptions {
    Stores stores;
    std::uint64_t seed = 1;
    std::function<void(const std::string&)> on_note;  ///< What it does now.
};

/// Copies the stores as a thief of all of them would, and tries to tell for every two of them which
/// records are the same person's (link_attack.h). The keeper's directory counts as three stores:
/// persons, history and the journal's files; keys stay behind. An error means that the drill could
/// not be carried out.
Result<LinkReport> link(const LinkOptions& options, FileSystem& files);

}  // namespace cloison::drill
