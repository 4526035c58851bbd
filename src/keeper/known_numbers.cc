#include "keeper/known_numbers.h"

#include <map>
#include <sstream>

namespace cloison::keeper {
namespace {

constexpr std::string_view kNumbers = "numbers of the register";

/// "field 1" → "identity email". As text a line each, the number's name before the first equals
/// sign: "field 1=identity email".
using Meanings = std::map<std::string, std::string>;

Meanings of(const registry::Registry& registry) {
    Meanings meanings;
    for (const auto& field : registry.fields())
        meanings["field " + std::to_string(field.number)] =
            std::string(registry::compartment_name(field.compartment)) + ' ' + field.name;
    for (const auto& purpose : registry.purposes())
        meanings["purpose " + std::to_string(purpose.number)] = purpose.name;
    for (const auto& door : registry.doors())
        meanings["door " + std::to_string(door.number)] = door.name;
    return meanings;
}

Result<Meanings> read(ByteView stored) {
    Meanings meanings;
    std::istringstream lines{std::string(as_text(stored))};
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (equals == std::string::npos)
            return fail(ErrorCode::kCorrupt,
                        "persons.sqlite does not say what the register's numbers meant.");
        meanings[line.substr(0, equals)] = line.substr(equals + 1);
    }
    return meanings;
}

std::string text_of(const Meanings& meanings) {
    std::string text;
    for (const auto& [number, meaning] : meanings) text.append(number + '=' + meaning + '\n');
    return text;
}

}  // namespace

Status keep_numbers(const registry::Registry& registry, PersonStore& persons) {
    CLOISON_TRY(const auto stored, persons.setting(kNumbers));
    CLOISON_TRY(auto known, read(stored));
    for (const auto& [number, meaning] : of(registry)) {
        const auto [before, is_new] = known.try_emplace(number, meaning);
        if (is_new || before->second == meaning) continue;
        return fail(ErrorCode::kConflict, "The register gives the number of " + number + " to \"" +
                                              meaning + "\"; before it was \"" + before->second +
                                              "\", and the journal and sealed values still say so. "
                                              "Take a number that was never used.");
    }
    const std::string text = text_of(known);
    if (text == as_text(stored)) return {};
    return persons.set_setting(kNumbers, as_bytes(text));
}

}  // namespace cloison::keeper
