#include "base/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <type_traits>

namespace cloison {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);

TEST(SecretTest, MovingLeavesNothingBehind) {
    std::array<Secret, 3> secrets{Secret::from_text("hunter2"), Secret(),
                                  Secret::from_text("older")};
    secrets[1] = Secret(std::move(secrets[0]));
    EXPECT_EQ(secrets[1].text(), "hunter2");
    EXPECT_TRUE(secrets[0].empty());
    secrets[2] = std::move(secrets[1]);
    EXPECT_EQ(secrets[2].text(), "hunter2");
    EXPECT_TRUE(secrets[1].empty());
}

TEST(SecretTest, CloneIsIndependent) {
    Secret first = Secret::from_text("abc");
    const Secret copy = first.clone();
    first.data()[0] = 'x';
    EXPECT_EQ(copy.text(), "abc");
}

TEST(WipeTest, EveryByteIsOverwritten) {
    Bytes bytes(100, 0xaa);
    wipe(bytes);
    EXPECT_EQ(bytes, Bytes(100, 0));
    wipe(std::span<std::uint8_t>());
}

TEST(WipeTest, TextIsOverwrittenUpToItsCapacity) {
    std::string text(100, 'x');
    text.resize(10);
    wipe(text);
    EXPECT_TRUE(text.empty());
    ASSERT_GE(text.capacity(), 100U);
    text.resize(text.capacity());
    EXPECT_EQ(std::count(text.begin(), text.end(), 'x'), 0);
}

}  // namespace
}  // namespace cloison
