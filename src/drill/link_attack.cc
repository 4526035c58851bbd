#include "drill/link_attack.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>
#include <unordered_map>

#include "base/seeded_random.h"

namespace cloison::drill {
namespace {

constexpr std::size_t kFewest = 40;        ///< Persons on both sides; below, nothing can be learnt.
constexpr std::size_t kMaxPairs = 20'000;  ///< To learn from.
constexpr std::size_t kMaxBlind = 20'000;  ///< Blind pairs, to compare with.
constexpr std::size_t kMaxJudged = 3'000;  ///< Persons of a half, with a record each.
constexpr std::size_t kScreened = 2'000;   ///< Pairs for a first look at each two traits.
constexpr std::size_t kMaxSeen = 150;      ///< Pairs of traits that get a second look,
constexpr std::size_t kMaxCandidates = 16;  ///< and that are tried together.
constexpr std::size_t kMaxTried = 200;      ///< Records, while trying them.
constexpr std::size_t kMaxChosen = 8;
constexpr std::size_t kClasses = 32;       ///< A trait's values, for the table of two traits.
constexpr std::size_t kDifferences = 130;  ///< Signed powers of two, none, and nothing.
constexpr std::size_t kMaxShared = 50;     ///< Records that hold a byte string, to tell anything.
constexpr double kPrior = 48;              ///< Blind pairs added, so that few cases tell little.
constexpr double kSure = 5;                ///< Standard errors,
constexpr double kPerhaps = 2;             ///< at the first look.

using Code = std::uint8_t;
/// Every person counts alike, however many records there are of one: whoever has many is not a link
/// between two stores, but a better guess for whatever record one may hold.
struct Pair {
    std::uint32_t a;
    std::uint32_t b;
    double weight = 1;
};

/// Values as a few classes of equal size, each value of its own where there are few.
std::vector<Code> to_classes(const std::vector<std::int64_t>& values) {
    std::vector<std::int64_t> sorted;
    for (const auto value : values)
        if (value != kNothing) sorted.push_back(value);
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::int64_t> bounds = sorted;
    bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
    if (bounds.size() >= kClasses) {
        bounds.clear();
        for (std::size_t i = 0; i + 1 < kClasses; ++i)
            bounds.push_back(sorted[i * sorted.size() / (kClasses - 1)]);
        bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
    }
    std::vector<Code> codes;
    codes.reserve(values.size());
    for (const auto value : values) {
        const auto above = std::upper_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
        codes.push_back(static_cast<Code>(value == kNothing ? 0 : above));
    }
    return codes;
}

/// Where each value stands among all, in millionths; equal values stand together.
std::vector<std::int64_t> to_ranks(const std::vector<std::int64_t>& values) {
    std::vector<std::int64_t> sorted;
    for (const auto value : values)
        if (value != kNothing) sorted.push_back(value);
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::int64_t> ranks;
    ranks.reserve(values.size());
    for (const auto value : values) {
        if (value == kNothing) {
            ranks.push_back(kNothing);
            continue;
        }
        const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), value);
        const auto middle = (low - sorted.begin()) + (high - sorted.begin());
        ranks.push_back(middle * 500'000 / static_cast<std::int64_t>(sorted.size()));
    }
    return ranks;
}

Code difference_class(std::int64_t a, std::int64_t b) {
    if (a == kNothing || b == kNothing) return static_cast<Code>(kDifferences - 1);
    const auto distance = a >= b ? static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b)
                                 : static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a);
    const int width = std::min(static_cast<int>(std::bit_width(distance)), 63);
    return static_cast<Code>(64 + (a >= b ? width : -width));
}

bool has_many(const std::vector<std::int64_t>& values) {
    std::set<std::int64_t> different;
    for (const auto value : values)
        if (value != kNothing && different.insert(value).second && different.size() >= kClasses)
            return true;
    return false;
}

/// A difference says something only of two values on one scale.
bool are_alike(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
    const auto range = [](const std::vector<std::int64_t>& values) {
        std::pair<std::int64_t, std::int64_t> found{std::numeric_limits<std::int64_t>::max(),
                                                    kNothing};
        for (const auto value : values) {
            if (value == kNothing) continue;
            found.first = std::min(found.first, value);
            found.second = std::max(found.second, value);
        }
        return found;
    };
    const auto [least_a, most_a] = range(a);
    const auto [least_b, most_b] = range(b);
    return least_a <= most_b && least_b <= most_a;
}

