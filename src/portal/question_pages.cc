#include <algorithm>
#include <set>

#include "portal/request_view.h"

namespace cloison::portal {
namespace {

using casework::InputField, casework::InputKind, casework::InputPage;
using web::Context, web::FormErrors, web::Json;

constexpr std::string_view kFromAnswers = "answers";

const casework::InputSection* section_of(const casework::RequestType& type, const InputPage& page) {
    for (const auto& section : type.sections) {
        if (&page >= section.pages.data() && &page < section.pages.data() + section.pages.size())
            return &section;
    }
    return nullptr;
}

/// What decides whether the fields of this page and of the later ones of its task are asked, where
/// the page does not ask for that itself. Nothing else needs to be opened to save an answer.
std::vector<std::string> deciding_fields(const casework::RequestType& type, const InputPage& page) {
    std::set<std::string> names;
    const auto* section = section_of(type, page);
    const auto* end = section->pages.data() + section->pages.size();
    for (const auto* one = &page; one != end; ++one) {
        for (const auto& field : one->fields) {
            if (field.when) names.insert(field.when->field);
        }
    }
    for (const auto& field : page.fields) names.erase(field.name);
    return {names.begin(), names.end()};
}

/// Those, and what the page shows: its own fields.
std::vector<std::string> fields_of(const casework::RequestType& type, const InputPage& page) {
    std::vector<std::string> names = deciding_fields(type, page);
    for (const auto& field : page.fields) names.push_back(field.name);
    return names;
}

/// The page that the path names, and the request with a grant for just the fields of that page.
struct Asked {
    OpenCase found;
    const InputPage* page;
};
Result<Asked> asked_page(const Shared& shared, const Context& context) {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    CLOISON_TRY(auto found, find_case(shared, context, id));
    const InputPage* page = found.type->page(context.path_text("page"));
    if (page == nullptr) return fail(ErrorCode::kNotFound, "No such page.");
    CLOISON_TRY(const auto status, status_of(found.request));
    if (!casework::is_editable(status))
        return fail(ErrorCode::kConflict, "The request can no longer be changed.");
    CLOISON_TRY_STATUS(grant_fields(shared, context, found, fields_of(*found.type, *page)));
    return Asked{std::move(found), page};
}

std::string input_type(InputKind kind) {
    if (kind == InputKind::kPhone) return "tel";
    return kind == InputKind::kEmail ? "email" : "text";
}

/// The component for a field. `typed` holds what stands in the inputs, by form name.
Json component(const Context& context, const InputField& field, const casework::Values& typed,
               const FormErrors& errors, bool heading) {
    const auto found = typed.find(field.name);
    web::Question question{
        .name = field.name,
        .label = context.label(field.label),
        .hint = context.label(field.hint),
        .value = found == typed.end() ? std::string() : found->second,
        .autocomplete = field.autocomplete,
        .type = input_type(field.kind),
        .page_heading = heading,
    };
    if (!field.required && field.kind != InputKind::kChoice)
        question.label += " " + context.text("web.layout.optional");
    switch (field.kind) {
        case InputKind::kChoice: {
            std::vector<web::Option> options;
            for (const auto& choice : field.choices)
                options.push_back({choice.code, context.label(choice.label)});
            return web::radios(question, options, errors);
        }
        case InputKind::kDate: {
            net::Form parts;
            for (const auto& [name, value] : typed) parts.add(name, value);
            return web::date_input(
                question, parts, errors,
                {context.text("web.layout.day"), context.text("web.layout.month"),
                 context.text("web.layout.year")});
        }
        case InputKind::kAddress:
        case InputKind::kLongText:
            question.rows = 4;
            return web::text_area(question, errors);
        case InputKind::kHeight:
            question.width = "4";
            question.input_mode = "numeric";
            return web::text_input(question, errors);
        default:
            question.spellcheck = false;
            return web::text_input(question, errors);
    }
}

/// Canonical values as they stand in inputs: a date in its three parts.
casework::Values as_typed(const InputPage& page, const casework::Values& values) {
    casework::Values typed = values;
    for (const auto& field : page.fields) {
        const auto found = values.find(field.name);
        if (field.kind != InputKind::kDate || found == values.end() || found->second.size() != 10)
            continue;
        typed[field.name + "-year"] = found->second.substr(0, 4);
        typed[field.name + "-month"] = found->second.substr(5, 2);
        typed[field.name + "-day"] = found->second.substr(8, 2);
    }
    return typed;
}

net::HttpResponse question_page(Context& context, const Asked& asked, const casework::Values& typed,
                                const casework::Values& values, const FormErrors& errors) {
    std::vector<const InputField*> fields;
    for (const auto& field : asked.page->fields) {
        // Fields that hang on another of the same page are shown with it: the page has no script.
        const bool same_page =
            field.when &&
            std::any_of(asked.page->fields.begin(), asked.page->fields.end(),
                        [&](const auto& one) { return one.name == field.when->field; });
        if (same_page || casework::is_asked(field, values)) fields.push_back(&field);
    }
    const bool alone = fields.size() == 1;
    Json components = Json::array();
    for (const auto* field : fields)
        components.push_back(component(context, *field, typed, errors, alone));
    const std::string path = request_path(asked.found.request.request());
    const bool from_answers =
        context.query.get("from") == kFromAnswers || context.form.get("from") == kFromAnswers;
    return context.page(
        "portal/question",
        {{"title", alone ? context.label(fields[0]->label) : context.label(asked.page->title)},
         {"back", from_answers ? path + "/answers" : path},
         {"errors", errors.summary()},
         {"heading_needed", !alone},
         {"heading_text", context.label(asked.page->title)},
         {"action", path + "/questions/" + asked.page->name},
         {"from", from_answers ? std::string(kFromAnswers) : std::string()},
         {"fields", components}});
}

Result<net::HttpResponse> ask(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto asked, asked_page(shared, context));
    CLOISON_TRY(const auto values,
                open_case_values(shared, asked.found, fields_of(*asked.found.type, *asked.page)));
    return question_page(context, asked, as_typed(*asked.page, values), values, {});
}

Status save_values(const Shared& shared, const Asked& asked, const casework::Values& before,
                   const casework::Values& read) {
    casework::Values after = before;
    for (const auto& [name, value] : read) after[name] = value;
    casework::v1::SaveValuesRequest request;
    request.set_grant(asked.found.grant);
    request.set_request(asked.found.request.request());
    request.set_version(asked.found.request.version());
    std::vector<PlainValue> plain;
    std::set<std::string> cleared;
    for (const auto& [name, value] : read) {
        if (!value.empty())
            plain.push_back({name, asked.found.request.request(), value});
        else if (is_filled(asked.found.request, name))
            cleared.insert(name);
    }
    // What is no longer asked, because of an answer on this page, is not kept. Pages stand in
    // order, so what hangs on a cleared field comes after it.
    std::set<std::string> answered;
    for (const auto& field : asked.page->fields) answered.insert(field.name);
    for (const auto& section : asked.found.type->sections)
        for (const auto& page : section.pages)
            for (const auto& field : page.fields) {
                if (!field.when || !answered.contains(field.when->field) ||
                    casework::is_asked(field, after))
                    continue;
                answered.insert(field.name);
                after.erase(field.name);
                if (is_filled(asked.found.request, field.name)) cleared.insert(field.name);
                std::erase_if(plain, [&](const auto& one) { return one.field == field.name; });
            }
    if (plain.empty() && cleared.empty()) return {};
    CLOISON_TRY(auto sealed, seal_values(shared, asked.found.grant, plain));
    for (std::size_t i = 0; i < plain.size(); ++i) {
        auto* value = request.add_values();
        value->set_field(plain[i].field);
        value->set_record(plain[i].record);
        value->set_sealed(std::move(sealed[i]));
    }
    for (const auto& name : cleared) request.add_cleared(name);
    CLOISON_TRY_STATUS(shared.services.casework.save_values(request));
    return {};
}

/// The next page of the same task, or the task list.
std::string next_path(const Asked& asked, const casework::Values& values) {
    std::string path = request_path(asked.found.request.request());
    const auto* section = section_of(*asked.found.type, *asked.page);
    const auto* end = section->pages.data() + section->pages.size();
    for (const auto* page = asked.page + 1; page != end; ++page) {
        for (const auto& field : page->fields) {
            if (casework::is_asked(field, values)) return path + "/questions/" + page->name;
        }
    }
    return path;
}

Result<net::HttpResponse> answer(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto asked, asked_page(shared, context));
    CLOISON_TRY(
        const auto before,
        open_case_values(shared, asked.found, deciding_fields(*asked.found.type, *asked.page)));
    casework::Values typed;
    for (const auto& [name, value] : context.form.fields()) typed.emplace(name, value);
    casework::Values read;
    casework::Values now_known = before;
    FormErrors errors;
    for (const auto& field : asked.page->fields) {
        if (!casework::is_asked(field, now_known)) {
            read[field.name].clear();
            continue;
        }
        auto value = casework::read_input(field, typed, context.now);
        if (!value) {
            errors.add(field.name, context.label(value.error().message));
            continue;
        }
        now_known[field.name] = *value;
        read[field.name] = std::move(*value);
    }
    if (!errors.empty()) return question_page(context, asked, typed, now_known, errors);
    CLOISON_TRY_STATUS(save_values(shared, asked, before, read));
    if (context.form.get("from") == kFromAnswers)
        return context.redirect(request_path(asked.found.request.request()) + "/answers");
    return context.redirect(next_path(asked, now_known));
}

