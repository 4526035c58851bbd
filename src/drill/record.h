#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "drill/drill.h"

namespace cloison::drill {

/// Which fields of which persons: what a drill got hold of, or what the desk says. Persons are
/// named by their e-mail address, in lower case.
class Record {
  public:
    void add(std::string_view email, std::string_view field);
    bool has(std::string_view email, std::string_view field) const;
    std::uint64_t persons() const { return fields_.size(); }
    std::uint64_t pairs() const;
    std::map<std::string, std::uint64_t> persons_by_field() const;
    const std::map<std::string, std::set<std::string>>& fields() const { return fields_; }

  private:
    std::map<std::string, std::set<std::string>> fields_;
};

struct Comparison {
    double precision = 1;      ///< 1 where nothing was named.
    double recall = 1;         ///< 1 where nothing was had.
    std::uint64_t missed = 0;  ///< Pairs that were had and not named.
    std::uint64_t excess = 0;  ///< Pairs that were named and not had.
};
Comparison compare(const Record& had, const Record& named);

/// Notes a fault, up to kMaxFaults, and that the drill is not ok.
void add_fault(Report& report, std::string fault);
/// Fills in what was had and how the desk's answer compares; faults where they differ.
void judge(Report& report, const Record& had, const Record& named);

}  // namespace cloison::drill
