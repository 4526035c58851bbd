#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>

namespace cloison::cli {

/// For options that are a number without sign, to be given to transform(): CLI11 takes "-1" for
/// one and wraps it, takes the largest for one that does not fit, and reads "010" as eight.
inline CLI::Validator whole_number() {
    return CLI::Validator(
        [](std::string& text) -> std::string {
            constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
            const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
                return c >= '0' && c <= '9';
            });
            std::uint64_t number = 0;
            const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
            if (!digits || read.ec != std::errc())
                return "takes a whole number from 0 to " + std::to_string(kMost) + ", not \"" +
                       text + '"';
            text = std::to_string(number);
            return "";
        },
        "");
}

}  // namespace cloison::cli
