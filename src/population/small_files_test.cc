#include "demo/small_files.h"

#include <gtest/gtest.h>

#include "documents/content_type.h"

namespace cloison::population {
namespace {

TEST(SmallFilesTest, EachIsWhatItSaysByItsContent) {
    const auto detector = documents::ContentDetector::create();
    ASSERT_TRUE(detector);
    const documents::ContentVerdict kVerdicts[] = {documents::ContentVerdict::kPdf,
                                                   documents::ContentVerdict::kJpeg,
                                                   documents::ContentVerdict::kPng};
    for (std::uint32_t number = 0; number < 400; ++number) {
        const auto file = demo::make_small_file(number, "Justificatif");
        EXPECT_EQ((*detector)->detect(file.content), kVerdicts[number % 3]) << number;
    }
}

}  // namespace
}  // namespace cloison::population
