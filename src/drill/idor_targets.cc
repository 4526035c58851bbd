#include "drill/idor_targets.h"

#include "base/bytes.h"
#include "drill/html.h"

namespace cloison::drill {
namespace {

constexpr std::size_t kIdSize = 16;
/// A line that no journal of a drill is long enough to have.
constexpr std::uint64_t kFarLine = 4'000'000'000'000;

std::string marked(const std::string& name) {
    std::string text = "{";
    text += name;
    return text += '}';
}

void replace_all(std::string& text, const std::string& what, std::string_view by) {
    if (what.empty()) return;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

}  // namespace

std::vector<std::string> parameter_names(const std::string& pattern) {
    std::vector<std::string> names;
    for (auto open = pattern.find('{'); open != std::string::npos;
         open = pattern.find('{', open + 1)) {
        const auto close = pattern.find('}', open);
        if (close == std::string::npos) break;
        names.push_back(pattern.substr(open + 1, close - open - 1));
    }
    return names;
}

Result<std::string> fill(const std::string& pattern, const Parameters& parameters) {
    std::string path = pattern;
    for (const auto& name : parameter_names(pattern)) {
        const auto value = parameters.find(name);
        if (value == parameters.end())
            return fail(ErrorCode::kNotFound,
                        "The drill knows nothing to put in for {" + name + "} of " + pattern + ".");
        replace_all(path, marked(name), value->second);
    }
    return path;
}

bool names_an_object(const std::string& parameter) {
    return parameter != "page" && parameter != "kind" && parameter != "status";
}

Parameters without_objects(const Parameters& parameters, Random& random) {
    Parameters others = parameters;
    for (auto& [name, value] : others) {
        if (name == "index" || name == "entry") {
            value = std::to_string(kFarLine + random.uniform(1'000'000));
        } else if (names_an_object(name)) {
            Bytes id(kIdSize);
            random.fill(id);
            value = hex_encode(id);
        }
    }
    return others;
}

std::string neutral(std::string body, const Parameters& parameters) {
    for (const auto& [name, value] : parameters)
        if (names_an_object(name) && value.size() > 2) replace_all(body, value, marked(name));
    for (const auto& token : input_values(body, "csrf")) replace_all(body, token, "{csrf}");
    return body;
}

}  // namespace cloison::drill
