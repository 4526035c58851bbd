// The text of a checkpoint. Beyond not crashing: what is read is written again as the first lines
// of the text, byte for byte; only extension lines may follow.
#include "journal/note.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

bool run(ByteView input) {
    const std::string_view text = as_text(input);
    const auto checkpoint = journal::Checkpoint::parse(text);
    if (!checkpoint) {
        require(checkpoint.error().code == ErrorCode::kCorrupt, "a bad checkpoint is corrupt");
        return false;
    }
    const std::string again = checkpoint->text();
    require(text.starts_with(again), "a checkpoint has one form");
    require(text.back() == '\n' && text.substr(again.size()).find("\n\n") == std::string_view::npos,
            "extension lines are whole");
    return true;
}

std::vector<Seed> seeds() {
    journal::Checkpoint checkpoint{"example.org/keeper", 70'000, {}};
    checkpoint.root.fill(0xab);
    return {{"plain", to_bytes(checkpoint.text())},
            {"extended", to_bytes(checkpoint.text() + "extension 1\nextension 2\n")},
            {"empty-tree", to_bytes(journal::Checkpoint{"o", 0, {}}.text())}};
}

const Registration registration({"checkpoint", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
