// An answer of Open, as a caller verifies its receipts. The first byte says what the input is: 's'
// is a list of disclosures, which are signed, then changes to the answer's bytes; anything else is
// an answer as it is. Beyond not crashing: an answer with values passes only with the receipts that
// the journal's key signed for them, each in its place.
#include <algorithm>
#include <tuple>

#include "crypto/keys.h"
#include "journal/proof.h"
#include "keeper/client/receipt.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

namespace v1 = keeper::v1;

constexpr std::string_view kOrigin = "example.org/keeper";

const crypto::SigningKey& key() {
    static const auto signing = [] {
        crypto::initialize();
        return crypto::SigningKey::from_seed(Bytes(32, 1));
    }();
    return signing;
}

bool passes(const v1::OpenResponse& response) {
    static const auto verifier =
        *journal::NoteVerifier::parse(journal::note_vkey(kOrigin, key().verify_key()));
    return keeper::verify_receipts(response, verifier).has_value();
}

/// A copy of what stands in an answer about what came out; what is signed.
std::vector<std::tuple<int, std::uint64_t, std::string, std::int64_t>> receipts_of(
    const v1::OpenResponse& response) {
    std::vector<std::tuple<int, std::uint64_t, std::string, std::int64_t>> receipts;
    for (int i = 0; i < response.disclosed_size(); ++i) {
        const auto& receipt = response.disclosed(i).receipt();
        if (response.disclosed(i).error().empty())
            receipts.emplace_back(i, receipt.index(), receipt.leaf_hash(), receipt.time_ms());
    }
    return receipts;
}

/// As the keeper signs the calls whose lines went to the disk together: this one among others,
/// whose hashes the input gives.
Bytes sign(const v1::OpenResponse& response, std::uint64_t first, Input& in) {
    std::vector<keeper::ReceiptRecord> records;
    for (const auto& [position, index, leaf, time_ms] : receipts_of(response)) {
        keeper::ReceiptRecord record;
        record.position = static_cast<std::uint32_t>(position);
        record.offset = static_cast<std::uint32_t>(index - first);
        std::ranges::copy(leaf, record.leaf.begin());
        record.time_ms = time_ms;
        records.push_back(record);
    }
    keeper::ReceiptSignature signature;
    signature.first = first;
    signature.calls = 1 + in.byte() % 64;
    signature.number = in.byte() % signature.calls;
    const crypto::Hash leaf = keeper::hash_receipts(records);
    Result<crypto::Hash> root = fail(ErrorCode::kCorrupt, "");
    // One sibling more until the path has the length of its tree.
    while (
        !(root = journal::inclusion_root(leaf, signature.number, signature.calls, signature.path)))
        std::ranges::copy(in.take(32), signature.path.emplace_back().begin());
    signature.signature =
        key().sign(keeper::receipts_message(kOrigin, first, signature.calls, *root));
    return signature.encode();
}

v1::OpenResponse signed_answer(Input& in) {
    v1::OpenResponse response;
    const std::uint64_t first = in.u64() >> 1;
    for (int count = in.byte() % 5; count > 0; --count) {
        auto* disclosed = response.add_disclosed();
        if ((in.byte() & 1) != 0) {
            disclosed->set_error("exhausted");
            continue;
        }
        disclosed->add_values(to_string(in.sized()));
        disclosed->mutable_receipt()->set_index(first + in.u32());
        disclosed->mutable_receipt()->set_leaf_hash(std::string(32, static_cast<char>(in.byte())));
        disclosed->mutable_receipt()->set_time_ms(in.u32());
    }
    response.set_signature(to_string(sign(response, first, in)));
    return response;
}

bool run_signed(Input& in) {
    const v1::OpenResponse response = signed_answer(in);
    Bytes bytes = to_bytes(response.SerializeAsString());
    const bool changed = alter(bytes, in);
    v1::OpenResponse received;
    if (!received.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
    const bool good = passes(received);
    require(good || changed, "an answer passes as it was sent");
    const auto receipts = receipts_of(received);
    require(!good || receipts.empty() || receipts == receipts_of(response),
            "receipts pass only as they were signed");
    return good;
}

bool run(ByteView input) {
    Input in(input);
    if (in.byte() == 's') return run_signed(in);
    if (const auto signature = keeper::ReceiptSignature::parse(input))
        require(std::ranges::equal(signature->encode(), input), "a signature has one form");
    v1::OpenResponse response;
    if (!response.ParseFromArray(input.data(), static_cast<int>(input.size()))) return false;
    const bool good = passes(response);
    for (const auto& disclosed : response.disclosed())
        require(!good || disclosed.error().empty() || disclosed.values().empty(),
                "what was refused has no value");
    return good;
}

std::vector<Seed> seeds() {
    Bytes two{'s'};
    put_u64(two, 24);
    two.insert(two.end(), {3, 0});
    put_sized(two, "value");
    put_u32(two, 0);
    two.push_back(7);
    put_u32(two, 1'000);
    two.insert(two.end(), {1, 0});
    put_sized(two, "other");
    put_u32(two, 1);
    two.push_back(8);
    put_u32(two, 1'000);
    // The third of five calls, with three siblings.
    two.insert(two.end(), {4, 2});
    two.resize(two.size() + 3 * 32, 0x33);
    Input in(two);
    in.byte();
    Bytes nothing{'s'};
    put_u64(nothing, 0);
    return {{"two-of-three", two},
            {"answer", to_bytes(signed_answer(in).SerializeAsString())},
            {"nothing", nothing}};
}

const Registration registration({"receipts", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
