#include "web/templates.h"

#include <cstdlib>
#include <kainjow/mustache.hpp>
#include <map>
#include <set>

#include "base/log.h"

namespace cloison::web {
namespace {

using kainjow::mustache::data;
using Mustache = kainjow::mustache::mustache;

constexpr std::size_t kMaxTemplate = std::size_t{256} * 1024;
constexpr std::size_t kMaxMerged = std::size_t{1024} * 1024;
constexpr int kMaxDepth = 12;
constexpr std::string_view kPagePartial = "page";

using Sources = std::map<std::string, std::string, std::less<>>;

Status read_sources(FileSystem& files, const Path& directory, const std::string& prefix,
                    Sources& out) {
    CLOISON_TRY(const auto names, files.list(directory));
    for (const std::string& name : names) {
        if (name.find('.') == std::string::npos) {
            CLOISON_TRY_STATUS(read_sources(files, directory / name, prefix + name + "/", out));
        } else if (name.ends_with(".mustache")) {
            CLOISON_TRY(const auto content, files.read_file(directory / name, kMaxTemplate));
            out.emplace(prefix + name.substr(0, name.size() - 9), to_string(content));
        }
    }
    return {};
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

/// Puts partials in place and checks every tag on the way.
class Merger {
  public:
    Merger(const Sources& sources, const Texts& texts, std::set<std::string>& keys)
        : sources_(sources), texts_(texts), keys_(keys) {}

    Result<std::string> merge(const std::string& name, std::string_view page) {
        std::string out;
        CLOISON_TRY_STATUS(append(name, page, 0, out));
        return out;
    }

  private:
    Status append(std::string_view name, std::string_view page, int depth, std::string& out) {
        const auto found = sources_.find(name);
        if (found == sources_.end()) return fault(name, "is missing");
        if (depth > kMaxDepth) return fault(name, "includes itself");
        const std::string_view source = found->second;
        std::size_t copied = 0;
        for (auto open = source.find("{{"); open != std::string_view::npos;
             open = source.find("{{", copied)) {
            const auto close = source.find("}}", open);
            if (close == std::string_view::npos) return fault(name, "has a tag without end");
            const std::string_view tag = source.substr(open + 2, close - open - 2);
            out.append(source.substr(copied, open - copied));
            copied = close + 2;
            if (tag.starts_with('!')) continue;
            if (tag.starts_with('{') || tag.starts_with('&') || tag.starts_with('='))
                return fault(name, "has an unescaped tag or changes the delimiters");
            if (tag.starts_with('>')) {
                std::string_view partial = trim(tag.substr(1));
                if (partial == kPagePartial) partial = page;
                CLOISON_TRY_STATUS(append(partial, page, depth + 1, out));
                if (out.size() > kMaxMerged) return fault(name, "grows beyond 1 MiB");
                continue;
            }
            CLOISON_TRY_STATUS(check_text(name, tag));
            out.append(source.substr(open, copied - open));
        }
        out.append(source.substr(copied));
        return {};
    }

    Status check_text(std::string_view name, std::string_view tag) {
        if (tag.starts_with('#') || tag.starts_with('^') || tag.starts_with('/'))
            tag.remove_prefix(1);
        tag = trim(tag);
        if (!tag.starts_with("t.")) return {};
        const std::string key(tag.substr(2));
        if (!texts_.has(key)) return fault(name, "uses the text " + key + ", which does not exist");
        keys_.insert(key);
        return {};
    }

    static tl::unexpected<Error> fault(std::string_view name, const std::string& what) {
        return fail(ErrorCode::kInvalidArgument,
                    "Template " + std::string(name) + " " + what + ".");
    }

    const Sources& sources_;
    const Texts& texts_;
    std::set<std::string>& keys_;
};

data to_data(const Json& json) {
    switch (json.type()) {
        case Json::value_t::object: {
            data object(data::type::object);
            for (const auto& [name, value] : json.items()) object.set(name, to_data(value));
            return object;
        }
        case Json::value_t::array: {
            data list(data::type::list);
            for (const auto& value : json) list.push_back(to_data(value));
            return list;
        }
        case Json::value_t::string: {
            const auto& text = json.get_ref<const std::string&>();
            return text.empty() ? data(data::type::bool_false) : data(text);
        }
        case Json::value_t::boolean:
            return data(json.get<bool>() ? data::type::bool_true : data::type::bool_false);
        case Json::value_t::null:
            return data(data::type::bool_false);
        default:
            return data(json.dump());
    }
}

using TextData = std::map<std::string, data, std::less<>>;

/// Looks up "t.…" among the texts of one language and everything else in the page's data.
class PageContext : public kainjow::mustache::context<std::string> {
  public:
    PageContext(const data* page, const TextData& texts) : context(page), texts_(texts) {}
    const data* get(const std::string& name) const override {
        if (!name.starts_with("t.")) return context::get(name);
        const auto found = texts_.find(std::string_view(name).substr(2));
        return found == texts_.end() ? nullptr : &found->second;
    }

  private:
    const TextData& texts_;
};

}  // namespace

struct Templates::Store {
    // Rendering does not change a parsed template that has no partials and no lambdas, which is
    // all that Merger lets through, so all threads share one.
    mutable std::map<std::string, Mustache, std::less<>> pages;
    mutable std::map<std::string, Mustache, std::less<>> alone;
    TextData french;
    TextData english;

