// Cosignatures of a witness on a note. The first byte says how the input becomes a note: 'c' is a
// text, the time of a cosignature over it and further signature lines; anything else is a note as
// it is. Beyond not crashing: a time that is given out is one that the witness signed with exactly
// this text, the latest of them.
#include "journal/cosignature.h"

#include "crypto/keys.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

constexpr std::string_view kWitness = "witness.example.org";

const crypto::SigningKey& key() {
    static const auto signing = [] {
        crypto::initialize();
        return crypto::SigningKey::from_seed(Bytes(32, 4));
    }();
    return signing;
}

bool check(std::string_view note) {
    static const auto verifier =
        *journal::WitnessVerifier::parse(journal::witness_vkey(kWitness, key().verify_key()));
    const auto time = journal::cosigned_at(note, verifier);
    if (!time) {
        require(time.error().code == ErrorCode::kUnauthenticated ||
                    time.error().code == ErrorCode::kCorrupt,
                "a bad cosignature is refused as one");
        return false;
    }
    const std::size_t blank = note.rfind("\n\n");
    require(blank != std::string_view::npos, "only a note has cosignatures");
    const std::string line = journal::cosign(note.substr(0, blank + 1), kWitness, key(), *time);
    require(note.substr(blank + 2).find(line) != std::string_view::npos,
            "the witness signed this text at this time");
    return true;
}

bool run(ByteView input) {
    Input in(input);
    if (in.byte() != 'c') return check(as_text(input));
    const std::string text = to_string(in.sized());
    const Time time = from_unix_ms(static_cast<std::int64_t>(in.u32()) * 1000);
    const std::string note = text + '\n' + journal::cosign(text, kWitness, key(), time);
    return check(note + to_string(in.rest()));
}

std::vector<Seed> seeds() {
    const std::string text = journal::Checkpoint{"example.org/keeper", 7, {}}.text();
    const auto cosign = [&](std::int64_t seconds) {
        return journal::cosign(text, kWitness, key(), from_unix_ms(seconds * 1000));
    };
    Bytes one{'c'};
    put_sized(one, text);
    put_u32(one, 1'776'000'000);
    const std::string note = journal::sign_note(text, "example.org/keeper", key());
    return {{"one", one},
            {"two", join({one, as_bytes(cosign(1'776'000'001))})},
            {"note", to_bytes(note + cosign(1'776'000'000))}};
}

const Registration registration({"cosignature", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
