#include "web/components.h"

#include <algorithm>
#include <cctype>

namespace cloison::web {
namespace {

/// Every key that a part of a field reads, so that none is looked up further out.
Json field(std::string_view kind, const Question& question, const FormErrors& errors) {
    const std::string error(errors.at(question.name));
    std::string described_by;
    if (!question.hint.empty()) described_by = question.name + "-hint";
    if (!error.empty())
        described_by += (described_by.empty() ? "" : " ") + question.name + "-error";
    Json json{
        {"name", question.name},
        {"label", question.label},
        {"hint", question.hint},
        {"value", question.value},
        {"error", error},
        {"described_by", described_by},
        {"autocomplete", question.autocomplete},
        {"type", question.type},
        {"input_mode", question.input_mode},
        {"width", question.width},
        {"max_length", question.max_length == 0 ? "" : std::to_string(question.max_length)},
        {"rows", question.rows},
        {"heading", question.page_heading},
        {"no_spellcheck", !question.spellcheck},
        {"options", Json::array()},
        {"parts", Json::array()},
        {"accept", ""},
    };
    for (const char* name :
         {"input", "password", "textarea", "date", "radios", "checkboxes", "select", "file"})
        json[std::string("is_") + name] = name == kind;
    return json;
}

Json options_of(const Question& question, const std::vector<Option>& options,
                const std::vector<std::string>& chosen) {
    Json list = Json::array();
    for (const Option& option : options) {
        // The first has the question's own id: the error summary leads to it.
        const std::string id =
            list.empty() ? question.name : question.name + "-" + std::to_string(list.size() + 1);
        list.push_back(
            {{"id", id},
             {"value", option.value.empty() ? Json("") : Json(option.value)},
             {"text", option.text},
             {"hint", option.hint},
             {"name", question.name},
             {"chosen", std::find(chosen.begin(), chosen.end(), option.value) != chosen.end()}});
    }
    return list;
}

}  // namespace

void FormErrors::add(std::string field, std::string message) {
    if (at(field).empty()) errors_.emplace_back(std::move(field), std::move(message));
}

std::string_view FormErrors::at(std::string_view field) const {
    for (const auto& [name, message] : errors_) {
        if (name == field) return message;
    }
    return {};
}

Json FormErrors::summary() const {
    Json list = Json::array();
    for (const auto& [name, message] : errors_)
        list.push_back({{"field", name}, {"message", message}});
    return list;
}

Json text_input(const Question& question, const FormErrors& errors) {
    return field("input", question, errors);
}

Json password_input(const Question& question, const FormErrors& errors) {
    Question silent = question;
    silent.value.clear();
    silent.type = "password";
    silent.spellcheck = false;
    return field("password", silent, errors);
}

Json text_area(const Question& question, const FormErrors& errors) {
    return field("textarea", question, errors);
}

Json date_input(const Question& question, const net::Form& typed, const FormErrors& errors,
                const DateWords& words) {
    Json json = field("date", question, errors);
    const bool birthday = question.autocomplete == "bday";
    const auto part = [&](const std::string& suffix, const std::string& label, const char* width) {
        const std::string name = question.name + "-" + suffix;
        // The summary leads to the field's own name, so the first of the three carries it as id.
        return Json{{"name", name},
                    {"id", suffix == "day" ? question.name : name},
                    {"label", label},
                    {"width", width},
                    {"value", std::string(typed.get(name))},
                    {"autocomplete", birthday ? "bday-" + suffix : std::string()}};
    };
    json["parts"] = Json::array({part("day", words.day, "2"), part("month", words.month, "2"),
                                 part("year", words.year, "4")});
    return json;
}

Json radios(const Question& question, const std::vector<Option>& options,
            const FormErrors& errors) {
    Json json = field("radios", question, errors);
    json["options"] = options_of(question, options, {question.value});
    return json;
}

Json checkboxes(const Question& question, const std::vector<Option>& options,
                const std::vector<std::string>& chosen, const FormErrors& errors) {
    Json json = field("checkboxes", question, errors);
    json["options"] = options_of(question, options, chosen);
    return json;
}

Json select(const Question& question, const std::vector<Option>& options,
            const FormErrors& errors) {
    Json json = field("select", question, errors);
    json["options"] = options_of(question, options, {question.value});
    return json;
}

Json file_upload(const Question& question, std::string accept, const FormErrors& errors) {
    Json json = field("file", question, errors);
    json["accept"] = std::move(accept);
    return json;
}

Json summary_row(std::string key, std::string value, std::string change, std::string what) {
    return {{"key", std::move(key)},
            {"value", std::move(value)},
            {"change", std::move(change)},
            {"what", std::move(what)},
            {"id", ""}};
}

Json task(std::string title, std::string link, std::string status, std::string colour,
          std::string hint) {
    // The link is described by its status: unique, because links are.
    std::string id;
    if (!link.empty()) {
        id = "status";
        for (const char c : link) id += std::isalnum(static_cast<unsigned char>(c)) ? c : '-';
    }
    return {{"title", std::move(title)},   {"link", std::move(link)}, {"status", std::move(status)},
            {"colour", std::move(colour)}, {"hint", std::move(hint)}, {"id", std::move(id)}};
}

Json tag(std::string text, std::string colour) {
    return {{"text", std::move(text)}, {"colour", std::move(colour)}};
}

Json table(std::string caption, const std::vector<std::string>& columns,
           const std::vector<Json>& rows) {
    Json heads = Json::array();
    for (const std::string& column : columns) heads.push_back({{"text", column}});
    Json body = Json::array();
    for (const Json& row : rows) {
        Json cells = Json::array();
        for (const Json& cell : row) {
            const bool plain = cell.is_string();
            cells.push_back({{"text", plain ? cell : cell.value("text", Json(""))},
                             {"link", plain ? Json("") : cell.value("link", Json(""))},
                             {"numeric", !plain && cell.value("numeric", false)}});
        }
        body.push_back({{"cells", std::move(cells)}});
    }
    return {
        {"caption", std::move(caption)}, {"columns", std::move(heads)}, {"rows", std::move(body)}};
}

Json pagination(const std::string& link, std::size_t page, std::size_t pages) {
    const std::string base = link + (link.find('?') == std::string::npos ? "?" : "&") + "page=";
    const auto at = [&](std::size_t number) { return base + std::to_string(number); };
    return {{"pages", pages},
            {"page", page},
            {"previous", page > 1 ? at(page - 1) : std::string()},
            {"next", page < pages ? at(page + 1) : std::string()},
            {"needed", pages > 1}};
}

}  // namespace cloison::web
