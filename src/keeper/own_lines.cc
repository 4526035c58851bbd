#include "keeper/own_lines.h"

#include "journal/entry.h"

namespace cloison::keeper {
namespace {

constexpr std::string_view kSelfService = "self_service";

tl::unexpected<Error> no_such_line() {
    return fail(ErrorCode::kNotFound, "There is no such line.");
}

}  // namespace

Result<Person> OwnLines::self(std::string_view door, std::string_view token) const {
    CLOISON_TRY(auto grant, grants_.check(token));
    CLOISON_TRY_STATUS(require_door(*grant, door));
    CLOISON_TRY_STATUS(require_purpose(*grant, kSelfService));
    return require_person(*grant);
}

Result<std::vector<History::Line>> OwnLines::read(std::string_view door, std::string_view grant,
                                                  std::uint64_t before, std::size_t limit) {
    CLOISON_TRY(auto person, self(door, grant));
    CLOISON_TRY(auto lines, history_.lines(person.ordinal, before, limit));
    // The index is not protected; the journal is.
    for (const auto& line : lines) {
        CLOISON_TRY(const auto entry, journal::decode_entry(line.entry));
        if (entry.person != person.ordinal)
            return fail(ErrorCode::kCorrupt,
                        "history.sqlite does not fit the journal: stop the keeper, remove the file "
                        "and start it again.");
    }
    return lines;
}

Result<std::string> OwnLines::prove(std::string_view door, std::string_view grant,
                                    std::uint64_t index) {
    CLOISON_TRY(auto person, self(door, grant));
    if (index >= journal_.size()) return no_such_line();
    CLOISON_TRY(auto entries, journal_.read(index, 1));
    CLOISON_TRY(auto entry, journal::decode_entry(entries.at(0)));
    if (entry.person != person.ordinal) return no_such_line();
    // What others have cosigned proves more than what the keeper alone says.
    if (const auto cosigned = cosigner_.covering(index)) return journal_.prove(index, *cosigned);
    return journal_.prove(index);
}

}  // namespace cloison::keeper