struct Side {
    const Records* records;
    std::vector<std::size_t> telling;        ///< Traits that say what no other before them says.
    std::vector<bool> many;                  ///< By trait: more values than classes.
    std::vector<std::vector<Code>> classes;  ///< By trait; the last is the same everywhere.
    std::vector<std::vector<std::int64_t>> ranks;
    std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> of_person;
    std::vector<double> weights;  ///< By record: 1 over how many its person has.

    explicit Side(const Records& from) : records(&from) {
        std::set<std::vector<std::int64_t>> seen;
        for (const Trait& trait : from.traits) {
            if (seen.insert(trait.values).second) telling.push_back(classes.size());
            many.push_back(has_many(trait.values));
            classes.push_back(to_classes(trait.values));
            ranks.push_back(to_ranks(trait.values));
        }
        // Beside it, a trait of the other side alone can make some records likelier than others.
        telling.push_back(classes.size());
        many.push_back(false);
        classes.emplace_back(from.size(), Code{0});
        for (std::uint32_t i = 0; i < from.size(); ++i)
            if (from.persons[i] != 0) of_person[from.persons[i]].push_back(i);
        for (const auto person : from.persons)
            weights.push_back(person == 0 ? 1
                                          : 1 / static_cast<double>(of_person.at(person).size()));
    }
    std::size_t size() const { return records->size(); }
    std::string name(std::size_t trait) const {
        return trait < records->traits.size() ? records->traits[trait].name : "any";
    }
};

/// One way to compare two records: what it says of two of them, as the logarithm of how much
/// likelier it is in two of one person.
class Clue {
  public:
    enum class Kind { kValues, kDifference, kRanks, kShared };

    Clue(Kind kind, const Side& a, std::size_t of_a, const Side& b, std::size_t of_b)
        : kind_(kind), a_(a), of_a_(of_a), b_(b), of_b_(of_b) {
        scores_.resize(kind == Kind::kValues ? kClasses * kClasses
                                             : (kind == Kind::kShared ? 2 : kDifferences));
    }

    std::string name() const {
        if (kind_ == Kind::kShared) return "byte strings in both";
        const char* how = kind_ == Kind::kValues       ? " with "
                          : kind_ == Kind::kDifference ? " less "
                                                       : " in the order of ";
        return a_.name(of_a_) + how + b_.name(of_b_);
    }

    void learn(const std::vector<Pair>& same, const std::vector<Pair>& blind) {
        std::vector<double> of_same(scores_.size(), 0);
        std::vector<double> of_blind(scores_.size(), 0.25);
        for (const Pair pair : same) of_same[code(pair)] += pair.weight;
        for (const Pair pair : blind) ++of_blind[code(pair)];
        if (kind_ == Kind::kValues) of_blind = independent();
        const double all_same = std::accumulate(of_same.begin(), of_same.end(), 0.0);
        const double all_blind = std::accumulate(of_blind.begin(), of_blind.end(), 0.0);
        for (std::size_t i = 0; i < scores_.size(); ++i) {
            const double expected = of_blind[i] / all_blind;
            if (expected == 0) continue;
            scores_[i] =
                std::log((of_same[i] + kPrior * expected) / ((all_same + kPrior) * expected));
        }
    }
    double score(Pair pair) const { return scores_[code(pair)]; }

    /// Adds what it says of record `a` and every record of the other side, the other way round if
    /// `turned`.
    void add(std::uint32_t from, bool turned, std::vector<double>& sums) const {
        if (kind_ == Kind::kShared) return add_shared(from, turned, sums);
        if (kind_ == Kind::kValues) return add_values(from, turned, sums);
        for (std::uint32_t i = 0; i < sums.size(); ++i)
            sums[i] += score(turned ? Pair{i, from} : Pair{from, i});
    }

  private:
    std::size_t code(Pair pair) const {
        switch (kind_) {
            case Kind::kValues:
                return a_.classes[of_a_][pair.a] * kClasses + b_.classes[of_b_][pair.b];
            case Kind::kDifference:
                return difference_class(a_.records->traits[of_a_].values[pair.a],
                                        b_.records->traits[of_b_].values[pair.b]);
            case Kind::kRanks:
                return difference_class(a_.ranks[of_a_][pair.a], b_.ranks[of_b_][pair.b]);
            case Kind::kShared:
                break;
        }
        const auto& left = a_.records->marks[pair.a];
        const auto& right = b_.records->marks[pair.b];
        for (const auto mark : left)
            if (std::binary_search(right.begin(), right.end(), mark)) return 1;
        return 0;
    }

