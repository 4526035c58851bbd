#pragma once

#include <string>
#include <vector>

#include "desk/core.h"

namespace cloison::desk {

/// A case as the officer who has taken it may see it: sealed.
struct Case {
    RequestId id;
    casework::v1::Request request;
    std::string ticket;
    const casework::RequestType* type = nullptr;

    std::string path() const { return "/cases/" + id.hex(); }
};
/// The case named in the path. kNotFound if it is not assigned to who asks.
Result<Case> get_case(const Core& core, const web::Context& context);

/// A section as officers call it; the request type's own title speaks to the resident.
std::string section_title(const web::Context& context, const casework::InputSection& section);

/// What can be revealed together: a section of the request type, "messages" or "documents".
struct RevealGroup {
    std::string name;
    std::string title;
    std::vector<std::string> fields;  ///< Of the register.
};
std::vector<RevealGroup> reveal_groups(const web::Context& context, const Case& of);

/// The reasons of a purpose as choices.
std::vector<web::Option> reason_options(const Core& core, const web::Context& context,
                                        std::string_view purpose);
/// The question "why": radios named "reason".
web::Json reason_question(const Core& core, const web::Context& context, std::string_view purpose,
                          const web::FormErrors& errors);
/// The reason chosen, or an error on it and an empty text.
std::string read_reason(const Core& core, const web::Context& context, std::string_view purpose,
                        web::FormErrors& errors);

/// A canonical value as people read it.
std::string readable(const web::Context& context, const casework::InputField& field,
                     std::string_view value);

/// Reference, status tag, history: what every page of a case shows.
web::Json case_head(const web::Context& context, const Case& of);
web::Json status_tag(const web::Context& context, std::string_view status);

/// One entry of the status filter and of the decisions.
std::string status_text(const web::Context& context, std::string_view status);

inline constexpr std::string_view kMask = "••••••";
inline constexpr std::string_view kProcess = "process_request";

}  // namespace cloison::desk
