#include "base/result.h"

#include <gtest/gtest.h>

#include <set>

namespace cloison {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return fail(ErrorCode::kInvalidArgument, "The number is odd.");
    return number / 2;
}

Result<int> quarter(int number) {
    CLOISON_TRY(const int once, half(number));
    CLOISON_TRY(const int twice, half(once));
    return twice;
}

Status require_even(int number) {
    CLOISON_TRY_STATUS(half(number));
    return {};
}

TEST(ResultTest, TryBindsTheValueOrReturnsTheError) {
    EXPECT_EQ(quarter(12), 3);
    ASSERT_FALSE(quarter(6));
    EXPECT_EQ(quarter(6).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(quarter(6).error().message, "The number is odd.");
    EXPECT_TRUE(require_even(2));
    EXPECT_FALSE(require_even(1));
}

TEST(ErrorTest, OnlyUnavailableAndDeadlineAreRetryable) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(ErrorCode::kInternal); ++i) {
        const auto code = static_cast<ErrorCode>(i);
        EXPECT_EQ((Error{code, ""}.retryable()),
                  code == ErrorCode::kUnavailable || code == ErrorCode::kDeadline);
        names.insert(error_name(code));
    }
    EXPECT_EQ(names.size(), 12U);
    EXPECT_EQ(names.count("unknown"), 0U);
}

}  // namespace
}  // namespace cloison
