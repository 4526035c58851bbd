#include "net/multipart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/seeded_random.h"

namespace cloison::net {
namespace {

using ::testing::HasSubstr;

/// Hands out a text in pieces of at most `piece` bytes and checks that the room is never used up.
class TextBody final : public BodyReader {
  public:
    TextBody(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}
    Result<std::size_t> read(std::span<std::uint8_t> out) override {
        if (error_ && position_ >= text_.size()) return fail(*error_);
        EXPECT_FALSE(out.empty());
        const std::size_t count = std::min({out.size(), piece_, text_.size() - position_});
        std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(position_), count, out.begin());
        position_ += count;
        return count;
    }
    void fail_at_end(Error error) { error_ = std::move(error); }
    bool consumed() const { return position_ == text_.size(); }

  private:
    std::string text_;
    std::size_t piece_;
    std::size_t position_ = 0;
    std::optional<Error> error_;
};

constexpr std::string_view kType = "multipart/form-data; boundary=XyZ";

struct ReadPart {
    std::string name;
    std::optional<std::string> file_name;
    std::string content_type;
    std::string content;
    bool operator==(const ReadPart&) const = default;
};

Result<std::vector<ReadPart>> read_all(MultipartReader& reader, std::size_t piece = 1000) {
    std::vector<ReadPart> parts;
    for (;;) {
        CLOISON_TRY(const auto part, reader.next());
        if (!part) return parts;
        ReadPart read{part->name, part->file_name, part->content_type, ""};
        Bytes buffer(piece);
        for (;;) {
            CLOISON_TRY(const std::size_t count, reader.read(buffer));
            if (count == 0) break;
            read.content += as_text(ByteView(buffer).first(count));
        }
        parts.push_back(std::move(read));
    }
}

Result<std::vector<ReadPart>> read_text(const std::string& text, std::size_t body_piece = 1 << 20,
                                        std::string_view type = kType) {
    TextBody body(text, body_piece);
    CLOISON_TRY(const auto reader, MultipartReader::create(type, body));
    return read_all(*reader);
}

std::string part(const std::string& header, const std::string& content) {
    return "--XyZ\r\n" + header + "\r\n\r\n" + content + "\r\n";
}
std::string named(const std::string& disposition, const std::string& content = "x") {
    return part("Content-Disposition: form-data; " + disposition, content) + "--XyZ--\r\n";
}

TEST(MultipartTest, ReadsFieldsAndFilesWhateverThePieces) {
    const std::string binary = std::string("\0\r\n--Xy\r\n--\r\n-", 15) + std::string(70'000, '\r');
    const std::string text =
        part("Content-Disposition: form-data; name=\"title\"", "caf\xc3\xa9") +
        part(
            "Content-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n"
            "Content-Type: application/pdf",
            binary) +
        part("content-disposition:form-data;name=empty", "") + "--XyZ--\r\n";
    const std::vector<ReadPart> expected = {{"title", std::nullopt, "", "caf\xc3\xa9"},
                                            {"file", "a.pdf", "application/pdf", binary},
                                            {"empty", std::nullopt, "", ""}};
    for (const std::size_t piece : {1, 2, 3, 7, 8, 9, 1000, 65536, 1 << 20}) {
        const auto parts = read_text(text, piece);
        ASSERT_TRUE(parts) << piece << ": " << parts.error().message;
        EXPECT_EQ(*parts, expected) << piece;
    }
}

TEST(MultipartTest, ContentSurvivesWhateverItHolds) {
    SeededRandom random(7);
    const std::string alphabet = "\r\n-XyZ";
    for (int round = 0; round < 300; ++round) {
        std::string content;
        const auto size = random.uniform(200);
        for (std::uint64_t i = 0; i < size; ++i) content += alphabet[random.uniform(6)];
        if (content.find("\r\n--XyZ") != std::string::npos || content.starts_with("--XyZ"))
            continue;
        const auto parts = read_text(named("name=a", content), 1 + random.uniform(20));
        ASSERT_TRUE(parts) << ::testing::PrintToString(content);
        ASSERT_EQ(parts->front().content, content);
    }
}

TEST(MultipartTest, EmptyFormHasNoParts) {
    const auto parts = read_text("--XyZ--\r\n");
    ASSERT_TRUE(parts);
    EXPECT_TRUE(parts->empty());
    EXPECT_TRUE(read_text("--XyZ--")->empty());
}

TEST(MultipartTest, UnreadContentIsSkipped) {
    TextBody body(part("Content-Disposition: form-data; name=a", std::string(200'000, 'x')) +
                      named("name=b", "y"),
                  1000);
    const auto reader = *MultipartReader::create(kType, body);
    EXPECT_EQ((*reader->next())->name, "a");
    EXPECT_EQ((*reader->next())->name, "b");
    EXPECT_EQ(*reader->read_field(), "y");
    EXPECT_FALSE(reader->next()->has_value());
    EXPECT_FALSE(reader->next()->has_value());
    EXPECT_TRUE(body.consumed());
}

TEST(MultipartTest, NamesAreUnescapedAsBrowsersWriteThem) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"(filename="a%22b.pdf")", "a\"b.pdf"},
        {R"(filename="100%25.pdf")", "100%25.pdf"},
        {R"(filename="a%0D%0ab")", "a\r\nb"},
        {R"(filename="a\"b\\c")", "a\"b\\c"},
        {R"(filename="C:\Temp\é.pdf")", "C:\\Temp\\é.pdf"},
        {R"(filename="a;b=c")", "a;b=c"},
        {R"(FileName=plain.pdf)", "plain.pdf"},
        {R"(filename="")", ""},
        {R"(filename="a\")", "a\\"},
    };
    for (const auto& [disposition, expected] : cases) {
        const auto parts = read_text(named("name=\"f\"; " + disposition));
        if (disposition == R"(filename="a\")") {
            EXPECT_FALSE(parts) << "An escaped quotation mark does not end the name.";
            continue;
        }
        ASSERT_TRUE(parts) << disposition << ": " << parts.error().message;
        EXPECT_EQ(parts->front().file_name, expected) << disposition;
    }
    EXPECT_EQ(read_text(named(R"(name="a%22b")"))->front().name, "a\"b");
    EXPECT_EQ(read_text(named("name=a"))->front().file_name, std::nullopt);
}

