// What a log posts to a witness. The first byte says what the input is: 'r' is a list of requests
// to one witness, each about one of two logs that part after 100 entries, with any sizes and path,
// or a body as it is; anything else is one body as it is. Beyond not crashing: a body that is read
// is written again the same; whatever is asked in whatever order, the witness never cosigns two
// trees of which neither is a prefix of the other, and never a smaller one after a larger; its word
// verifies.
#include "journal/witness_request.h"

#include <optional>

#include "base/seeded_random.h"
#include "crypto/keys.h"
#include "journal/cosignature.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/witness.h"
#include "tree.h"

namespace cloison::fuzz {
namespace {

using journal::Witness;
using journal::WitnessRequest;

constexpr std::string_view kOrigin = "example.org/keeper";
constexpr std::uint64_t kFork = 100;
constexpr int kMaxRequests = 8;
const Path kDirectory = "/witness";

const crypto::SigningKey& log_key() {
    static const auto key = [] {
        crypto::initialize();
        return crypto::SigningKey::from_seed(Bytes(32, 1));
    }();
    return key;
}

const KnownTree& tree(bool other) {
    static const KnownTree one;
    static const KnownTree two(kFork);
    return other ? two : one;
}

/// A witness of one log, and all that it has cosigned.
class Watched {
  public:
    Watched() {
        SeededRandom random(1);
        require(Witness::create(disk_, kDirectory, "w", random).has_value(), "a witness is made");
        require(
            Witness::add_log(disk_, kDirectory, journal::note_vkey(kOrigin, log_key().verify_key()))
                .has_value(),
            "a log is added");
        verifier_ = *journal::WitnessVerifier::parse(*Witness::vkey(disk_, kDirectory));
        witness_ = *Witness::open(disk_, kDirectory, clock_);
    }

    bool ask(std::string_view body) {
        const auto answer = witness_->add_checkpoint(body);
        require(answer.status != 503, "a disk that works is no reason to refuse");
        if (answer.status == 409)
            require(answer.body == std::to_string(size_) + "\n", "a conflict names the size");
        if (answer.status != 200) return false;
        const auto request = WitnessRequest::parse(body);
        require(request && request->old_size == size_,
                "only a request from the last size is taken");
        const std::string note = request->note + answer.body;
        require(journal::cosigned_at(note, *verifier_).has_value(), "a witness's word verifies");
        const auto verifier =
            *journal::NoteVerifier::parse(journal::note_vkey(kOrigin, log_key().verify_key()));
        const auto text = journal::open_note(request->note, verifier);
        require(text.has_value(), "what is cosigned was signed by the log");
        const auto checkpoint = *journal::Checkpoint::parse(*text);
        require(checkpoint.size >= size_, "a log does not shrink");
        hold_against_trees(checkpoint);
        size_ = checkpoint.size;
        return true;
    }

  private:
    /// Which of the two logs it has seen so far can only become fewer.
    void hold_against_trees(const journal::Checkpoint& checkpoint) {
        for (const bool other : {false, true})
            if (checkpoint.size > kMaxTree || tree(other).root(checkpoint.size) != checkpoint.root)
                may_be_[other] = false;
        require(may_be_[0] || may_be_[1], "everything that is cosigned is one log");
    }

    journal::SimulatedDisk disk_;
    ManualClock clock_{from_unix_ms(1'776'000'000'000)};
    std::unique_ptr<Witness> witness_;
    std::optional<journal::WitnessVerifier> verifier_;
    std::uint64_t size_ = 0;
    bool may_be_[2] = {true, true};
};

std::string request_of(Input& in) {
    WitnessRequest request;
    const KnownTree& log = tree((in.byte() & 1) != 0);
    const std::uint64_t size = in.u16() % (kMaxTree + 1);
    request.old_size = in.u16();
    const bool ordered = request.old_size > 0 && request.old_size <= size;
    request.proof =
        log.read_path(in, ordered ? *journal::consistency_path(log, request.old_size, size)
                                  : std::vector<crypto::Hash>{});
    const journal::Checkpoint checkpoint{std::string(kOrigin), size, log.root(size)};
    request.note = journal::sign_note(checkpoint.text(), kOrigin, log_key());
    return request.text();
}

bool run(ByteView input) {
    Input in(input);
    Watched watched;
    if (in.byte() != 'r') {
        const std::string_view body = as_text(input);
        const auto request = WitnessRequest::parse(body);
        if (request) require(request->text() == body, "a request has one form");
        return watched.ask(body);
    }
    bool taken = false;
    for (int i = 0; i < kMaxRequests && !in.empty(); ++i)
        taken = watched.ask((in.byte() & 1) != 0 ? to_string(in.sized()) : request_of(in)) || taken;
    return taken;
}

/// A request as request_of reads it.
void put_request(Bytes& seed, bool other, std::uint16_t old_size, std::uint16_t size) {
    seed.push_back(0);
    seed.push_back(other ? 1 : 0);
    put_u16(seed, size);
    put_u16(seed, old_size);
    const bool ordered = old_size > 0 && old_size <= size;
    KnownTree::put_true_path(
        seed, ordered ? journal::consistency_path(tree(other), old_size, size)->size() : 0);
}

std::vector<Seed> seeds() {
    Bytes growing{'r'};
    put_request(growing, false, 0, 1);
    put_request(growing, false, 1, 7);
    put_request(growing, false, 7, 300);
    Bytes forked{'r'};
    put_request(forked, false, 0, 99);
    put_request(forked, true, 99, 200);
    put_request(forked, false, 200, 250);
    put_request(forked, true, 200, 200);
    Bytes whole{0};
    put_request(whole, false, 0, 300);
    Input in(whole);
    in.take(2);
    return {{"growing", growing}, {"forked", forked}, {"body", to_bytes(request_of(in))}};
}

const Registration registration({"witness_request", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
