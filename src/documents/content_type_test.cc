#include "documents/content_type.h"

#include <gtest/gtest.h>

namespace cloison::documents {
namespace {

std::string pdf(const std::string& trailer = "trailer\n<< /Size 4 /Root 1 0 R >>\n") {
    return "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n" +
           std::string(5000, ' ') + "\nxref\n0 1\n0000000000 65535 f \n" + trailer +
           "startxref\n0\n%%EOF\n";
}

std::string png() {
    return std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0", 29) +
           std::string("\x90\x91\x68\x36\0\0\0\0IDAT", 12) + std::string(5000, '\x55');
}

std::string jpeg(const std::string& comment = "made by a camera") {
    std::string out("\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", 20);
    out += std::string("\xff\xfe", 2);
    out += static_cast<char>((comment.size() + 2) >> 8);
    out += static_cast<char>((comment.size() + 2) & 0xff);
    out += comment;
    out += std::string("\xff\xda\0\x08\1\1\0\0\x3f\0", 10) + std::string(5000, '\x55');
    return out;
}

class ContentTypeTest : public testing::Test {
  protected:
    void SetUp() override {
        auto created = ContentDetector::create();
        ASSERT_TRUE(created);
        detector_ = std::move(*created);
    }
    ContentVerdict check(const std::string& file, std::size_t piece = 1'000) {
        ContentCheck check(*detector_);
        for (std::size_t at = 0; at < file.size(); at += piece)
            check.feed(as_bytes(file.substr(at, piece)));
        return check.finish();
    }
    std::unique_ptr<ContentDetector> detector_;
};

TEST_F(ContentTypeTest, AcceptedTypesAreFoundInPiecesOfAnySize) {
    for (const std::size_t piece : {1UL, 7UL, 4'096UL, 100'000UL}) {
        EXPECT_EQ(check(pdf(), piece), ContentVerdict::kPdf) << piece;
        EXPECT_EQ(check(png(), piece), ContentVerdict::kPng) << piece;
        EXPECT_EQ(check(jpeg(), piece), ContentVerdict::kJpeg) << piece;
    }
}

TEST_F(ContentTypeTest, ShortFilesAreDecidedByWhatTheyHave) {
    EXPECT_EQ(check(""), ContentVerdict::kEmpty);
    EXPECT_EQ(check("%"), ContentVerdict::kNotAccepted);
    EXPECT_EQ(check("%PDF-1.4\n%%EOF\n"), ContentVerdict::kPdf);
    EXPECT_EQ(check(png().substr(0, 20)), ContentVerdict::kNotAccepted);
    EXPECT_EQ(check(jpeg().substr(0, 4)), ContentVerdict::kNotAccepted);
}

TEST_F(ContentTypeTest, OtherTypesAreNotAccepted) {
    using namespace std::string_literals;
    const std::string filler(5000, 'x');
    for (const std::string& file :
         {"<!DOCTYPE html><html><script>alert(1)</script>"s + filler, "GIF89a"s + filler,
          "PK\x03\x04"s + filler, "MZ\x90\0"s + filler, "#!/bin/sh\n"s + filler,
          "<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"s + filler,
          "RIFF\x10\0\0\0WEBPVP8 "s + filler, "BM"s + filler,
          "\x7f"
          "ELF"s +
              filler,
          "{\\rtf1"s + filler, "plain words"s, std::string(5000, '\0'),
          "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"s + filler})
        EXPECT_EQ(check(file), ContentVerdict::kNotAccepted) << file.substr(0, 8);
}

TEST_F(ContentTypeTest, SignatureMustBeTheFirstByte) {
    EXPECT_EQ(check(" " + pdf()), ContentVerdict::kNotAccepted);
    EXPECT_EQ(check("GIF89a;\n" + pdf()), ContentVerdict::kNotAccepted);
    EXPECT_EQ(check(std::string(1, '\0') + png()), ContentVerdict::kNotAccepted);
    EXPECT_EQ(check("%PDF-9.9\n" + pdf().substr(9)), ContentVerdict::kNotAccepted);
    EXPECT_EQ(check("%PDF-1.7garbage" + pdf().substr(9)), ContentVerdict::kNotAccepted);
}

TEST_F(ContentTypeTest, FilesOfTwoTypesAreNotAccepted) {
    EXPECT_EQ(check(jpeg("<script>alert(1)</script>")), ContentVerdict::kNotAccepted);
    EXPECT_EQ(check(jpeg("<ScRiPt src=x>")), ContentVerdict::kNotAccepted);
    EXPECT_EQ(check(jpeg("<?php system($_GET[0]);")), ContentVerdict::kNotAccepted);
    EXPECT_EQ(check(jpeg("%PDF-1.4 1 0 obj")), ContentVerdict::kNotAccepted);
    EXPECT_EQ(check(jpeg(std::string("PK\x03\x04", 4))), ContentVerdict::kNotAccepted);
    std::string marked = pdf();
    marked.replace(300, 6, "<html>");
    EXPECT_EQ(check(marked), ContentVerdict::kNotAccepted);
}

TEST_F(ContentTypeTest, BrokenHeadsAreNotAccepted) {
    std::string broken = png();
    broken[25] = 5;  // no such colour type
    EXPECT_EQ(check(broken), ContentVerdict::kNotAccepted);
    broken = png();
    broken[19] = 0;  // no width
    EXPECT_EQ(check(broken), ContentVerdict::kNotAccepted);
    broken = jpeg();
    broken[5] = 1;  // segment of length 1
    broken[4] = 0;
    EXPECT_EQ(check(broken), ContentVerdict::kNotAccepted);
    broken = jpeg();
    broken[20] = 'x';  // no marker where one must be
    EXPECT_EQ(check(broken), ContentVerdict::kNotAccepted);
}

TEST_F(ContentTypeTest, PasswordProtectedPdfIsToldApart) {
    const std::string locked = pdf("trailer\n<< /Size 4 /Root 1 0 R /Encrypt 3 0 R >>\n");
    for (const std::size_t piece : {1UL, 3UL, 4'096UL, 100'000UL})
        EXPECT_EQ(check(locked, piece), ContentVerdict::kPasswordProtected) << piece;
    EXPECT_EQ(check(pdf("trailer\n<</Encrypt<</Filter/Standard>>>>\n")),
              ContentVerdict::kPasswordProtected);
    EXPECT_EQ(check("%PDF-1.4\ntrailer << /Encrypt 3 0 R >>\n%%EOF\n"),
              ContentVerdict::kPasswordProtected);
    EXPECT_EQ(check(pdf("trailer\n<< /EncryptMetadata true >>\n")), ContentVerdict::kPdf);
    EXPECT_EQ(check(png() + "/Encrypt 3 0 R"), ContentVerdict::kPng);
}

TEST_F(ContentTypeTest, RefusalIsKnownAsSoonAsTheHeadIs) {
    ContentCheck check(*detector_);
    check.feed(as_bytes(std::string(kContentHead - 1, 'x')));
    EXPECT_FALSE(check.refused());
    check.feed(as_bytes("x"));
    EXPECT_TRUE(check.refused());
}

TEST_F(ContentTypeTest, NamesReadBack) {
    for (const auto type : {ContentType::kPdf, ContentType::kJpeg, ContentType::kPng})
        EXPECT_EQ(content_type_from_name(content_type_name(type)), type);
    EXPECT_FALSE(content_type_from_name("text/html"));
    EXPECT_FALSE(content_type_from_name("image/jpeg; charset=x"));
}

}  // namespace
}  // namespace cloison::documents