Json answer_sections(const Context& context, const OpenCase& found, const casework::Values& values,
                     bool editable) {
    Json sections = Json::array();
    for (const auto& section : found.type->sections) {
        Json rows = Json::array();
        for (const auto& page : section.pages) {
            for (const auto& field : page.fields) {
                if (!casework::is_asked(field, values)) continue;
                const auto value = values.find(field.name);
                const std::string& label = context.label(field.label);
                Json row = web::summary_row(
                    label,
                    value_in_words(context, field, value == values.end() ? "" : value->second),
                    editable ? request_path(found.request.request()) + "/questions/" + page.name +
                                   "?from=answers"
                             : "",
                    label);
                row["id"] = field.name;
                rows.push_back(std::move(row));
            }
        }
        if (!rows.empty())
            sections.push_back({{"heading", context.label(section.title)}, {"rows", rows}});
    }
    return sections;
}

Json document_rows(const Context& context, const OpenCase& found,
                   const std::vector<documents::v1::Document>& documents, bool editable) {
    Json rows = Json::array();
    for (const auto& kind : found.type->documents) {
        const auto count = std::count_if(documents.begin(), documents.end(),
                                         [&](const auto& one) { return one.kind() == kind.name; });
        Json row = web::summary_row(
            context.label(kind.label),
            count == 0 ? context.text("portal.request.not_provided")
                       : context.plural("portal.request.provided", count),
            editable ? request_path(found.request.request()) + "/documents/add/" + kind.name : "",
            context.label(kind.label));
        row["id"] = "document-" + kind.name;
        rows.push_back(std::move(row));
    }
    return rows;
}

