#include "drill/value_search.h"

#include <algorithm>
#include <cmath>

namespace cloison::drill {
namespace {

constexpr std::size_t kPrefix = ValueSearch::kShortest;
constexpr std::size_t kShortestBase64 = 10;

bool is_word_byte(std::uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte >= 0x80;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

/// UTF-16 code units of UTF-8 text within the basic plane; empty for anything else.
std::vector<std::uint16_t> utf16(std::string_view text) {
    std::vector<std::uint16_t> units;
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<std::uint8_t>(text[i]);
        const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        if (length == 4 || i + length > text.size()) return {};
        std::uint32_t code = length == 1 ? first : first & (0x7F >> length);
        for (std::size_t k = 1; k < length; ++k)
            code = code << 6 | (static_cast<std::uint8_t>(text[i + k]) & 0x3F);
        units.push_back(static_cast<std::uint16_t>(code));
        i += length;
    }
    return units;
}

std::string utf16_bytes(std::string_view text, bool big_endian) {
    std::string out;
    for (const std::uint16_t unit : utf16(text)) {
        const char high = static_cast<char>(unit >> 8);
        const char low = static_cast<char>(unit & 0xFF);
        out += big_endian ? high : low;
        out += big_endian ? low : high;
    }
    return out;
}

/// The characters of base64 that the text alone decides when `offset` bytes stand before it.
std::string base64_core(std::string_view text, std::size_t offset) {
    Bytes bytes(offset, 0);
    bytes.insert(bytes.end(), text.begin(), text.end());
    const std::string all = base64_encode(bytes);
    const std::size_t begin = (offset * 8 + 5) / 6;
    const std::size_t end = (offset + text.size()) * 8 / 6;
    return all.substr(begin, end - begin);
}

std::string url_alphabet(std::string text) {
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

std::uint64_t prefix_of(const std::uint8_t* bytes) {
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < kPrefix; ++i) prefix = prefix << 8 | bytes[i];
    return prefix;
}

std::size_t filter_slot(std::uint64_t prefix) {
    return static_cast<std::size_t>(prefix * 0x9E3779B97F4A7C15ULL >> 40);
}

}  // namespace

std::string to_lower_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

void ValueSearch::add_pattern(std::string bytes, std::uint32_t value, const char* encoding,
                              bool is_word) {
    if (bytes.size() < kShortest || !known_.insert(bytes).second) return;
    const auto prefix = prefix_of(reinterpret_cast<const std::uint8_t*>(bytes.data()));
    filter_[filter_slot(prefix)] = true;
    by_prefix_.emplace(prefix, static_cast<std::uint32_t>(patterns_.size()));
    patterns_.push_back({std::move(bytes), value, encoding, is_word});
}

void ValueSearch::add(std::string_view value, const std::string& field, bool is_word) {
    if (value.size() < kShortest) return;
    if (is_word && allowed_.contains(to_lower_ascii(value))) return;
    const auto number = static_cast<std::uint32_t>(values_.size());
    values_.push_back({std::string(value), field});
    for (const std::string& text : {std::string(value), to_lower_ascii(value), upper(value)}) {
        add_pattern(text, number, "UTF-8", is_word);
        add_pattern(utf16_bytes(text, false), number, "UTF-16", false);
        add_pattern(utf16_bytes(text, true), number, "UTF-16", false);
        const std::string hex = hex_encode(as_bytes(text));
        add_pattern(hex, number, "hexadecimal", false);
        add_pattern(upper(hex), number, "hexadecimal", false);
    }
    for (std::size_t offset = 0; offset < 3; ++offset) {
        const std::string core = base64_core(value, offset);
        if (core.size() < kShortestBase64) continue;
        add_pattern(core, number, "base64", false);
        add_pattern(url_alphabet(core), number, "base64", false);
    }
}

void ValueSearch::allow(std::string_view word) {
    allowed_.insert(to_lower_ascii(word));
}

bool ValueSearch::fits(const Pattern& pattern, ByteView data, std::size_t at) const {
    const std::size_t end = at + pattern.bytes.size();
    if (end > data.size()) return false;
    if (!std::equal(pattern.bytes.begin(), pattern.bytes.end(),
                    data.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }))
        return false;
    if (!pattern.is_word) return true;
    return (at == 0 || !is_word_byte(data[at - 1])) &&
           (end == data.size() || !is_word_byte(data[end]));
}

void ValueSearch::search(ByteView data, Findings& findings) const {
    for (const Pattern& pattern : patterns_)
        if (pattern.bytes.size() < kCertain)
            findings.expected_by_chance +=
                static_cast<double>(data.size()) *
                std::pow(256.0, -static_cast<double>(pattern.bytes.size()));
    constexpr std::uint64_t kMask = (std::uint64_t{1} << 8 * kPrefix) - 1;
    std::uint64_t prefix = 0;
    for (std::size_t next = 0; next < data.size(); ++next) {
        prefix = (prefix << 8 | data[next]) & kMask;
        if (next + 1 < kPrefix) continue;
        const std::size_t at = next + 1 - kPrefix;
        if (!filter_[filter_slot(prefix)]) continue;
        const auto [begin, end] = by_prefix_.equal_range(prefix);
        for (auto candidate = begin; candidate != end; ++candidate) {
            const Pattern& pattern = patterns_[candidate->second];
            if (!fits(pattern, data, at)) continue;
            const bool certain = pattern.bytes.size() >= kCertain;
            ++(certain ? findings.certain : findings.by_chance);
            if (!certain) continue;
            const Value& value = values_[pattern.value];
            ++findings.by_field[value.field + " in " + pattern.encoding];
            findings.values.insert(value.text);
        }
    }
}

bool ValueSearch::Findings::any() const {
    // Six standard deviations of a Poisson count, and never alarmed by the first two.
    const double bound = expected_by_chance + 6 * std::sqrt(expected_by_chance) + 2;
    return certain > 0 || static_cast<double>(by_chance) > bound;
}

}  // namespace cloison::drill