    std::string render(std::map<std::string, Mustache, std::less<>>& from, std::string_view name,
                       Language language, const Json& json) const {
        const auto found = from.find(name);
        if (found == from.end()) {
            log_error("No template has the name " + std::string(name) + ".");
            std::abort();
        }
        const data page = to_data(json);
        PageContext context(&page, language == Language::kEnglish ? english : french);
        return found->second.render(context);
    }
};

Templates::Templates(std::unique_ptr<Store> store) : store_(std::move(store)) {}
Templates::Templates(Templates&&) noexcept = default;
Templates& Templates::operator=(Templates&&) noexcept = default;
Templates::~Templates() = default;

Result<Templates> Templates::load(FileSystem& files, const Path& directory, const Texts& texts) {
    Sources sources;
    CLOISON_TRY_STATUS(read_sources(files, directory, "", sources));
    if (!sources.contains("layout"))
        return fail(ErrorCode::kInvalidArgument,
                    "Template layout is missing in " + directory.string() + ".");
    auto store = std::make_unique<Store>();
    std::set<std::string> keys;
    Merger merger(sources, texts, keys);
    const auto parse = [&](auto& into, const std::string& name,
                           const std::string& merged) -> Status {
        Mustache parsed(merged);
        if (!parsed.is_valid())
            return fail(ErrorCode::kInvalidArgument,
                        "Template " + name + ": " + parsed.error_message());
        into.emplace(name, std::move(parsed));
        return {};
    };
    for (const auto& [name, source] : sources) {
        if (name == "layout" || name.starts_with("parts/")) continue;
        CLOISON_TRY(const auto page, merger.merge("layout", name));
        CLOISON_TRY_STATUS(parse(store->pages, name, page));
        CLOISON_TRY(const auto alone, merger.merge(name, name));
        CLOISON_TRY_STATUS(parse(store->alone, name, alone));
    }
    for (const std::string& key : keys) {
        store->french.emplace(key, data(*texts.find(Language::kFrench, key)));
        store->english.emplace(key, data(*texts.find(Language::kEnglish, key)));
    }
    return Templates(std::move(store));
}

bool Templates::has(std::string_view name) const {
    return store_->pages.contains(name);
}

std::vector<std::string> Templates::names() const {
    std::vector<std::string> names;
    for (const auto& [name, parsed] : store_->pages) names.push_back(name);
    return names;
}

std::string Templates::render(std::string_view name, Language language, const Json& data) const {
    return store_->render(store_->pages, name, language, data);
}

std::string Templates::render_alone(std::string_view name, Language language,
                                    const Json& data) const {
    return store_->render(store_->alone, name, language, data);
}

}  // namespace cloison::web
