#include "drill/html.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>

namespace cloison::drill {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

void put_utf8(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xE0 | (code >> 12 & 0x0F));
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

/// The character of a reference without & and ;. Empty if it is unknown.
std::string reference(std::string_view name) {
    if (name == "amp") return "&";
    if (name == "lt") return "<";
    if (name == "gt") return ">";
    if (name == "quot") return "\"";
    if (name == "nbsp") return "\u00a0";
    if (!name.starts_with('#')) return {};
    name.remove_prefix(1);
    const int base = name.starts_with('x') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    if (error != std::errc() || end != name.data() + name.size() || code > 0xFFFF) return {};
    std::string out;
    put_utf8(out, code);
    return out;
}

/// Reads ` name="value"` one by one from behind the tag's name.
void read_attributes(std::string_view text, std::map<std::string, std::string>& attributes) {
    while (true) {
        text = trim(text);
        if (text.empty() || text == "/") return;
        std::size_t end = 0;
        while (end < text.size() && !is_space(text[end]) && text[end] != '=') ++end;
        if (end == 0) return;
        const std::string name = lower(text.substr(0, end));
        text.remove_prefix(end);
        std::string value;
        if (text.starts_with("=\"")) {
            const auto close = text.find('"', 2);
            if (close == std::string_view::npos) return;
            value = decode_entities(text.substr(2, close - 2));
            text.remove_prefix(close + 1);
        }
        attributes.emplace(name, std::move(value));
    }
}

/// The tag's end, past quoted attribute values.
std::size_t tag_end(std::string_view html, std::size_t at) {
    bool quoted = false;
    for (; at < html.size(); ++at) {
        if (html[at] == '"') quoted = !quoted;
        if (html[at] == '>' && !quoted) return at + 1;
    }
    return html.size();
}

/// Text without tags; each `<br>` and closed block is a line end.
std::string text_of(std::string_view html) {
    std::string out;
    while (!html.empty()) {
        const auto open = html.find('<');
        out += html.substr(0, open);
        if (open == std::string_view::npos) break;
        html.remove_prefix(open);
        if (html.starts_with("</div>") || html.starts_with("<br")) out += '\n';
        html.remove_prefix(tag_end(html, 0));
    }
    return std::string(trim(decode_entities(out)));
}

/// What stands between `begin` and the first closing tag of that name behind it.
std::string_view content(std::string_view html, std::size_t begin, std::string_view name) {
    const auto end = html.find("</" + std::string(name) + ">", begin);
    return html.substr(begin, end == std::string_view::npos ? end : end - begin);
}

}  // namespace

std::string decode_entities(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto at = text.find('&');
        out += text.substr(0, at);
        if (at == std::string_view::npos) break;
        text.remove_prefix(at);
        const auto end = text.substr(0, 12).find(';');
        const std::string character =
            end == std::string_view::npos ? "" : reference(text.substr(1, end - 1));
        out += character.empty() ? "&" : character;
        text.remove_prefix(character.empty() ? 1 : end + 1);
    }
    return out;
}

std::string Tag::attribute(const std::string& wanted) const {
    const auto found = attributes.find(wanted);
    return found == attributes.end() ? "" : found->second;
}

std::vector<Tag> start_tags(std::string_view html) {
    std::vector<Tag> tags;
    for (auto at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
        std::size_t name_end = at + 1;
        while (name_end < html.size() && std::isalnum(static_cast<unsigned char>(html[name_end])))
            ++name_end;
        if (name_end == at + 1) continue;
        Tag tag;
        tag.name = lower(html.substr(at + 1, name_end - at - 1));
        tag.begin = at;
        tag.end = tag_end(html, name_end);
        read_attributes(html.substr(name_end, tag.end - name_end - 1), tag.attributes);
        tags.push_back(std::move(tag));
        at = tags.back().end - 1;
    }
    return tags;
}

std::vector<std::string> input_values(std::string_view html, std::string_view name) {
    std::vector<std::string> values;
    for (const Tag& tag : start_tags(html))
        if (tag.name == "input" && tag.attribute("name") == name)
            values.push_back(tag.attribute("value"));
    return values;
}

std::string input_value(std::string_view html, std::string_view name) {
    const auto values = input_values(html, name);
    return values.empty() ? "" : values.front();
}

std::vector<std::string> targets(std::string_view html) {
    std::vector<std::string> targets;
    for (const Tag& tag : start_tags(html)) {
        if (tag.name == "a") targets.push_back(tag.attribute("href"));
        if (tag.name == "form") targets.push_back(tag.attribute("action"));
    }
    return targets;
}

std::vector<SelectOption> select_options(std::string_view html, std::string_view name) {
    std::vector<SelectOption> options;
    bool inside = false;
    for (const Tag& tag : start_tags(html)) {
        if (tag.name == "select") inside = tag.attribute("name") == name;
        if (tag.name == "option" && inside)
            options.push_back({tag.attribute("value"), text_of(content(html, tag.end, "option"))});
    }
    return options;
}

std::vector<Row> description_rows(std::string_view html) {
    std::vector<Row> rows;
    for (const Tag& tag : start_tags(html)) {
        if (tag.name == "dt") {
            const auto term = content(html, tag.end, "dt");
            const auto small = term.find("<br>");
            rows.push_back({text_of(term.substr(0, small)), "", ""});
            if (small != std::string_view::npos) rows.back().note = text_of(term.substr(small));
        }
        // A second description holds links to change the first.
        const bool first = tag.name == "dd" && !rows.empty() && rows.back().text.empty();
        if (first && tag.attribute("class").find("actions") == std::string::npos)
            rows.back().text = text_of(content(html, tag.end, "dd"));
    }
    return rows;
}

}  // namespace cloison::drill
