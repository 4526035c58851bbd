#include "demo/names.h"

#include <nlohmann/json.hpp>

namespace cloison::demo {
namespace {

constexpr std::size_t kMaxNamesFile = std::size_t{16} << 20;

tl::unexpected<Error> wrong(std::string_view source, const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, std::string(source) + ": " + what);
}

Status read_list(const nlohmann::json& object, const char* key, std::string_view source,
                 std::vector<std::string>& out) {
    const auto list = object.find(key);
    if (list == object.end() || !list->is_array() || list->empty())
        return wrong(source, std::string(key) + " must be a list of names.");
    for (const auto& name : *list) {
        if (!name.is_string() || name.get_ref<const std::string&>().empty())
            return wrong(source, std::string(key) + " holds something that is no name.");
        out.push_back(name.get<std::string>());
    }
    return {};
}

Status read_communes(const nlohmann::json& object, std::string_view source,
                     std::vector<Commune>& out) {
    const auto list = object.find("communes");
    if (list == object.end() || !list->is_array() || list->empty())
        return wrong(source, "communes must be a list.");
    for (const auto& entry : *list) {
        Commune commune;
        for (const auto& [key, value] :
             {std::pair{"name", &commune.name}, std::pair{"department", &commune.department},
              std::pair{"postcode", &commune.postcode}}) {
            if (!entry.is_object() || !entry.contains(key) || !entry[key].is_string() ||
                entry[key].get_ref<const std::string&>().empty())
                return wrong(source, std::string("a commune has no ") + key + '.');
            *value = entry[key].get<std::string>();
        }
        out.push_back(std::move(commune));
    }
    return {};
}

}  // namespace

Result<Names> parse_names(std::string_view json, std::string_view source_name) {
    const auto object = nlohmann::json::parse(json, nullptr, false);
    if (!object.is_object()) return wrong(source_name, "is not a JSON object.");
    Names names;
    CLOISON_TRY_STATUS(read_list(object, "female", source_name, names.female));
    CLOISON_TRY_STATUS(read_list(object, "male", source_name, names.male));
    CLOISON_TRY_STATUS(read_list(object, "surnames", source_name, names.surnames));
    CLOISON_TRY_STATUS(read_communes(object, source_name, names.communes));
    return names;
}

Result<Names> load_names(FileSystem& files, const Path& path) {
    const auto bytes = files.read_file(path, kMaxNamesFile);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound)
        return fail(ErrorCode::kNotFound, path.string() + " is missing: npm run build makes it.");
    if (!bytes) return fail(bytes.error());
    return parse_names(as_text(*bytes), path.string());
}

}  // namespace cloison::demo
