#include <algorithm>

#include "desk/case_view.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

using web::Access;
using web::Context;
using web::Json;

/// Revealing personal fields of a case: why, and which groups. The values stand in the answer to
/// the form and nowhere else: no address leads to them.
struct RevealPages {
    const Core& core;

    Result<net::HttpResponse> ask(Context& context) const;
    Result<net::HttpResponse> reveal(Context& context) const;
};

net::HttpResponse ask_page(const Core& core, Context& context, const Case& of,
                           const web::FormErrors& errors) {
    std::vector<web::Option> options;
    for (const RevealGroup& group : reveal_groups(context, of))
        options.push_back({group.name, group.title});
    std::vector<std::string> chosen;
    for (const auto name : context.form.all("group")) chosen.emplace_back(name);
    return form_page(context,
                     {.title = context.text("desk.reveal.title"),
                      .action = of.path() + "/reveal",
                      .submit = context.text("desk.reveal.submit"),
                      .back = of.path(),
                      .warning = context.text("desk.reveal.warning"),
                      .fields = {web::checkboxes({.name = "group",
                                                  .label = context.text("desk.reveal.groups"),
                                                  .hint = context.text("desk.reveal.groups_hint")},
                                                 options, chosen, errors),
                                 reason_question(core, context, kProcess, errors)}},
                     errors);
}

Result<net::HttpResponse> RevealPages::ask(Context& context) const {
    CLOISON_TRY(const Case found, get_case(core, context));
    return ask_page(core, context, found, {});
}

/// The sealed values of the groups that were chosen, in the order in which they are shown.
std::vector<SealedValue> sealed_values(const Case& of, const std::vector<RevealGroup>& groups) {
    std::vector<SealedValue> values;
    for (const RevealGroup& group : groups) {
        if (group.name == "messages") {
            for (const auto& message : of.request.messages())
                values.push_back({"message_text", message.message(), message.sealed()});
            continue;
        }
        for (const std::string& field : group.fields)
            for (const auto& value : of.request.values())
                if (value.field() == field)
                    values.push_back({field, value.record(), value.sealed()});
    }
    return values;
}

Json lines_of(std::string_view text) {
    Json lines = Json::array();
    while (!text.empty()) {
        const auto end = text.find('\n');
        std::string line(text.substr(0, end));
        if (line.ends_with('\r')) line.pop_back();
        lines.push_back(line);
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return lines;
}

/// The groups with their values: `opened` are those of sealed_values, in its order.
Json shown_groups(const Core& core, const Context& context, const Case& of,
                  const std::vector<RevealGroup>& groups, const std::vector<Secret>& opened) {
    Json shown = Json::array();
    std::size_t next = 0;
    for (const RevealGroup& group : groups) {
        Json rows = Json::array();
        if (group.name == "messages") {
            for (const auto& message : of.request.messages()) {
                const std::string at =
                    web::format_date_hour(context.language, from_unix_ms(message.at_ms()));
                rows.push_back({{"key", context.text("desk.case.by_" + message.from())},
                                {"note", at},
                                {"lines", lines_of(opened[next++].text())}});
            }
        } else {
            for (const std::string& name : group.fields) {
                const casework::InputField* field = of.type->field(name);
                rows.push_back(
                    {{"key", context.label(core.registry.field(name)->label)},
                     {"note", ""},
                     {"lines", lines_of(readable(context, *field, opened[next++].text()))}});
            }
        }
        shown.push_back({{"title", group.title}, {"rows", rows}});
    }
    return shown;
}

Result<net::HttpResponse> RevealPages::reveal(Context& context) const {
    CLOISON_TRY(const Case found, get_case(core, context));
    web::FormErrors errors;
    const auto asked = context.form.all("group");
    std::vector<RevealGroup> groups = reveal_groups(context, found);
    std::erase_if(groups, [&](const RevealGroup& group) {
        return std::find(asked.begin(), asked.end(), group.name) == asked.end();
    });
    if (groups.empty()) errors.add("group", context.text("desk.reveal.groups_missing"));
    const std::string reason = read_reason(core, context, kProcess, errors);
    if (!errors.empty()) return ask_page(core, context, found, errors);

    GrantWanted wanted{.purpose = std::string(kProcess), .reason = reason, .ticket = found.ticket};
    for (const RevealGroup& group : groups)
        wanted.fields.insert(wanted.fields.end(), group.fields.begin(), group.fields.end());
    CLOISON_TRY(const auto grant, issue_grant(core, context, wanted));
    const auto opened = open_values(core, grant, sealed_values(found, groups));
    if (!opened && opened.error().code == ErrorCode::kExhausted)
        return budget_page(context, found.path());
    if (!opened) return fail(opened.error());
    return context.page(
        "desk/revealed",
        {{"title", context.text("desk.revealed.title", {{"reference", found.request.reference()}})},
         {"case", case_head(context, found)},
         {"reason", context.label(core.registry.purpose(kProcess)->reason(reason)->label)},
         {"groups", shown_groups(core, context, found, groups, *opened)}});
}

}  // namespace

void add_reveal_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<RevealPages>(core);
    site.get("/cases/{request}/reveal", Access::kOfficer, on(&RevealPages::ask));
    site.post("/cases/{request}/reveal", Access::kOfficer, on(&RevealPages::reveal));
}

}  // namespace cloison::desk
