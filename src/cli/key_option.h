#pragma once

#include <string>

#include "base/file_system.h"

namespace cloison::cli {

/// A verify key that an option was given: the line itself, or a file that holds it and is no longer
/// than 4 KiB. kInvalidArgument in the words of the option otherwise. Key has parse().
template <class Key>
Result<Key> read_key(FileSystem& files, const std::string& option, const std::string& given) {
    auto key = Key::parse(given);
    if (key) return key;
    constexpr std::size_t kMaxKeyFile = 4096;
    std::string line = given;
    CLOISON_TRY(const bool is_file, files.exists(given));
    if (is_file) {
        CLOISON_TRY(const auto bytes, files.read_file(given, kMaxKeyFile));
        line = to_string(bytes);
        line.erase(line.find_last_not_of(" \r\n") + 1);
        key = Key::parse(line);
        if (key) return key;
    }
    return fail(ErrorCode::kInvalidArgument,
                option +
                    (is_file ? " names a file that holds no such verify key: "
                             : " is no such verify key, nor a file that holds one: ") +
                    key.error().message);
}

}  // namespace cloison::cli
