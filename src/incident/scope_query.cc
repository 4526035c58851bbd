#include "incident/scope_query.h"

#include <charconv>

namespace cloison::incident {
namespace {

/// True if `text` is an address that parse_origin understands.
std::optional<journal::Origin> read_origin(std::string_view text) {
    const journal::Origin origin = journal::parse_origin(text);
    if (origin == journal::Origin{} && text != "::") return std::nullopt;
    return origin;
}

tl::unexpected<Error> wrong(std::string_view key, std::string_view expected) {
    return fail(ErrorCode::kInvalidArgument,
                "The scope's \"" + std::string(key) + "\" must be " + std::string(expected) + ".");
}

Result<std::optional<Time>> read_time(const net::Form& form, std::string_view key) {
    const std::string_view text = form.get(key);
    if (text.empty()) return std::optional<Time>();
    auto time = parse_rfc3339(text);
    if (!time) return wrong(key, "a date and time such as 2026-04-13T09:30:00Z");
    return std::optional<Time>(*time);
}

template <class Tag>
Result<std::optional<Id<Tag>>> read_id(const net::Form& form, std::string_view key) {
    const std::string_view text = form.get(key);
    if (text.empty()) return std::optional<Id<Tag>>();
    auto id = Id<Tag>::from_hex(text);
    if (!id) return wrong(key, "32 hexadecimal digits");
    return std::optional<Id<Tag>>(*id);
}

/// The number of a named entry of the register.
template <class Find>
Result<std::optional<std::uint8_t>> read_name(const net::Form& form, std::string_view key,
                                              Find find) {
    const std::string_view text = form.get(key);
    if (text.empty()) return std::optional<std::uint8_t>();
    const auto* found = find(text);
    if (found == nullptr) return wrong(key, "a " + std::string(key) + " of the register");
    return std::optional<std::uint8_t>(found->number);
}

}  // namespace

bool ScopeQuery::counts_self() const {
    return include_self || actor || session || origin || purpose;
}

std::string format_scope_query(const ScopeQuery& query, const registry::Registry& registry) {
    std::string text;
    const auto put = [&text](std::string_view key, std::string_view value) {
        if (!text.empty()) text += '&';
        text += key;
        text += '=';
        text += net::percent_encode(value);
    };
    if (query.actor) put("actor", query.actor->hex());
    if (query.door) put("door", registry.door(*query.door)->name);
    if (query.field) put("field", registry.field(*query.field)->name);
    if (query.from) put("from", format_rfc3339(*query.from, true));
    if (query.include_self) put("include_self", "yes");
    if (query.origin) put("origin", journal::format_origin(*query.origin));
    if (query.purpose) put("purpose", registry.purpose(*query.purpose)->name);
    if (query.session) put("session", query.session->hex());
    if (query.to) put("to", format_rfc3339(*query.to, true));
    if (query.up_to) put("up_to", std::to_string(*query.up_to));
    return text;
}

Result<ScopeQuery> parse_scope_query(const net::Form& form, const registry::Registry& registry) {
    ScopeQuery query;
    CLOISON_TRY(query.from, read_time(form, "from"));
    CLOISON_TRY(query.to, read_time(form, "to"));
    if (query.from && query.to && *query.from >= *query.to) return wrong("from", "before \"to\"");
    CLOISON_TRY(query.door,
                read_name(form, "door", [&](auto name) { return registry.door(name); }));
    CLOISON_TRY(query.purpose,
                read_name(form, "purpose", [&](auto name) { return registry.purpose(name); }));
    CLOISON_TRY(query.field,
                read_name(form, "field", [&](auto name) { return registry.field(name); }));
    CLOISON_TRY(query.actor, read_id<ActorTag>(form, "actor"));
    CLOISON_TRY(query.session, read_id<SessionTag>(form, "session"));
    if (const auto text = form.get("origin"); !text.empty()) {
        query.origin = read_origin(text);
        if (!query.origin) return wrong("origin", "an IPv4 or IPv6 address");
    }
    if (const auto text = form.get("include_self"); !text.empty()) {
        if (text != "yes") return wrong("include_self", "\"yes\" or absent");
        query.include_self = true;
    }
    if (const auto text = form.get("up_to"); !text.empty()) {
        std::uint64_t number = 0;
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (code != std::errc() || end != text.data() + text.size())
            return wrong("up_to", "a number of entries");
        query.up_to = number;
    }
    return query;
}

}  // namespace cloison::incident