TEST(MultipartTest, MalformedFormsAreRefused) {
    const std::string good = "Content-Disposition: form-data; name=a";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "ends early"},
        {"--Xy", "ends early"},
        {"--XyZ", "ends early"},
        {"--XyZ\r\n", "ends early"},
        {"--XyZ-", "ends early"},
        {"hello --XyZ--\r\n", "does not begin"},
        {"\r\n--XyZ--\r\n", "does not begin"},
        {"--XyZ \r\n" + good + "\r\n\r\nx\r\n--XyZ--", "followed by text"},
        {"--XyZZ\r\n" + good + "\r\n\r\nx\r\n--XyZ--", "followed by text"},
        {part(good, "x"), "ends early"},
        {part(good, "x") + "--XyZ", "ends early"},
        {"--XyZ\r\n" + good, "ends early"},
        {"--XyZ\r\n\r\nx\r\n--XyZ--\r\n\r\n", "without a name"},
        {part("Content-Type: text/plain", "x") + "--XyZ--", "no name"},
        {part("Content-Disposition: form-data", "x") + "--XyZ--", "no name"},
        {part("Content-Disposition: attachment; name=a", "x") + "--XyZ--", "no name"},
        {part(good + "\r\n" + good, "x") + "--XyZ--", "two names"},
        {part(good + "; name=b", "x") + "--XyZ--", "twice"},
        {part(good + "; filename=\"b", "x") + "--XyZ--", "quotation mark"},
        {part(good + "; filename=\"b\"c", "x") + "--XyZ--", "stray"},
        {part(good + "; filename", "x") + "--XyZ--", "no value"},
        {part("Content-Disposition: form-data; name=\"a\x01\"", "x") + "--XyZ--", "character"},
        {part("Content-Disposition: form-data; name=\"a\xff\"", "x") + "--XyZ--", "character"},
        {part(good + "\nX: y", "x") + "--XyZ--", "character"},
        {part(good + "\r\nnonsense", "x") + "--XyZ--", "without a name"},
        {part(good + "\r\nContent-Transfer-Encoding: base64", "eA==") + "--XyZ--",
         "transfer encoding"},
        {part(good, "x") + "--XyZ--" + std::string(1025, ' '), "follows"},
    };
    for (const auto& [text, why] : cases) {
        for (const std::size_t piece : {1, 1 << 20}) {
            const auto parts = read_text(text, piece);
            ASSERT_FALSE(parts) << ::testing::PrintToString(text);
            EXPECT_EQ(parts.error().code, ErrorCode::kInvalidArgument);
            EXPECT_THAT(parts.error().message, HasSubstr(why)) << ::testing::PrintToString(text);
        }
    }
}