    /// What two traits that have nothing to do with each other would give.
    std::vector<double> independent() const {
        std::vector<double> of_a(kClasses, 0);
        std::vector<double> of_b(kClasses, 0);
        for (std::size_t i = 0; i < a_.size(); ++i) of_a[a_.classes[of_a_][i]] += a_.weights[i];
        for (std::size_t i = 0; i < b_.size(); ++i) of_b[b_.classes[of_b_][i]] += b_.weights[i];
        std::vector<double> both(kClasses * kClasses);
        for (std::size_t i = 0; i < kClasses; ++i)
            for (std::size_t j = 0; j < kClasses; ++j) both[i * kClasses + j] = of_a[i] * of_b[j];
        return both;
    }

    void add_values(std::uint32_t from, bool turned, std::vector<double>& sums) const {
        const auto& others = turned ? a_.classes[of_a_] : b_.classes[of_b_];
        const std::size_t own = turned ? b_.classes[of_b_][from] : a_.classes[of_a_][from];
        const std::size_t first = turned ? own : own * kClasses;
        const std::size_t step = turned ? kClasses : 1;
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += scores_[first + others[i] * step];
    }

    void add_shared(std::uint32_t from, bool turned, std::vector<double>& sums) const {
        for (double& sum : sums) sum += scores_[0];
        const auto& holders = turned ? holders_a() : holders_b();
        const auto& marks = turned ? b_.records->marks[from] : a_.records->marks[from];
        for (const auto mark : marks) {
            const auto found = holders.find(mark);
            if (found == holders.end() || found->second.size() > kMaxShared) continue;
            for (const auto other : found->second)
                if (sums[other] < kCertain) sums[other] += kCertain;
        }
    }
    static constexpr double kCertain = 1e6;
    using Holders = std::unordered_map<std::uint64_t, std::vector<std::uint32_t>>;
    static const Holders& fill(Holders& holders, const Records& records) {
        if (holders.empty())
            for (std::uint32_t i = 0; i < records.size(); ++i)
                for (const auto mark : records.marks[i]) holders[mark].push_back(i);
        return holders;
    }
    const Holders& holders_a() const { return fill(in_a_, *a_.records); }
    const Holders& holders_b() const { return fill(in_b_, *b_.records); }

    Kind kind_;
    const Side& a_;
    std::size_t of_a_;
    const Side& b_;
    std::size_t of_b_;
    std::vector<double> scores_;
    mutable Holders in_a_;
    mutable Holders in_b_;
};

/// Record numbers, those of every person as often as those of any other.
std::vector<std::uint32_t> draw_records(const Side& side, std::size_t count, SeededRandom draw) {
    std::vector<double> sums(side.size());
    std::partial_sum(side.weights.begin(), side.weights.end(), sums.begin());
    constexpr std::uint64_t kSteps = 1ULL << 53;
    std::vector<std::uint32_t> drawn(count);
    for (auto& record : drawn) {
        const double at =
            sums.back() * static_cast<double>(draw.uniform(kSteps)) / static_cast<double>(kSteps);
        record = static_cast<std::uint32_t>(
            std::min(std::upper_bound(sums.begin(), sums.end(), at), sums.end() - 1) -
            sums.begin());
    }
    return drawn;
}

/// One in two, by a draw that is the same for every record of a person.
bool in_half(std::uint32_t person, int half, const SeededRandom& origin) {
    SeededRandom draw = origin.split("half").split(person);
    return static_cast<int>(draw.uniform(2)) == half;
}

struct Outcome {
    double success = 0;
    double squares = 0;
    double chance = 0;
    std::size_t count = 0;
    std::size_t choices = 0;

    void add(const Outcome& other) {
        success += other.success;
        squares += other.squares;
        chance += other.chance;
        count += other.count;
        choices = other.choices;
    }
};

/// The expected success of the highest score, for one record.
double judge(const std::vector<double>& sums, const std::vector<std::uint32_t>& right,
             Outcome& outcome) {
    constexpr double kEqual = 1e-9;
    const double best = *std::max_element(sums.begin(), sums.end());
    std::size_t ties = 0;
    for (const double sum : sums) ties += sum >= best - kEqual ? 1 : 0;
    std::size_t hits = 0;
    for (const auto i : right) hits += sums[i] >= best - kEqual ? 1 : 0;
    const double success = static_cast<double>(hits) / static_cast<double>(ties);
    outcome.success += success;
    outcome.squares += success * success;
    outcome.chance += static_cast<double>(right.size()) / static_cast<double>(sums.size());
    ++outcome.count;
    return success;
}

