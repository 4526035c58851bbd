#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>

namespace cloison::cli {

/// For options that are a number without sign: CLI11 takes "-1" for one, and wraps it.
inline CLI::Validator whole_number() {
    return CLI::Validator(
        [](std::string& text) -> std::string {
            const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
                return c >= '0' && c <= '9';
            });
            return digits ? "" : "takes a whole number from 0 up, not \"" + text + '"';
        },
        "");
}

}  // namespace cloison::cli
