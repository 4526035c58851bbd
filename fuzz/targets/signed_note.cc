// A signed note, and a verify key line. The first byte says which: 't' signs a text and adds what
// follows it as further signature lines, 'k' is a verify key line, 'w' one of a witness, anything
// else is a note as it is. Beyond not crashing: a text that is given out carries the signature that
// the key makes over exactly that text; a key line that is read is written again the same.
#include "crypto/keys.h"
#include "journal/cosignature.h"
#include "journal/note.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

constexpr std::string_view kName = "example.org/keeper";

const crypto::SigningKey& key() {
    static const auto signing = [] {
        crypto::initialize();
        return crypto::SigningKey::from_seed(Bytes(32, 1));
    }();
    return signing;
}

std::string vkey() {
    return journal::note_vkey(kName, key().verify_key());
}

bool open(std::string_view note) {
    static const auto verifier = *journal::NoteVerifier::parse(vkey());
    const auto text = journal::open_note(note, verifier);
    if (!text) return false;
    require(note.starts_with(*text + '\n'), "the text is what stands in the note");
    const std::string own = journal::sign_note(*text, kName, key());
    require(note.substr(text->size()).find(own.substr(text->size() + 1)) != std::string_view::npos,
            "a text that is given out was signed");
    return true;
}

bool run(ByteView input) {
    Input in(input);
    switch (in.byte()) {
        case 't': {
            const std::string_view text = as_text(in.sized());
            return open(journal::sign_note(text, kName, key()) + to_string(in.rest()));
        }
        case 'k': {
            const std::string_view line = as_text(in.rest());
            const auto parsed = journal::NoteVerifier::parse(line);
            if (parsed)
                require(journal::note_vkey(parsed->name, parsed->key) == line,
                        "a key line has one form");
            return parsed.has_value();
        }
        case 'w': {
            const std::string_view line = as_text(in.rest());
            const auto parsed = journal::WitnessVerifier::parse(line);
            if (parsed)
                require(journal::witness_vkey(parsed->name, parsed->key) == line,
                        "a key line has one form");
            return parsed.has_value();
        }
        default:
            return open(as_text(input));
    }
}

std::vector<Seed> seeds() {
    const journal::Checkpoint checkpoint{std::string(kName), 7, {}};
    const auto other = crypto::SigningKey::from_seed(Bytes(32, 2));
    const std::string note = journal::sign_note(checkpoint.text(), kName, key());
    const std::string lines =
        journal::sign_note("", "other", other).substr(1) +
        journal::cosign(checkpoint.text(), "witness", other, from_unix_ms(1'776'000'000'000));
    Bytes text{'t'};
    put_sized(text, checkpoint.text());
    return {{"note", to_bytes(note)},
            {"note-with-others", to_bytes(note + lines)},
            {"text", text},
            {"text-with-others", join({text, as_bytes(lines)})},
            {"key", to_bytes('k' + vkey())},
            {"witness-key", to_bytes('w' + journal::witness_vkey("w", key().verify_key()))}};
}

const Registration registration({"signed_note", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