class Attack {
  public:
    Attack(const Records& a, const Records& b, std::uint64_t seed)
        : a_(a), b_(b), origin_(SeededRandom(seed).split("link")) {
        for (const auto& [person, records] : a_.of_person)
            if (b_.of_person.contains(person)) persons_.push_back(person);
        std::sort(persons_.begin(), persons_.end());
        if (persons_.size() < kFewest) return;
        const auto of_a = draw_records(a_, kMaxBlind, origin_.split("blind").split("a"));
        const auto of_b = draw_records(b_, kMaxBlind, origin_.split("blind").split("b"));
        for (std::size_t i = 0; i < kMaxBlind; ++i) blind_.push_back({of_a[i], of_b[i]});
    }

    Linking run() {
        Linking linking;
        if (persons_.size() < kFewest) return linking;
        Outcome forth;
        Outcome back;
        std::vector<std::string> helped;
        for (int half = 0; half < 2; ++half) {
            const auto clues = learn(half);
            forth.add(judge_half(1 - half, clues, false));
            back.add(judge_half(1 - half, clues, true));
            for (const auto& clue : clues)
                if (std::find(helped.begin(), helped.end(), clue->name()) == helped.end())
                    helped.push_back(clue->name());
        }
        for (const Outcome& outcome : {forth, back}) {
            const auto found = conclude(outcome);
            if (!linking.judged || found.ratio() > linking.ratio()) linking = found;
        }
        linking.helped = std::move(helped);
        return linking;
    }

  private:
    using Clues = std::vector<std::shared_ptr<Clue>>;

    static Linking conclude(const Outcome& outcome) {
        Linking linking;
        const auto count = static_cast<double>(outcome.count);
        linking.judged = true;
        linking.records = outcome.count;
        linking.choices = outcome.choices;
        linking.success = outcome.success / count;
        linking.chance = outcome.chance / count;
        const double variance =
            std::max(0.0, outcome.squares / count - linking.success * linking.success);
        const double margin = 1.96 * std::sqrt(variance / count) / linking.chance;
        linking.low = std::max(0.0, linking.ratio() - margin);
        linking.high = linking.ratio() + margin;
        return linking;
    }

    /// Pairs of records of one person, of a half of the persons.
    std::vector<Pair> pairs_of(int half) const {
        std::vector<Pair> pairs;
        for (const auto person : persons_) {
            if (!in_half(person, half, origin_)) continue;
            for (const auto a : a_.of_person.at(person))
                for (const auto b : b_.of_person.at(person))
                    pairs.push_back({a, b, a_.weights[a] * b_.weights[b]});
        }
        SeededRandom draw = origin_.split("pairs").split(static_cast<std::uint64_t>(half));
        for (std::size_t i = pairs.size(); i > 1; --i)
            std::swap(pairs[i - 1], pairs[draw.uniform(i)]);
        if (pairs.size() > kMaxPairs) pairs.resize(kMaxPairs);
        return pairs;
    }

    struct Candidate {
        std::shared_ptr<Clue> clue;
        double worth = 0;
    };
    /// What there is to learn from, to prove on, and to compare with.
    struct Lesson {
        std::vector<Pair> learnt;
        std::vector<Pair> proof;
        std::vector<Pair> blind;

        /// The beginning of it.
        Lesson first(std::size_t count) const {
            const auto cut = [&](const std::vector<Pair>& pairs) {
                return std::vector<Pair>(
                    pairs.begin(),
                    pairs.begin() + static_cast<std::ptrdiff_t>(std::min(count, pairs.size())));
            };
            return {cut(learnt), cut(proof), cut(blind)};
        }
    };

    static void consider(std::shared_ptr<Clue> clue, const Lesson& lesson, double sure,
                         std::vector<Candidate>& out) {
        const auto& proof = lesson.proof;
        Candidate candidate{std::move(clue), 0};
        candidate.clue->learn(lesson.learnt, lesson.blind);
        double sum = 0;
        double weights = 0;
        for (const Pair pair : proof) {
            sum += pair.weight * candidate.clue->score(pair);
            weights += pair.weight;
        }
        candidate.worth = sum / weights;
        double squares = 0;
        for (const Pair pair : proof) {
            const double off = pair.weight * (candidate.clue->score(pair) - candidate.worth);
            squares += off * off;
        }
        const double error = std::sqrt(squares) / weights;
        if (candidate.worth > 0.005 && candidate.worth > sure * error)
            out.push_back(std::move(candidate));
    }
    static void keep_best(std::vector<Candidate>& candidates, std::size_t count) {
        std::sort(candidates.begin(), candidates.end(),
                  [](const Candidate& x, const Candidate& y) { return x.worth > y.worth; });
        if (candidates.size() > count) candidates.resize(count);
    }

