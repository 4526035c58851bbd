#include "portal/request_view.h"

#include <algorithm>

#include "web/formats.h"

namespace cloison::portal {

using casework::InputKind, casework::RequestStatus;

std::string request_path(std::string_view request_bytes) {
    return "/requests/" + hex_encode(as_bytes(request_bytes));
}

Result<RequestStatus> status_of(const casework::v1::Request& request) {
    return casework::status_from_code(request.status());
}

web::Json status_tag(const web::Context& context, RequestStatus status) {
    const char* colour = "blue";
    switch (status) {
        case RequestStatus::kDraft:
            colour = "grey";
            break;
        case RequestStatus::kActionRequired:
            colour = "orange";
            break;
        case RequestStatus::kApproved:
        case RequestStatus::kReady:
        case RequestStatus::kDelivered:
            colour = "green";
            break;
        case RequestStatus::kRefused:
            colour = "red";
            break;
        case RequestStatus::kWithdrawn:
            colour = "grey";
            break;
        default:
            break;
    }
    return web::tag(context.label(casework::status_label(status)), colour);
}

std::vector<std::string> condition_fields(const casework::RequestType& type) {
    std::vector<std::string> names;
    for (const auto& section : type.sections)
        for (const auto& page : section.pages)
            for (const auto& field : page.fields)
                if (field.when &&
                    std::find(names.begin(), names.end(), field.when->field) == names.end())
                    names.push_back(field.when->field);
    return names;
}

std::vector<std::string> all_fields(const casework::RequestType& type) {
    std::vector<std::string> names;
    for (const auto& section : type.sections)
        for (const auto& page : section.pages)
            for (const auto& field : page.fields) names.push_back(field.name);
    return names;
}

std::vector<SealedValue> sealed_values(const casework::v1::Request& request,
                                       const std::vector<std::string>& fields) {
    std::vector<SealedValue> values;
    for (const auto& value : request.values()) {
        if (std::find(fields.begin(), fields.end(), value.field()) != fields.end())
            values.push_back({value.field(), value.record(), value.sealed()});
    }
    return values;
}

Result<casework::Values> open_case_values(const Shared& shared, const OpenCase& found,
                                          const std::vector<std::string>& fields) {
    const auto sealed = sealed_values(found.request, fields);
    CLOISON_TRY(auto plain, open_values(shared, found.grant, sealed));
    casework::Values values;
    for (std::size_t i = 0; i < sealed.size(); ++i) values[sealed[i].field] = std::move(plain[i]);
    return values;
}

bool is_filled(const casework::v1::Request& request, std::string_view field) {
    return std::any_of(request.values().begin(), request.values().end(),
                       [&](const auto& value) { return value.field() == field; });
}

std::string value_in_words(const web::Context& context, const casework::InputField& field,
                           const std::string& value) {
    if (value.empty()) return context.text("portal.request.not_answered");
    switch (field.kind) {
        case InputKind::kChoice:
            for (const auto& choice : field.choices) {
                if (choice.code == value) return context.label(choice.label);
            }
            return value;
        case InputKind::kDate:
            return web::format_calendar_date(context.language, value);
        case InputKind::kHeight:
            return value + "\u00a0cm";
        default:
            return value;
    }
}

Result<std::vector<documents::v1::Document>> list_documents(const Shared& shared,
                                                            const std::string& grant) {
    documents::v1::ListRequest request;
    request.set_grant(grant);
    CLOISON_TRY(auto answer, shared.services.documents.list(request));
    return std::vector<documents::v1::Document>(answer.documents().begin(),
                                                answer.documents().end());
}

web::FormErrors missing(const web::Context& context, const OpenCase& found,
                        const casework::Values& values,
                        const std::vector<documents::v1::Document>& documents) {
    web::FormErrors errors;
    for (const auto& error : casework::check_complete(*found.type, values, context.now))
        errors.add(error.field, context.label(error.message));
    for (const auto& kind : found.type->documents) {
        const bool there =
            std::any_of(documents.begin(), documents.end(),
                        [&](const auto& document) { return document.kind() == kind.name; });
        if (kind.required && !there)
            errors.add("document-" + kind.name,
                       context.text("portal.request.document_missing",
                                    {{"kind", context.label(kind.label)}}));
    }
    return errors;
}

}  // namespace cloison::portal