struct Answers {
    OpenCase found;
    casework::Values values;
    std::vector<documents::v1::Document> documents;
    bool editable;
};

Result<Answers> open_answers(const Shared& shared, const Context& context) {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    CLOISON_TRY(auto found, find_case(shared, context, id));
    const auto fields = all_fields(*found.type);
    CLOISON_TRY_STATUS(grant_fields(shared, context, found, fields));
    CLOISON_TRY(auto values, open_case_values(shared, found, fields));
    CLOISON_TRY(auto documents, list_documents(shared, found.grant));
    CLOISON_TRY(const auto status, status_of(found.request));
    return Answers{std::move(found), std::move(values), std::move(documents),
                   casework::is_editable(status)};
}

net::HttpResponse answers_page(Context& context, const Answers& answers, const FormErrors& errors) {
    const std::string path = request_path(answers.found.request.request());
    return context.page(
        "portal/answers",
        {{"title", context.text(answers.editable ? "portal.answers.title"
                                                 : "portal.answers.title_read_only")},
         {"back", path},
         {"errors", errors.summary()},
         {"path", path},
         {"here", path + "/answers"},  // Also when it answers a form of another address.
         {"sections", answer_sections(context, answers.found, answers.values, answers.editable)},
         {"documents", Json{{"rows", document_rows(context, answers.found, answers.documents,
                                                   answers.editable)}}},
         {"editable", answers.editable}});
}

Result<net::HttpResponse> show_answers(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto answers, open_answers(shared, context));
    return answers_page(context, answers, {});
}

Result<net::HttpResponse> submit(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto answers, open_answers(shared, context));
    if (!answers.editable)
        return fail(ErrorCode::kConflict, "The request has been submitted already.");
    const FormErrors errors = missing(context, answers.found, answers.values, answers.documents);
    if (!errors.empty()) return answers_page(context, answers, errors);
    casework::v1::SubmitRequest request;
    request.set_grant(answers.found.grant);
    request.set_request(answers.found.request.request());
    request.set_version(answers.found.request.version());
    CLOISON_TRY_STATUS(shared.services.casework.submit(request));
    return context.redirect_with_notice(request_path(answers.found.request.request()),
                                        "portal.answers.submitted");
}

}  // namespace

void add_question_pages(Routes& routes) {
    routes.get("/requests/{request}/questions/{page}", web::Access::kResident, ask);
    routes.post("/requests/{request}/questions/{page}", web::Access::kResident, answer);
    routes.get("/requests/{request}/answers", web::Access::kResident, show_answers);
    routes.post("/requests/{request}/submit", web::Access::kResident, submit);
}

}  // namespace cloison::portal
