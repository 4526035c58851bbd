#include <optional>

#include "storage/database.h"

namespace cloison::storage {
namespace {

constexpr std::size_t kMaxMigrationSize = 1 << 20;
constexpr std::string_view kSuffix = ".sql";
constexpr std::size_t kDigits = 4;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// "0003_add_messages.sql" is number 3, "add_messages".
std::optional<Migration> from_file_name(std::string_view name) {
    name.remove_suffix(kSuffix.size());
    if (name.size() < kDigits + 2 || name[kDigits] != '_') return std::nullopt;
    int number = 0;
    for (const char c : name.substr(0, kDigits)) {
        if (!is_digit(c)) return std::nullopt;
        number = number * 10 + (c - '0');
    }
    return Migration{number, std::string(name.substr(kDigits + 1)), {}};
}

}  // namespace

Result<std::vector<Migration>> load_migrations(FileSystem& files, const Path& directory) {
    CLOISON_TRY(const auto names, files.list(directory));
    std::vector<Migration> migrations;
    for (const auto& name : names) {
        if (!name.ends_with(kSuffix)) continue;
        const Path path = directory / name;
        auto migration = from_file_name(name);
        if (!migration)
            return fail(ErrorCode::kInvalidArgument,
                        "The migration " + path.string() + " is not named like 0001_what.sql.");
        if (migration->number != static_cast<int>(migrations.size()) + 1)
            return fail(ErrorCode::kInvalidArgument,
                        "The migration " + path.string() + " stands where number " +
                            std::to_string(migrations.size() + 1) + " is expected.");
        CLOISON_TRY(const auto sql, files.read_file(path, kMaxMigrationSize));
        migration->sql = to_string(sql);
        migrations.push_back(std::move(*migration));
    }
    if (migrations.empty())
        return fail(ErrorCode::kNotFound, "There are no migrations in " + directory.string() + '.');
    return migrations;
}

}  // namespace cloison::storage
