#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/result.h"
#include "net/http.h"

namespace cloison::web {

/// Styles, scripts and images, from assets/, all read at start (at most 4 MiB each). `npm run
/// build` names each by the hash of its content and writes assets/manifest.json
/// (docs/formats/assets.md): the browser keeps them for a year. Immutable after loading; safe from
/// any thread.
class Assets {
  public:
    static Result<Assets> load(FileSystem& files, const Path& directory);
    /// Address of "site.css": /assets/site-3f2a….css; empty if there is none of that name.
    std::string url(std::string_view name) const;
    const std::map<std::string, std::string>& names() const { return urls_; }
    /// The response for /assets/{file}; none if there is no such file.
    std::optional<net::HttpResponse> respond(std::string_view file) const;

  private:
    struct File {
        std::string content;
        std::string type;
    };
    std::map<std::string, std::string> urls_;
    std::map<std::string, File, std::less<>> files_;
};

}  // namespace cloison::web
