#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"

namespace cloison::drill {

/// Looks for many known values in raw bytes, in the encodings in which a value may lie about:
/// UTF-8 (as it is, lower case, upper case), UTF-16 in both orders, hexadecimal, base64 at any
/// offset. Add everything first; searching is then safe from any thread.
class ValueSearch {
  public:
    static constexpr std::size_t kShortest = 5;  ///< Bytes; shorter values are not looked for.
    /// From this length on an occurrence is no chance; below, random bytes have some.
    static constexpr std::size_t kCertain = 7;

    /// A value of that field. A word counts only as a whole word.
    void add(std::string_view value, const std::string& field, bool is_word);
    /// A word that stands in the open anyway (a table's name, a member of staff).
    void allow(std::string_view word);

    struct Findings {
        std::map<std::string, std::uint64_t> by_field;  ///< "family_name in hexadecimal"
        std::set<std::string> values;                   ///< Distinct; not for printing.
        std::uint64_t certain = 0;
        std::uint64_t by_chance = 0;    ///< Occurrences of short values,
        double expected_by_chance = 0;  ///< and how many random bytes would have.
        /// Found for certain, or more short ones than chance explains.
        bool any() const;
    };
    void search(ByteView data, Findings& findings) const;
    std::size_t patterns() const { return patterns_.size(); }

  private:
    struct Pattern {
        std::string bytes;
        std::uint32_t value;
        const char* encoding;
        bool is_word;
    };
    void add_pattern(std::string bytes, std::uint32_t value, const char* encoding, bool is_word);
    bool fits(const Pattern& pattern, ByteView data, std::size_t at) const;

    struct Value {
        std::string text;
        std::string field;
    };
    std::vector<Value> values_;
    std::vector<Pattern> patterns_;
    std::set<std::string> known_;
    std::set<std::string> allowed_;
    std::unordered_multimap<std::uint64_t, std::uint32_t> by_prefix_;
    std::vector<bool> filter_ = std::vector<bool>(std::size_t{1} << 24);
};

/// Lower-case ASCII; other bytes as they are.
std::string to_lower_ascii(std::string_view text);

}  // namespace cloison::drill
