#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "web/texts.h"

namespace cloison::web {

using Json = nlohmann::json;

/// Page templates: mustache, from templates/**.mustache; the name is the path without ending
/// ("portal/home"). layout.mustache surrounds every page and places it with {{> page}};
/// {{> parts/input}} includes another template. {{t.portal.home.title}} is a text of the page's
/// language. Everything is escaped: a template with an unescaped tag ({{{ }}} or {{& }}) does not
/// load. Partials are merged in at load, so rendering parses nothing.
///
/// In sections, false, null, "" and [] are all empty. A name that is absent from an object is
/// looked up in the objects around it: data for parts names every key (components.h does).
///
/// Immutable after loading; safe from any thread.
class Templates {
  public:
    /// kInvalidArgument naming the template and the fault: syntax, missing partial or text, a loop.
    static Result<Templates> load(FileSystem& files, const Path& directory, const Texts& texts);
    Templates(Templates&&) noexcept;
    Templates& operator=(Templates&&) noexcept;
    ~Templates();

    bool has(std::string_view name) const;
    std::vector<std::string> names() const;
    /// The page `name` inside the layout. `data` is an object. An unknown name is a bug and aborts.
    std::string render(std::string_view name, Language language, const Json& data) const;
    /// The template alone, without the layout (mails, fragments).
    std::string render_alone(std::string_view name, Language language, const Json& data) const;

  private:
    struct Store;
    explicit Templates(std::unique_ptr<Store> store);
    std::unique_ptr<Store> store_;
};

}  // namespace cloison::web
