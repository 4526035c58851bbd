#include "journal/note.h"

#include <gtest/gtest.h>

#include "journal/merkle.h"
#include "journal/support_for_test.h"

namespace cloison::journal {
namespace {

// The example of golang.org/x/mod/sumdb/note, and the second key of its tests.
constexpr std::string_view kPeter =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kPeterSigningKey = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr std::string_view kEnoch =
    "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const std::string kText =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
const std::string kPeterLine =
    "\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    "\n";
const std::string kEnochLine =
    "\u2014 EnochRoot "
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ="
    "\n";

ErrorCode code_of(std::string_view note) {
    const auto opened = open_note(note, *NoteVerifier::parse(kPeter));
    EXPECT_FALSE(opened.has_value()) << note;
    return opened ? ErrorCode::kInternal : opened.error().code;
}

TEST(NoteTest, PublishedKeySignsThePublishedNote) {
    crypto::initialize();
    const Bytes key_bytes = *base64_decode(kPeterSigningKey);
    const auto key = crypto::SigningKey::from_seed(ByteView(key_bytes).subspan(1));
    EXPECT_EQ(note_vkey("PeterNeumann", key.verify_key()), kPeter);
    EXPECT_EQ(sign_note(kText, "PeterNeumann", key), kText + '\n' + kPeterLine);
}

TEST(NoteTest, PublishedNotesOpen) {
    for (const std::string_view vkey : {kPeter, kEnoch}) {
        const auto verifier = NoteVerifier::parse(vkey);
        ASSERT_TRUE(verifier.has_value()) << verifier.error().message;
        const auto text = open_note(kText + '\n' + kPeterLine + kEnochLine, *verifier);
        ASSERT_TRUE(text.has_value()) << text.error().message;
        EXPECT_EQ(*text, kText);
    }
}

TEST(NoteTest, EveryManglingOfAVerifyKeyIsRefused) {
    for (std::size_t begin = 0; begin < kPeter.size(); ++begin)
        for (std::size_t end = begin + 1; end <= kPeter.size(); ++end)
            if (end - begin < kPeter.size()) {
                ASSERT_FALSE(NoteVerifier::parse(kPeter.substr(begin, end - begin)).has_value());
            }
    for (std::size_t at = 0; at < kPeter.size(); ++at) {
        std::string mangled(kPeter);
        ++mangled[at];
        ASSERT_FALSE(NoteVerifier::parse(mangled).has_value()) << mangled;
    }
    // Of the wrong length, and of an unknown type, each with an id that fits.
    EXPECT_FALSE(NoteVerifier::parse(
                     "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==")
                     .has_value());
    EXPECT_FALSE(
        NoteVerifier::parse("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
            .has_value());
}

TEST(NoteTest, MalformedNotesAreRefused) {
    std::string unended = kPeterLine;
    unended.pop_back();
    std::string bad_name = kPeterLine;
    bad_name.replace(bad_name.find("PeterNeumann"), 12, "Bad Name");
    for (const std::string& note :
         {kText, kText + '\n', kText + '\n' + unended, '\x01' + kText + '\n' + kPeterLine,
          kText + '\n' + bad_name, kText + '\n' + kPeterLine + "Unexpected line.\n", std::string()})
        EXPECT_EQ(code_of(note), ErrorCode::kCorrupt);
}

TEST(NoteTest, SignatureMustBeThereAndFit) {
    EXPECT_EQ(code_of(kText + '\n' + kEnochLine), ErrorCode::kUnauthenticated);
    std::string changed = kText;
    changed[3] = 'Y';
    EXPECT_EQ(code_of(changed + '\n' + kPeterLine), ErrorCode::kUnauthenticated);
    // One signature of the key that fits does not make up for one that does not.
    std::string line = kPeterLine;
    line[60] = line[60] == 'A' ? 'B' : 'A';
    EXPECT_EQ(code_of(kText + '\n' + kPeterLine + line), ErrorCode::kUnauthenticated);
}

TEST(NoteTest, SixtyFourSignaturesAreRead) {
    std::string note = kText + '\n';
    for (int i = 0; i < 63; ++i) note += kEnochLine;
    EXPECT_TRUE(open_note(note + kPeterLine, *NoteVerifier::parse(kPeter)).has_value());
    EXPECT_EQ(code_of(note + kEnochLine + kPeterLine), ErrorCode::kCorrupt);
}

TEST(CheckpointTest, TextComesBackAsItWas) {
    const Checkpoint checkpoint{"example.org/keeper", 20852163, hash_leaf(as_bytes("x"))};
    const auto parsed = Checkpoint::parse(checkpoint.text());
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->origin, checkpoint.origin);
    EXPECT_EQ(parsed->size, checkpoint.size);
    EXPECT_EQ(parsed->root, checkpoint.root);
    EXPECT_TRUE(Checkpoint::parse(checkpoint.text() + "an extension\n").has_value());
}

TEST(CheckpointTest, MalformedTextIsRefused) {
    const std::string root = base64_encode(empty_root());
    for (const std::string& text :
         {std::string(), std::string("o\n"), std::string("o\n1\n"), "\n1\n" + root + '\n',
          "o\n01\n" + root + '\n', "o\n+1\n" + root + '\n', "o\n-1\n" + root + '\n',
          "o\n\n" + root + '\n', "o\n18446744073709551616\n" + root + '\n', "o\n1\n" + root,
          std::string("o\n1\nAAAA\n"), "o\n1\n" + root + "\n\n"})
        EXPECT_FALSE(Checkpoint::parse(text).has_value()) << text;
}

}  // namespace
}  // namespace cloison::journal
