#include "keeper/client/claims.h"

namespace cloison::keeper {
namespace {

/// Parses a flat object; a nested object or a name used twice makes it fail.
Result<nlohmann::json> parse_object(std::string_view json) {
    std::set<std::string> names;
    bool good = true;
    const auto check = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
        if (event == nlohmann::json::parse_event_t::key)
            good = good && names.insert(parsed.get<std::string>()).second;
        return true;
    };
    auto object = nlohmann::json::parse(json, check, /*allow_exceptions=*/false);
    if (!good || object.is_discarded() || !object.is_object())
        return fail(ErrorCode::kUnauthenticated, "A token's claims are malformed.");
    for (const auto& value : object)
        if (value.is_object())
            return fail(ErrorCode::kUnauthenticated, "A token's claims are malformed.");
    return object;
}

}  // namespace

tl::unexpected<Error> Claims::malformed() {
    return fail(ErrorCode::kUnauthenticated, "A token's claims are malformed.");
}

Result<Claims> Claims::parse(std::string_view json) {
    CLOISON_TRY(auto object, parse_object(json));
    return Claims(std::move(object));
}

const nlohmann::json* Claims::take(const char* name) {
    auto found = object_.find(name);
    if (found == object_.end()) return nullptr;
    taken_.insert(name);
    return &*found;
}

Result<std::string> Claims::text(const char* name, std::size_t max_size) {
    const auto* value = take(name);
    if (!value || !value->is_string()) return malformed();
    const auto& text = value->get_ref<const std::string&>();
    if (text.size() > max_size) return malformed();
    return text;
}

Result<Time> Claims::time(const char* name) {
    CLOISON_TRY(auto value, text(name, 32));
    auto time = parse_rfc3339(value);
    if (!time || format_rfc3339(*time, /*with_ms=*/true) != value) return malformed();
    return *time;
}

Result<Bytes> Claims::bytes(const char* name, std::size_t max_size) {
    CLOISON_TRY(auto value, text(name, max_size * 4 / 3 + 4));
    auto bytes = base64url_decode(value);
    if (!bytes || bytes->size() > max_size) return malformed();
    return *bytes;
}

Result<std::vector<std::string>> Claims::texts(const char* name, std::size_t max_count,
                                               std::size_t max_size) {
    const auto* value = take(name);
    if (!value || !value->is_array() || value->size() > max_count) return malformed();
    std::vector<std::string> texts;
    for (const auto& element : *value) {
        if (!element.is_string()) return malformed();
        texts.push_back(element.get<std::string>());
        if (texts.back().empty() || texts.back().size() > max_size) return malformed();
    }
    if (std::set<std::string>(texts.begin(), texts.end()).size() != texts.size())
        return malformed();
    return texts;
}

Status Claims::finish() const {
    if (taken_.size() != object_.size()) return malformed();
    return {};
}

}  // namespace cloison::keeper