    std::vector<Candidate> candidates(const Lesson& lesson) const {
        std::vector<Candidate> found;
        if (lesson.learnt.empty() || lesson.proof.empty()) return found;
        const Lesson glance = lesson.first(kScreened);
        std::vector<Candidate> seen;
        const auto look = [&](Clue::Kind kind, std::size_t i, std::size_t j) {
            consider(std::make_shared<Clue>(kind, a_, i, b_, j), glance, kPerhaps, seen);
        };
        for (const std::size_t i : a_.telling)
            for (const std::size_t j : b_.telling) {
                look(Clue::Kind::kValues, i, j);
                if (!a_.many[i] || !b_.many[j]) continue;
                look(Clue::Kind::kRanks, i, j);
                if (are_alike(a_.records->traits[i].values, b_.records->traits[j].values))
                    look(Clue::Kind::kDifference, i, j);
            }
        keep_best(seen, kMaxSeen);
        for (const Candidate& candidate : seen) consider(candidate.clue, lesson, kSure, found);
        keep_best(found, kMaxCandidates);
        consider(std::make_shared<Clue>(Clue::Kind::kShared, a_, 0, b_, 0), lesson, kSure, found);
        return found;
    }

    /// Takes the clues one after the other that add most to the success on the proof.
    Clues learn(int half) const {
        const auto pairs = pairs_of(half);
        const auto third = pairs.begin() + static_cast<std::ptrdiff_t>(pairs.size() / 3);
        const std::vector<Pair> proof(pairs.begin(), third);
        auto left = candidates({{third, pairs.end()}, proof, blind_});
        Clues chosen;
        if (left.empty()) return chosen;
        const std::vector<Pair> tried(
            proof.begin(),
            proof.begin() + static_cast<std::ptrdiff_t>(std::min(proof.size(), kMaxTried)));
        std::vector<std::vector<double>> sums(tried.size(), std::vector<double>(b_.size(), 0));
        double best = try_on(tried, sums, nullptr);
        while (chosen.size() < kMaxChosen && !left.empty()) {
            std::size_t at = left.size();
            double improved = best;
            for (std::size_t i = 0; i < left.size(); ++i) {
                const double success = try_on(tried, sums, left[i].clue.get());
                if (success <= improved * 1.01) continue;
                improved = success;
                at = i;
            }
            if (at == left.size()) break;
            best = improved;
            for (std::size_t i = 0; i < tried.size(); ++i)
                left[at].clue->add(tried[i].a, false, sums[i]);
            chosen.push_back(left[at].clue);
            left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
        }
        for (const auto& clue : chosen) clue->learn(pairs, blind_);
        return chosen;
    }

    double try_on(const std::vector<Pair>& tried, const std::vector<std::vector<double>>& sums,
                  const Clue* clue) const {
        Outcome outcome;
        double success = 0;
        for (std::size_t i = 0; i < tried.size(); ++i) {
            auto with = sums[i];
            if (clue != nullptr) clue->add(tried[i].a, false, with);
            const auto& right = b_.of_person.at(a_.records->persons[tried[i].a]);
            success += tried[i].weight * judge(with, right, outcome);
        }
        return success;
    }

    Outcome judge_half(int half, const Clues& clues, bool turned) const {
        const Side& from = turned ? b_ : a_;
        const Side& to = turned ? a_ : b_;
        SeededRandom draw = origin_.split("judged").split(static_cast<std::uint64_t>(half));
        std::vector<std::uint32_t> judged;
        for (const auto person : persons_) {
            if (!in_half(person, half, origin_)) continue;
            const auto& records = from.of_person.at(person);
            judged.push_back(records[draw.uniform(records.size())]);
        }
        for (std::size_t i = judged.size(); i > 1; --i)
            std::swap(judged[i - 1], judged[draw.uniform(i)]);
        if (judged.size() > kMaxJudged) judged.resize(kMaxJudged);
        Outcome outcome;
        outcome.choices = to.size();
        std::vector<double> sums;
        for (const auto record : judged) {
            sums.assign(to.size(), 0);
            for (const auto& clue : clues) clue->add(record, turned, sums);
            judge(sums, to.of_person.at(from.records->persons[record]), outcome);
        }
        return outcome;
    }

    Side a_;
    Side b_;
    const SeededRandom origin_;
    std::vector<std::uint32_t> persons_;  ///< On both sides.
    std::vector<Pair> blind_;
};

}  // namespace

Linking attack(const Records& a, const Records& b, std::uint64_t seed) {
    return Attack(a, b, seed).run();
}

}  // namespace cloison::drill
