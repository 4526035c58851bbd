// What a witness answers to a log: a status (u16), a content type, whether a good cosignature comes
// first, and a body; two answers, since the log may ask again with another size. Beyond not
// crashing: the log takes a checkpoint for cosigned only with a line that verifies as this
// witness's word on exactly that note, and asks twice at most.
#include "crypto/keys.h"
#include "journal/cosignature.h"
#include "journal/witness_client.h"
#include "tree.h"

namespace cloison::fuzz {
namespace {

using journal::WitnessAnswer;

constexpr std::string_view kOrigin = "example.org/keeper";
constexpr std::string_view kWitness = "w.example.org";
constexpr std::uint64_t kSize = 200;

crypto::SigningKey key(std::uint8_t seed) {
    crypto::initialize();
    return crypto::SigningKey::from_seed(Bytes(32, seed));
}

bool run(ByteView input) {
    static const KnownTree tree;
    static const auto witness_key = key(4);
    static const std::string note = journal::sign_note(
        journal::Checkpoint{std::string(kOrigin), kSize, tree.root(kSize)}.text(), kOrigin, key(1));
    static const std::string text = note.substr(0, note.rfind("\n\n") + 1);
    static const auto verifier =
        *journal::WitnessVerifier::parse(journal::witness_vkey(kWitness, witness_key.verify_key()));
    static const auto now = from_unix_ms(1'776'000'000'000);

    Input in(input);
    int asked = 0;
    journal::WitnessClient client(
        {verifier, "http://127.0.0.1:1"},
        [&](const std::string& body) -> Result<net::HttpResponse> {
            require(++asked <= 2, "a witness is asked twice at most");
            require(journal::WitnessRequest::parse(body).has_value(), "a log asks in good form");
            if (in.empty()) return fail(ErrorCode::kUnavailable, "Nobody is there.");
            net::HttpResponse response;
            response.status = in.u16();
            response.headers.add("Content-Type", to_string(in.sized()));
            if ((in.byte() & 1) != 0)
                response.body = journal::cosign(text, kWitness, witness_key, now);
            response.body += to_string(in.sized());
            return response;
        });
    const WitnessAnswer answer =
        client.cosign(note, kSize, [&](std::uint64_t old_size, std::uint64_t size) {
            require(old_size <= size && size <= kSize, "only sizes of the log are proved");
            return journal::consistency_path(tree, old_size, size);
        });
    if (answer.outcome != WitnessAnswer::Outcome::kCosigned) {
        require(!answer.problem.empty(), "what went wrong is said");
        return false;
    }
    const auto at = journal::cosigned_at(note + answer.line, verifier);
    require(at && *at == answer.at, "what counts as cosigned verifies");
    return true;
}

void put_answer(Bytes& seed, std::uint16_t status, std::string_view type, bool cosigned,
                std::string_view body) {
    put_u16(seed, status);
    put_sized(seed, type);
    seed.push_back(cosigned ? 1 : 0);
    put_sized(seed, body);
}

std::vector<Seed> seeds() {
    Bytes good;
    put_answer(good, 200, "text/plain; charset=utf-8", true, "");
    Bytes behind;
    put_answer(behind, 409, "text/x.tlog.size", false, "57\n");
    put_answer(behind, 200, "text/plain; charset=utf-8", true, "");
    return {{"cosigned", good}, {"behind", behind}};
}

const Registration registration({"witness_answer", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
