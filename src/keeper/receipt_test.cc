#include "keeper/client/receipt.h"

#include <gtest/gtest.h>

#include "journal/cosignature.h"
#include "journal/merkle.h"
#include "journal/note.h"
#include "journal/proof.h"
#include "keeper/receipt.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

class ReceiptTest : public ::testing::Test {
  protected:
    void SetUp() override {
        bed.start();
        journal = *journal::NoteVerifier::parse(bed.keeper->verify_key());
        const auto residents = bed.enroll(3);
        v1::OpenRequest request;
        for (const auto& resident : residents) {
            const auto grant = bed.self_grant(resident, {"email"});
            const auto sealed = bed.seal(grant, "email", "a@example.org");
            *request.add_disclosures() = TestBed::disclosure(bed.sign(grant), "email", sealed);
        }
        // The third one does not open.
        request.mutable_disclosures(2)->mutable_items(0)->mutable_sealed()->back() ^= 1;
        auto opened = bed.as("portal").open(request);
        ASSERT_TRUE(opened) << opened.error().message;
        answer = *opened;
        ASSERT_EQ(answer.disclosed_size(), 3);
        ASSERT_TRUE(answer.disclosed(0).error().empty()) << answer.disclosed(0).error_message();
        ASSERT_TRUE(answer.disclosed(1).error().empty()) << answer.disclosed(1).error_message();
        ASSERT_FALSE(answer.disclosed(2).error().empty());
    }
    ErrorCode code_of(const v1::OpenResponse& response) const {
        const auto status = verify_receipts(response, journal);
        return status ? ErrorCode::kInternal : status.error().code;
    }
    v1::Receipt* receipt(v1::OpenResponse& response, int i) const {
        return response.mutable_disclosed(i)->mutable_receipt();
    }

    TestBed bed;
    journal::NoteVerifier journal;
    v1::OpenResponse answer;
};

TEST_F(ReceiptTest, OneSignatureCoversAllThatWasReleased) {
    const auto verified = verify_receipts(answer, journal);
    EXPECT_TRUE(verified) << verified.error().message;
    const auto signature = ReceiptSignature::parse(as_bytes(answer.signature()));
    ASSERT_TRUE(signature);
    EXPECT_EQ(signature->calls, 1U);
    EXPECT_TRUE(signature->path.empty());
    EXPECT_EQ(to_string(signature->encode()), answer.signature());
}

