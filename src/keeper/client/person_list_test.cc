#include "keeper/client/person_list.h"

#include <gtest/gtest.h>

#include <set>

namespace cloison::keeper {
namespace {

std::vector<std::uint32_t> numbers(std::uint32_t first, std::uint32_t count) {
    std::vector<std::uint32_t> list;
    for (std::uint32_t i = 0; i < count; ++i) list.push_back(first + i);
    return list;
}

TEST(PersonListTest, DigestsAreThoseOfTheDocument) {
    // Computed apart from this code, with python3: hashlib and struct over the encoding of
    // docs/formats/person-list.md.
    const auto list = PersonList::create({3, 1, 2, 70'000}, 3);
    ASSERT_TRUE(list);
    EXPECT_EQ(hex_encode(list->page_digests.at(0)),
              "aebc7e10b36abf6db0acc3d4e1ec1b538af4a0597b44b851af9f3701d10e6d07");
    EXPECT_EQ(hex_encode(list->page_digests.at(1)),
              "7e518de85fe9ae5f2a53986b91484d9a57b1f7c4d17b54e72a52bf8486cde6b0");
    EXPECT_EQ(hex_encode(list->digest),
              "7d4dfd5f2d06ac8782c668df2c4261c9885ae1a99bdb3246e4154ee1f21f337c");
    EXPECT_EQ(hex_encode(approval_digest("investigate", {"email", "birth_name"}, list->digest,
                                         Bytes(32, 7))),
              "daacc048e3bbfdbf23c4891056accf150282052151ca9d67c0d1233211ee358a");
}

TEST(PersonListTest, OneListHasOneForm) {
    const auto sorted = PersonList::create({1, 2, 3, 4, 5}, 2);
    const auto shuffled = PersonList::create({5, 3, 1, 4, 2, 3, 5}, 2);
    ASSERT_TRUE(sorted && shuffled);
    EXPECT_EQ(sorted->digest, shuffled->digest);
    EXPECT_EQ(sorted->pages, shuffled->pages);
    ASSERT_EQ(sorted->pages.size(), 3U);
    EXPECT_EQ(sorted->pages.at(2), numbers(5, 1));
    for (const auto& page : sorted->pages) EXPECT_TRUE(is_list_page(page));
}

TEST(PersonListTest, EveryChangeChangesTheDigest) {
    std::set<crypto::Hash> seen;
    for (const auto& persons : {numbers(1, 6), numbers(1, 5), numbers(1, 7), numbers(2, 6)})
        for (const std::size_t page : {2U, 3U, 6U})
            EXPECT_TRUE(seen.insert(PersonList::create(persons, page)->digest).second)
                << persons.size() << " in pages of " << page;
}

TEST(PersonListTest, PagesAreAscendingAndBounded) {
    const auto is_page = [](std::vector<std::uint32_t> persons) { return is_list_page(persons); };
    EXPECT_TRUE(is_page({1}));
    EXPECT_TRUE(is_page({1, 2, 9}));
    EXPECT_FALSE(is_page({}));
    EXPECT_FALSE(is_page({0, 1}));
    EXPECT_FALSE(is_page({2, 1}));
    EXPECT_FALSE(is_page({1, 1}));
    EXPECT_TRUE(is_page(numbers(1, kMaxListPage)));
    EXPECT_FALSE(is_page(numbers(1, kMaxListPage + 1)));
}

TEST(PersonListTest, BadListsAreRefused) {
    EXPECT_FALSE(PersonList::create({}, 10));
    EXPECT_FALSE(PersonList::create({0, 1}, 10));
    EXPECT_FALSE(PersonList::create({1}, 0));
    EXPECT_FALSE(PersonList::create({1}, kMaxListPage + 1));
    EXPECT_TRUE(PersonList::create(numbers(1, kMaxListPages), 1));
    const auto large = PersonList::create(numbers(1, kMaxListPages + 1), 1);
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, ErrorCode::kTooLarge);
}

TEST(PersonListTest, AnApprovalIsForPurposeFieldsListAndMatter) {
    const Bytes list(32, 1);
    const Bytes about(32, 2);
    const auto digest = approval_digest("notify", {"email", "phone"}, list, about);
    EXPECT_EQ(digest, approval_digest("notify", {"phone", "email"}, list, about));
    EXPECT_NE(digest, approval_digest("investigate", {"email", "phone"}, list, about));
    EXPECT_NE(digest, approval_digest("notify", {"email"}, list, about));
    EXPECT_NE(digest, approval_digest("notify", {"emailphone"}, list, about));
    EXPECT_NE(digest, approval_digest("notify", {"email", "phone"}, Bytes(32, 3), about));
    EXPECT_NE(digest, approval_digest("notify", {"email", "phone"}, list, Bytes(32, 3)));
}

}  // namespace
}  // namespace cloison::keeper
