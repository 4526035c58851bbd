#include "drill/record.h"

namespace cloison::drill {
namespace {

std::string key(std::string_view email) {
    std::string out(email);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::uint64_t common_pairs(const Record& a, const Record& b) {
    std::uint64_t common = 0;
    for (const auto& [email, fields] : a.fields())
        for (const auto& field : fields) common += b.has(email, field) ? 1 : 0;
    return common;
}

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void Record::add(std::string_view email, std::string_view field) {
    fields_[key(email)].emplace(field);
}

bool Record::has(std::string_view email, std::string_view field) const {
    const auto person = fields_.find(key(email));
    return person != fields_.end() && person->second.contains(std::string(field));
}

std::uint64_t Record::pairs() const {
    std::uint64_t pairs = 0;
    for (const auto& [email, fields] : fields_) pairs += fields.size();
    return pairs;
}

std::map<std::string, std::uint64_t> Record::persons_by_field() const {
    std::map<std::string, std::uint64_t> counts;
    for (const auto& [email, fields] : fields_)
        for (const auto& field : fields) ++counts[field];
    return counts;
}

Comparison compare(const Record& had, const Record& named) {
    const std::uint64_t common = common_pairs(had, named);
    Comparison comparison;
    comparison.missed = had.pairs() - common;
    comparison.excess = named.pairs() - common;
    comparison.recall = share(common, had.pairs());
    comparison.precision = share(common, named.pairs());
    return comparison;
}

void add_fault(Report& report, std::string fault) {
    report.ok = false;
    if (report.faults.size() < kMaxFaults) report.faults.push_back(std::move(fault));
}

void judge(Report& report, const Record& had, const Record& named) {
    report.persons = had.persons();
    report.disclosed = had.pairs();
    report.persons_by_field = had.persons_by_field();
    const Comparison comparison = compare(had, named);
    report.precision = comparison.precision;
    report.recall = comparison.recall;
    if (comparison.missed > 0)
        add_fault(report, "The list of persons misses " + std::to_string(comparison.missed) +
                              " pairs of person and field that were had.");
    if (comparison.excess > 0)
        add_fault(report, "The list of persons names " + std::to_string(comparison.excess) +
                              " pairs of person and field that were not had.");
}

}  // namespace cloison::drill
