#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.h"
#include "web/templates.h"

namespace cloison::web {

/// What is wrong on a form, in the order of its fields. The summary at the top and the field itself
/// say the same words, because both read from here. Messages hold nothing that was typed.
class FormErrors {
  public:
    void add(std::string field, std::string message);  ///< One message a field: the first stays.
    bool empty() const { return errors_.empty(); }
    std::string_view at(std::string_view field) const;  ///< Empty: none.
    /// For "errors" of the page's data: the layout then shows the summary and prefixes the title.
    Json summary() const;

  private:
    std::vector<std::pair<std::string, std::string>> errors_;
};

struct Option {
    std::string value;
    std::string text;
    std::string hint = {};
};

/// One question. The functions below turn it into data for templates/parts/field.mustache, which
/// shows the right component: {{#fields}}{{> parts/field}}{{/fields}}, or
/// {{#email}}{{> parts/field}}{{/email}}.
struct Question {
    std::string name;  ///< Also the id: the summary's links lead there.
    std::string label;
    std::string hint = {};
    std::string value = {};
    std::string autocomplete = {};  ///< HTML autocomplete token.
    std::string type = "text";      ///< For text_input: text, email, tel, password …
    std::string input_mode = {};    ///< numeric, decimal …
    std::string width = {};         ///< Width class: "2", "4", "5", "10", "20"; empty: full.
    std::size_t max_length = 0;     ///< Shown to the browser, not trusted; 0: none.
    int rows = 5;                   ///< Of a textarea.
    bool page_heading = false;      ///< The label is the page's h1.
    bool spellcheck = true;
};

struct DateWords {
    std::string day, month, year;
};

Json text_input(const Question& question, const FormErrors& errors);
Json password_input(const Question& question, const FormErrors& errors);  ///< Never shows `value`.
Json text_area(const Question& question, const FormErrors& errors);
/// Three inputs name-day, name-month, name-year, filled from `typed` by these names.
Json date_input(const Question& question, const net::Form& typed, const FormErrors& errors,
                const DateWords& words);
Json radios(const Question& question, const std::vector<Option>& options, const FormErrors& errors);
Json checkboxes(const Question& question, const std::vector<Option>& options,
                const std::vector<std::string>& chosen, const FormErrors& errors);
Json select(const Question& question, const std::vector<Option>& options, const FormErrors& errors);
Json file_upload(const Question& question, std::string accept, const FormErrors& errors);

/// parts/summary-list: {{#rows}}. `change` empty: no link; `what` completes "Change …" for those
/// who do not see the row. Set "id" where the error summary leads to the row.
Json summary_row(std::string key, std::string value, std::string change = {},
                 std::string what = {});
/// parts/task-list: {{#tasks}}. Colour of the tag as for tag(); empty: plain text.
Json task(std::string title, std::string link, std::string status, std::string colour = {},
          std::string hint = {});
/// parts/tag. Colours: grey, green, teal, blue, purple, red, orange, yellow.
Json tag(std::string text, std::string colour);
/// parts/table: columns and rows of text. A cell may be text or {"text", "link", "numeric"}.
Json table(std::string caption, const std::vector<std::string>& columns,
           const std::vector<Json>& rows);
/// parts/pagination: `link` gets "&page=N" or "?page=N". `page` and `pages` count from 1.
Json pagination(const std::string& link, std::size_t page, std::size_t pages);

}  // namespace cloison::web
