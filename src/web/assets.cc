#include "web/assets.h"

#include <array>
#include <nlohmann/json.hpp>

namespace cloison::web {
namespace {

constexpr std::size_t kMaxAsset = std::size_t{4} * 1024 * 1024;

std::string_view type_of(std::string_view file) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kTypes{{
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
    }};
    for (const auto& [ending, type] : kTypes) {
        if (file.ends_with(ending)) return type;
    }
    return {};
}

}  // namespace

Result<Assets> Assets::load(FileSystem& files, const Path& directory) {
    const Path manifest_path = directory / "manifest.json";
    CLOISON_TRY(const auto manifest, files.read_file(manifest_path, kMaxAsset));
    const auto json = nlohmann::json::parse(as_text(manifest), nullptr, false);
    if (!json.is_object())
        return fail(ErrorCode::kInvalidArgument, manifest_path.string() + " is no JSON object.");
    Assets assets;
    for (const auto& [name, value] : json.items()) {
        const std::string file = value.is_string() ? value.get<std::string>() : "";
        if (file.empty() || file.find('/') != std::string::npos || type_of(file).empty())
            return fail(ErrorCode::kInvalidArgument,
                        manifest_path.string() + ": " + name + " names no asset file.");
        CLOISON_TRY(const auto content, files.read_file(directory / file, kMaxAsset));
        assets.urls_.emplace(name, "/assets/" + file);
        assets.files_.emplace(file, File{to_string(content), std::string(type_of(file))});
    }
    return assets;
}

std::string Assets::url(std::string_view name) const {
    const auto found = urls_.find(std::string(name));
    return found == urls_.end() ? std::string() : found->second;
}

std::optional<net::HttpResponse> Assets::respond(std::string_view file) const {
    const auto found = files_.find(file);
    if (found == files_.end()) return std::nullopt;
    net::HttpResponse response;
    response.headers.set("Content-Type", found->second.type);
    response.headers.set("Cache-Control", "public, max-age=31536000, immutable");
    response.body = found->second.content;
    return response;
}

}  // namespace cloison::web