// Calls whose lines are appended together share one signature: each holds its way to it.
TEST_F(ReceiptTest, EachCallOfAnAppendHasItsWayToTheSignature) {
    const auto key = crypto::SigningKey::from_seed(Bytes(32, 5));
    const auto verifier = *journal::NoteVerifier::parse(journal::note_vkey("o", key.verify_key()));
    const ReceiptSigner signer("o", crypto::SigningKey::from_seed(Bytes(32, 5)));
    for (std::uint32_t calls = 1; calls <= 70; ++calls) {
        std::vector<v1::OpenResponse> answers(calls);
        std::vector<crypto::Hash> leaves;
        for (std::uint32_t i = 0; i < calls; ++i) {
            crypto::Hash leaf{};
            leaf[0] = static_cast<std::uint8_t>(i);
            auto* receipt = answers[i].add_disclosed()->mutable_receipt();
            receipt->set_index(1'000 + i);
            receipt->set_leaf_hash(to_string(ByteView(leaf)));
            receipt->set_time_ms(7);
            leaves.push_back(hash_receipts({{0, i, leaf, 7}}));
        }
        const ReceiptTree tree(leaves);
        EXPECT_EQ(tree.root(), journal::subtree_root(leaves));
        for (std::uint32_t i = 0; i < calls; ++i) {
            ReceiptSignature signature{1'000, calls, i, tree.path(i),
                                       signer.sign(1'000, calls, tree.root())};
            answers[i].set_signature(to_string(signature.encode()));
            EXPECT_TRUE(verify_receipts(answers[i], verifier)) << i << " of " << calls;
            if (calls == 1) continue;
            // Another call's place, another number of calls, another first line.
            auto moved = answers[i];
            moved.set_signature(answers[(i + 1) % calls].signature());
            if (!moved.signature().empty()) {
                EXPECT_FALSE(verify_receipts(moved, verifier)) << i << " of " << calls;
            }
            ++signature.calls;
            moved.set_signature(to_string(signature.encode()));
            EXPECT_FALSE(verify_receipts(moved, verifier));
            --signature.calls;
            ++signature.first;
            moved.set_signature(to_string(signature.encode()));
            EXPECT_FALSE(verify_receipts(moved, verifier));
        }
    }
}

TEST_F(ReceiptTest, AnySignatureOfAnotherFormIsRefused) {
    const std::string good = answer.signature();
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(ReceiptSignature::parse(as_bytes(good).first(size))) << size;
    EXPECT_FALSE(ReceiptSignature::parse(as_bytes(good + "x")));
    ReceiptSignature signature = *ReceiptSignature::parse(as_bytes(good));
    signature.path.resize(ReceiptSignature::kMaxPath);
    EXPECT_TRUE(ReceiptSignature::parse(signature.encode()));
    signature.path.resize(ReceiptSignature::kMaxPath + 1);
    EXPECT_FALSE(ReceiptSignature::parse(signature.encode()));
    signature.path.clear();
    signature.number = signature.calls;
    EXPECT_FALSE(ReceiptSignature::parse(signature.encode()));
}

TEST_F(ReceiptTest, NamesTheLineThatIsInTheJournal) {
    const auto lines = bed.lines(journal::EntryKind::kDisclosed);
    ASSERT_EQ(lines.size(), 2U);
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(as_text(journal::Journal::leaf_hash(
                      journal::encode_entry(lines[static_cast<std::size_t>(i)]))),
                  answer.disclosed(i).receipt().leaf_hash());
}

TEST_F(ReceiptTest, EveryChangeIsNoticed) {
    auto changed = answer;
    receipt(changed, 1)->set_index(answer.disclosed(1).receipt().index() + 1);
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "index";
    for (std::size_t at = 0; at < 32; ++at) {
        changed = answer;
        (*receipt(changed, 0)->mutable_leaf_hash())[at] ^= 1;
        EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "leaf " << at;
    }
    changed = answer;
    receipt(changed, 0)->set_time_ms(answer.disclosed(0).receipt().time_ms() + 1);
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "time";
    changed = answer;
    changed.mutable_disclosed()->SwapElements(0, 1);
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "order";
    changed = answer;
    changed.mutable_disclosed()->SwapElements(1, 2);
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "place among the refused";
    changed = answer;
    changed.mutable_disclosed(1)->clear_receipt();
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "missing receipt";
    changed = answer;
    changed.mutable_disclosed()->DeleteSubrange(1, 1);
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "missing disclosure";
    changed = answer;
    changed.mutable_disclosed(1)->set_error("exhausted");
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "values beside an error";
    changed.mutable_disclosed(1)->clear_values();
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "a receipt that is left out";
    changed = answer;
    *changed.add_disclosed() = answer.disclosed(0);
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "one more";
    changed = answer;
    changed.clear_signature();
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "no signature";
    for (std::size_t at = 0; at < answer.signature().size(); ++at) {
        changed = answer;
        (*changed.mutable_signature())[at] ^= 1;
        EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << "signature " << at;
    }
}

TEST_F(ReceiptTest, ThoseOfAnotherJournalAreRefused) {
    auto other = journal;
    other.name = "example.org/other";
    EXPECT_FALSE(verify_receipts(answer, other));
    other = journal;
    other.key = crypto::SigningKey::from_seed(Bytes(32, 99)).verify_key();
    EXPECT_FALSE(verify_receipts(answer, other));
}

TEST_F(ReceiptTest, WhereNothingWasReleasedThereIsNoSignature) {
    v1::OpenRequest request;
    *request.add_disclosures() = TestBed::disclosure("no grant", "email", "nothing");
    const auto refused = bed.as("portal").open(request);
    ASSERT_TRUE(refused);
    EXPECT_TRUE(refused->signature().empty());
    EXPECT_TRUE(verify_receipts(*refused, journal));
}

// One key signs checkpoints and receipts: nothing that is one can be read as the other.
TEST_F(ReceiptTest, NoSignatureOfAReceiptIsThatOfANote) {
    const auto key = crypto::SigningKey::from_seed(Bytes(32, 5));
    const journal::NoteVerifier verifier =
        *journal::NoteVerifier::parse(journal::note_vkey("o", key.verify_key()));
    const Bytes message = receipts_message("o", 1, 1, {});
    ASSERT_EQ(message.front(), 4) << "PAE begins with the number of pieces, 4, and seven zeros";
    for (std::size_t i = 1; i < 8; ++i) EXPECT_EQ(message[i], 0);
    // Signed as if it were a note, by whoever could have it signed: no reader takes it.
    const std::string note = journal::sign_note(as_text(message), "o", key);
    EXPECT_FALSE(journal::open_note(note, verifier));
    EXPECT_FALSE(journal::open_note(
        std::string(as_text(message)) + "\n" + note.substr(note.find("\n\u2014") + 1), verifier));
    // And what is signed as a checkpoint, or cosigned, never begins like a receipt.
    EXPECT_NE(static_cast<std::uint8_t>(journal::Checkpoint{"o", 1, {}}.text().front()),
              message.front());
    // The signature of the keeper's checkpoint does not stand for receipts.
    v1::DescribeRequest describe;
    const auto described = bed.as("portal").describe(describe);
    const std::string checkpoint = described->checkpoint();
    const auto line = checkpoint.substr(checkpoint.rfind(' ') + 1);
    const auto bytes = *base64_decode(line.substr(0, line.size() - 1));
    auto changed = answer;
    auto signature = *ReceiptSignature::parse(as_bytes(answer.signature()));
    std::copy_n(bytes.begin() + 4, signature.signature.size(), signature.signature.begin());
    changed.set_signature(to_string(signature.encode()));
    EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated);
}

}  // namespace
}  // namespace cloison::keeper
