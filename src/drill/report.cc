#include <cstdio>
#include <nlohmann/json.hpp>

#include "drill/drill.h"

namespace cloison::drill {
namespace {

std::string row(const std::string& what, const std::string& value) {
    std::string line = "  " + what;
    line.resize(std::max<std::size_t>(line.size() + 2, 44), ' ');
    return line + value + '\n';
}

std::string decimal(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

bool asks_the_desk(const Report& report) {
    return report.drill != "stolen-database";
}

std::string verdict(const Report& report) {
    if (report.drill == "idor" || report.drill == "stolen-database")
        return report.ok ? "nothing was had" : "NOT CLEAN";
    return report.ok ? "exact" : "NOT EXACT";
}

}  // namespace

std::string Report::text() const {
    std::string out = drill + ": " + verdict(*this) + "\n";
    out += row("persons disclosed", std::to_string(persons));
    out += row("persons × fields disclosed", std::to_string(disclosed));
    for (const auto& [field, count] : persons_by_field)
        out += row("  " + field, std::to_string(count));
    if (asks_the_desk(*this)) {
        out += row("precision of the desk's answer", decimal(precision, 4));
        out += row("recall of the desk's answer", decimal(recall, 4));
        out += row("seconds to answer", decimal(seconds_to_answer, 3));
    }
    for (const Line& line : figures) out += row(line.what, line.value);
    for (const std::string& fault : faults) out += "  FAULT: " + fault + "\n";
    return out;
}

std::string Report::json() const {
    nlohmann::ordered_json json;
    json["drill"] = drill;
    json["ok"] = ok;
    json["persons"] = persons;
    json["disclosed"] = disclosed;
    json["persons_by_field"] = nlohmann::ordered_json::object();
    for (const auto& [field, count] : persons_by_field) json["persons_by_field"][field] = count;
    if (asks_the_desk(*this)) {
        json["precision"] = precision;
        json["recall"] = recall;
        json["seconds_to_answer"] = seconds_to_answer;
    }
    json["figures"] = nlohmann::ordered_json::object();
    for (const Line& line : figures) json["figures"][line.what] = line.value;
    json["faults"] = faults;
    return json.dump(2) + "\n";
}

}  // namespace cloison::drill
