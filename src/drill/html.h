#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cloison::drill {

/// What a drill reads out of the pages that it really received. Reads well-formed pages as the
/// doors write them; from anything else it finds less, never more.

std::string decode_entities(std::string_view text);

struct Tag {
    std::string name;                               ///< Lower case.
    std::map<std::string, std::string> attributes;  ///< Decoded.
    std::size_t begin = 0;
    std::size_t end = 0;                                   ///< Behind the '>'.
    std::string attribute(const std::string& name) const;  ///< Empty if it is not there.
};
/// Start tags, in order.
std::vector<Tag> start_tags(std::string_view html);

/// The value of the input of that name; empty if there is none.
std::string input_value(std::string_view html, std::string_view name);
/// The values of the inputs of that name, in order.
std::vector<std::string> input_values(std::string_view html, std::string_view name);
/// Where links lead and forms are sent, in order.
std::vector<std::string> targets(std::string_view html);

struct SelectOption {
    std::string value;
    std::string text;
};
std::vector<SelectOption> select_options(std::string_view html, std::string_view name);

/// One row of a description list. `note` is what stands small below the term.
struct Row {
    std::string term;
    std::string note;
    std::string text;  ///< Lines joined by '\n'.
};
std::vector<Row> description_rows(std::string_view html);

}  // namespace cloison::drill
