#include "net/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloison::net {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Router<int> example() {
    Router<int> router;
    router.add("GET", "/", 1);
    router.add("GET", "/requests/{request}", 2);
    router.add("POST", "/requests/{request}", 3);
    router.add("GET", "/requests/new", 4);
    router.add("POST", "/requests/{request}/documents/{document}", 5);
    return router;
}

int entry(const Router<int>& router, std::string_view method, std::string_view path) {
    const auto match = router.find(method, path);
    return match.route == nullptr ? 0 : match.route->entry;
}

TEST(RouterTest, FindsByMethodAndPattern) {
    const auto router = example();
    EXPECT_EQ(entry(router, "GET", "/"), 1);
    EXPECT_EQ(entry(router, "GET", "/requests/7"), 2);
    EXPECT_EQ(entry(router, "POST", "/requests/7"), 3);
    const auto match = router.find("POST", "/requests/a b/documents/é");
    ASSERT_NE(match.route, nullptr);
    EXPECT_THAT(match.parameters, ElementsAre(Pair("document", "é"), Pair("request", "a b")));
    EXPECT_EQ(router.routes().size(), 5U);
}

TEST(RouterTest, LiteralSegmentWinsOverParameter) {
    EXPECT_EQ(entry(example(), "GET", "/requests/new"), 4);
    EXPECT_EQ(entry(example(), "POST", "/requests/new"), 3);
}

TEST(RouterTest, HeadIsAnsweredByGet) {
    EXPECT_EQ(entry(example(), "HEAD", "/requests/7"), 2);
    EXPECT_EQ(entry(example(), "HEAD", "/requests/7/documents/8"), 0);
}

TEST(RouterTest, OtherMethodIsToldApartFromNoSuchPath) {
    const auto router = example();
    const auto wrong = router.find("DELETE", "/requests/7");
    EXPECT_EQ(wrong.route, nullptr);
    EXPECT_TRUE(wrong.method_mismatch);
    EXPECT_EQ(wrong.allow, "GET, POST");
    const auto none = router.find("GET", "/nothing");
    EXPECT_EQ(none.route, nullptr);
    EXPECT_FALSE(none.method_mismatch);
    EXPECT_FALSE(router.find("GET", "/").method_mismatch);
}

TEST(RouterTest, ParameterIsOneSegmentThatIsNotEmpty) {
    const auto router = example();
    for (const char* path : {"", "/requests", "/requests/", "/requests//", "/requests/7/",
                             "/requests/7/documents", "//", "requests/7", "/requests/7/documents/"})
        EXPECT_EQ(entry(router, "GET", path), 0) << path;
}

}  // namespace
}  // namespace cloison::net
