#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "registry/registry.h"

namespace cloison::casework {

/// One table of a request type's file. Each key that the table may have is asked for once; finish()
/// refuses the others. Errors are kInvalidArgument and say where.
class TomlReader {
  public:
    TomlReader(const toml::table& table, std::string where)
        : table_(table), where_(std::move(where)) {}

    const std::string& where() const { return where_; }
    tl::unexpected<Error> wrong(const std::string& what) const;
    bool has(std::string_view key) const { return table_.contains(key); }

    Result<std::string> text(std::string_view key, std::size_t max_bytes);
    /// Lower-case letters, digits, and hyphens or underscores; a letter first; at most 40.
    Result<std::string> name(std::string_view key);
    Result<std::vector<std::string>> names(std::string_view key);
    Result<std::int64_t> integer(std::string_view key, std::int64_t low, std::int64_t high,
                                 std::optional<std::int64_t> otherwise = std::nullopt);
    Result<bool> boolean(std::string_view key, bool otherwise);
    Result<registry::Label> label(std::string_view key);
    Result<registry::Label> optional_label(std::string_view key);
    Result<const toml::table*> table(std::string_view key);
    /// At least one, at most `max`.
    Result<std::vector<const toml::table*>> tables(std::string_view key, std::size_t max);
    Status finish() const;

  private:
    const toml::node* take(std::string_view key);

    const toml::table& table_;
    std::string where_;
    std::set<std::string, std::less<>> taken_;
};

bool is_request_type_name(std::string_view text);

}  // namespace cloison::casework
