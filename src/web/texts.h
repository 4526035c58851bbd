#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "web/language.h"

namespace cloison::web {

/// What stands in for {name} in a text.
using TextArguments = std::vector<std::pair<std::string_view, std::string>>;

/// The words of the pages, from texts/fr/*.toml and texts/en/*.toml. A key is the file's name
/// without ending, then the tables, then the name, joined by dots: [home] title = "…" in
/// portal.toml is portal.home.title. Immutable after loading; safe from any thread.
class Texts {
  public:
    /// kInvalidArgument naming the file or key: a key that only one language has, an empty text,
    /// placeholders that differ between the languages, a value that is no string.
    static Result<Texts> load(FileSystem& files, const Path& directory);

    bool has(std::string_view key) const { return texts_.contains(key); }
    /// The text with its placeholders filled in. An unknown key is a bug: it aborts, and the test
    /// that reads the sources for keys finds it first.
    std::string get(Language language, std::string_view key,
                    const TextArguments& arguments = {}) const;
    /// `key`.one or `key`.other by the language's rule (French: 0 and 1 are singular); {n} is the
    /// formatted number.
    std::string plural(Language language, std::string_view key, std::int64_t n,
                       const TextArguments& arguments = {}) const;
    std::vector<std::string> keys() const;  ///< Sorted.
    /// Without placeholders filled in; owned by this object. Null for an unknown key.
    const std::string* find(Language language, std::string_view key) const;

  private:
    struct Pair {
        std::string french;
        std::string english;
    };
    std::map<std::string, Pair, std::less<>> texts_;
};

}  // namespace cloison::web
