#include "web/texts.h"

#include <toml++/toml.h>

#include <cstdlib>
#include <optional>
#include <set>

#include "base/log.h"
#include "web/formats.h"

namespace cloison::web {
namespace {

constexpr std::size_t kMaxTextFile = std::size_t{1024} * 1024;
using Flat = std::map<std::string, std::string, std::less<>>;

Status flatten(const toml::table& table, const std::string& prefix, Flat& out) {
    for (const auto& [name, node] : table) {
        const std::string key = prefix + "." + std::string(name.str());
        if (const auto* inner = node.as_table()) {
            CLOISON_TRY_STATUS(flatten(*inner, key, out));
            continue;
        }
        const auto text = node.value_exact<std::string>();
        if (!text || text->empty())
            return fail(ErrorCode::kInvalidArgument, "Text " + key + " is no string or empty.");
        out.emplace(key, *text);
    }
    return {};
}

Result<Flat> load_language(FileSystem& files, const Path& directory) {
    CLOISON_TRY(const auto names, files.list(directory));
    Flat out;
    for (const std::string& name : names) {
        if (!name.ends_with(".toml")) continue;
        CLOISON_TRY(const auto content, files.read_file(directory / name, kMaxTextFile));
        try {
            const auto table = toml::parse(as_text(content));
            CLOISON_TRY_STATUS(flatten(table, name.substr(0, name.size() - 5), out));
        } catch (const toml::parse_error& error) {
            return fail(ErrorCode::kInvalidArgument, (directory / name).string() + ", line " +
                                                         std::to_string(error.source().begin.line) +
                                                         ": " + std::string(error.description()));
        }
    }
    return out;
}

/// A name in braces: {name}. None if there is none from `from` on.
struct Placeholder {
    std::size_t begin, end;
    std::string_view name;
};
std::optional<Placeholder> next_placeholder(std::string_view text, std::size_t from) {
    const auto begin = text.find('{', from);
    if (begin == std::string_view::npos) return std::nullopt;
    const auto close = text.find('}', begin);
    if (close == std::string_view::npos) return std::nullopt;
    return Placeholder{begin, close + 1, text.substr(begin + 1, close - begin - 1)};
}

std::set<std::string, std::less<>> placeholders(std::string_view text) {
    std::set<std::string, std::less<>> names;
    for (auto found = next_placeholder(text, 0); found; found = next_placeholder(text, found->end))
        names.emplace(found->name);
    return names;
}

}  // namespace

Result<Texts> Texts::load(FileSystem& files, const Path& directory) {
    CLOISON_TRY(auto french, load_language(files, directory / "fr"));
    CLOISON_TRY(auto english, load_language(files, directory / "en"));
    for (const auto& [key, text] : english) {
        if (!french.contains(key))
            return fail(ErrorCode::kInvalidArgument, "Text " + key + " is missing in French.");
    }
    Texts texts;
    for (auto& [key, text] : french) {
        const auto other = english.find(key);
        if (other == english.end())
            return fail(ErrorCode::kInvalidArgument, "Text " + key + " is missing in English.");
        if (placeholders(text) != placeholders(other->second))
            return fail(ErrorCode::kInvalidArgument,
                        "Text " + key + " has different placeholders in French and English.");
        texts.texts_.emplace(key, Pair{std::move(text), std::move(other->second)});
    }
    return texts;
}

const std::string* Texts::find(Language language, std::string_view key) const {
    const auto found = texts_.find(key);
    if (found == texts_.end()) return nullptr;
    return language == Language::kEnglish ? &found->second.english : &found->second.french;
}

std::string Texts::get(Language language, std::string_view key,
                       const TextArguments& arguments) const {
    const std::string* text = find(language, key);
    if (text == nullptr) {
        log_error("No text has the key " + std::string(key) + ".");
        std::abort();
    }
    if (arguments.empty()) return *text;
    std::string out;
    std::size_t copied = 0;
    for (auto found = next_placeholder(*text, 0); found;
         found = next_placeholder(*text, found->end)) {
        out.append(*text, copied, found->begin - copied);
        copied = found->end;
        for (const auto& [name, value] : arguments) {
            if (name == found->name) out += value;
        }
    }
    return out.append(*text, copied);
}

std::string Texts::plural(Language language, std::string_view key, std::int64_t n,
                          const TextArguments& arguments) const {
    const bool one = language == Language::kFrench ? n == 0 || n == 1 : n == 1;
    TextArguments all = arguments;
    all.emplace_back("n", format_number(language, n));
    return get(language, std::string(key) + (one ? ".one" : ".other"), all);
}

std::vector<std::string> Texts::keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, pair] : texts_) keys.push_back(key);
    return keys;
}

}  // namespace cloison::web