TEST(MultipartTest, ErrorsStay) {
    TextBody body("nonsense --XyZ", 100);
    const auto reader = *MultipartReader::create(kType, body);
    EXPECT_FALSE(reader->next());
    EXPECT_FALSE(reader->next());
    Bytes buffer(10);
    EXPECT_FALSE(reader->read(buffer));
}

TEST(MultipartTest, ErrorsOfTheBodyPassThrough) {
    TextBody body(part("Content-Disposition: form-data; name=a", "x"), 100);
    body.fail_at_end({ErrorCode::kTooLarge, "Too much."});
    const auto reader = *MultipartReader::create(kType, body);
    const auto parts = read_all(*reader);
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().code, ErrorCode::kTooLarge);
}

TEST(MultipartTest, PartsAreBounded) {
    std::string text;
    for (std::size_t i = 0; i < MultipartReader::kMaxParts; ++i)
        text += part("Content-Disposition: form-data; name=a", "x");
    EXPECT_EQ(read_text(text + "--XyZ--")->size(), MultipartReader::kMaxParts);
    const auto more = read_text(text + named("name=a"));
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, ErrorCode::kTooLarge);
}

TEST(MultipartTest, PartHeadersAreBounded) {
    const std::string start = "Content-Disposition: form-data; name=a\r\nX: ";
    const std::string fits(MultipartReader::kMaxPartHeader - start.size(), 'y');
    for (const std::size_t piece : {1, 1 << 20}) {
        EXPECT_TRUE(read_text(part(start + fits, "x") + "--XyZ--", piece));
        const auto refused = read_text(part(start + fits + "y", "x") + "--XyZ--", piece);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
    }
}

TEST(MultipartTest, FieldsAreBoundedText) {
    const auto field = [](const std::string& content) {
        TextBody body(named("name=a", content), 1000);
        const auto reader = *MultipartReader::create(kType, body);
        EXPECT_TRUE(reader->next());
        return reader->read_field();
    };
    EXPECT_EQ(field(std::string(MultipartReader::kMaxFieldBytes, 'x'))->size(),
              MultipartReader::kMaxFieldBytes);
    EXPECT_EQ(field(std::string(MultipartReader::kMaxFieldBytes + 1, 'x')).error().code,
              ErrorCode::kTooLarge);
    EXPECT_EQ(field("\xff").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(field(std::string("a\0b", 3)).error().code, ErrorCode::kInvalidArgument);
    // A character that two reads share.
    EXPECT_TRUE(field("x" + std::string(4094, 'y') + "\xc3\xa9"));
}

TEST(MultipartTest, ContentTypeIsChecked) {
    const auto accepted = [](std::string_view type) {
        TextBody body("", 1);
        return MultipartReader::create(type, body).has_value();
    };
    EXPECT_TRUE(accepted("multipart/form-data; boundary=a"));
    EXPECT_TRUE(accepted("Multipart/Form-Data;charset=utf-8;BOUNDARY=\"a b\""));
    EXPECT_TRUE(accepted("multipart/form-data; boundary=" + std::string(70, 'a')));
    EXPECT_FALSE(accepted("multipart/form-data; boundary=" + std::string(71, 'a')));
    for (const char* bad : {"", "text/plain; boundary=a", "multipart/form-data",
                            "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a",
                            "multipart/form-data; boundary=\"a \"", "multipart/mixed; boundary=a",
                            "multipart/form-data; boundary=a; boundary=b"})
        EXPECT_FALSE(accepted(bad)) << bad;
}

}  // namespace
}  // namespace cloison::net
