#include "keeper/investigation.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "keeper/support_for_test.h"
#include "keeper/tokens.h"

namespace cloison::keeper {
namespace {

class InvestigationTest : public testing::Test {
  protected:
    void SetUp() override {
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
        residents_ = bed_.enroll(2);
    }
    Result<v1::ReadEntriesResponse> read(const Grant& grant, std::uint64_t first = 0,
                                         std::uint32_t count = 10'000) {
        v1::ReadEntriesRequest request;
        request.set_grant(bed_.sign(grant));
        request.set_first(first);
        request.set_count(count);
        return bed_.as("desk").read_entries(request);
    }
    Result<v1::HandlesResponse> handles(const Grant& grant,
                                        const std::vector<std::uint32_t>& persons) {
        return bed_.as("desk").handles(bed_.list_request(grant, persons));
    }
    /// Approved for these persons.
    Grant investigate(const std::vector<std::uint32_t>& persons = {1}) {
        Grant grant = bed_.dpo_grant("investigate", "incident", {"email"});
        bed_.approve_list(grant, persons);
        return grant;
    }
    std::uint64_t entries() { return bed_.as("operator").describe({})->entries(); }
    template <class Answer>
    static ErrorCode code_of(const Result<Answer>& answer) {
        return answer ? ErrorCode::kInternal : answer.error().code;
    }
    ErrorCode resolve(const std::string& handle, const Grant& approval) {
        v1::ResolveRequest request;
        request.mutable_subject()->set_handle(handle);
        request.mutable_subject()->set_approval(bed_.sign(approval));
        return code_of(bed_.as("identity").resolve(request));
    }

    TestBed bed_;
    std::vector<Resident> residents_;
};

constexpr ErrorCode kGood = ErrorCode::kInternal;
constexpr ErrorCode kDenied = ErrorCode::kPermissionDenied;
constexpr ErrorCode kMalformed = ErrorCode::kInvalidArgument;

TEST_F(InvestigationTest, ReadingLeavesOneLineForEachGrantBeforeAnythingIsRead) {
    const auto before = entries();
    const Grant grant = investigate();
    auto page = read(grant, 0, 1);
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(page->entries_size(), 1);
    EXPECT_EQ(page->size(), before + 1);
    EXPECT_NE(page->checkpoint().find(TestBed::kOrigin), std::string::npos);
    auto last = read(grant, before, 10);
    ASSERT_EQ(last->entries_size(), 1);
    auto own = journal::decode_entry(as_bytes(last->entries(0)));
    EXPECT_EQ(own->kind, journal::EntryKind::kListRead);
    EXPECT_EQ(own->actor, grant.actor);
    EXPECT_EQ(entries(), before + 1) << "the second page adds none";
    ASSERT_TRUE(read(investigate()));
    EXPECT_EQ(entries(), before + 2) << "another grant does";
    EXPECT_EQ(read(grant, 1'000'000, 10)->entries_size(), 0);
}

TEST_F(InvestigationTest, ReadingIsBounded) {
    const Grant grant = investigate();
    EXPECT_EQ(code_of(read(grant, 0, 0)), kMalformed);
    EXPECT_EQ(code_of(read(grant, 0, 10'000)), kGood);
    EXPECT_EQ(code_of(read(grant, 0, 10'001)), kMalformed);
}

TEST_F(InvestigationTest, ReadingNeedsAGrantToInvestigateThatNamesNobody) {
    const auto before = entries();
    Grant grant = investigate();
    grant.person = bed_.handle(residents_[0]);
    EXPECT_EQ(code_of(read(grant)), kDenied);
    EXPECT_EQ(code_of(read(bed_.dpo_grant("notify", "breach", {}))), kDenied);
    grant = investigate();
    grant.role = registry::Role::kOfficer;
    EXPECT_EQ(code_of(read(grant)), kDenied);
    grant = investigate();
    grant.door = "portal";
    EXPECT_EQ(code_of(read(grant)), kDenied);
    grant = investigate();
    grant.approvers.clear();
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(code_of(read(grant)), kGood) << "lines name nobody: one person suffices";
}

/// A grant lives by the time of the lines, which never goes back: of two that come together, the
/// line that ends a grant and one under it, the second is not written.
TEST_F(InvestigationTest, NoLineStandsUnderAGrantThatHasEndedWhereItWouldStand) {
    const Time start = bed_.clock.now();
    bed_.clock.advance(kMaxGrantLifetime);
    ASSERT_TRUE(read(investigate()));
    bed_.clock.set(start);
    const auto before = entries();
    const Grant grant = investigate({1});
    ASSERT_LE(grant.expires, start + kMaxGrantLifetime);
    EXPECT_EQ(code_of(read(grant)), ErrorCode::kUnauthenticated);
    EXPECT_EQ(code_of(handles(grant, {1})), ErrorCode::kUnauthenticated);
    EXPECT_EQ(entries(), before);
}

TEST_F(InvestigationTest, HandlesNeedTwoPeopleAndLeaveALine) {
    const auto before = entries();
    Grant grant = investigate();
    grant.approvers.pop_back();
    EXPECT_EQ(code_of(handles(grant, {1})), kDenied);
    EXPECT_EQ(code_of(handles(bed_.dpo_grant("hand_over_data", "access_request", {}), {1})),
              kDenied);
    EXPECT_EQ(entries(), before);
    const std::uint32_t first = bed_.ordinal(residents_[0]);
    const std::uint32_t second = bed_.ordinal(residents_[1]);
    std::uint32_t nobody = 1;
    while (nobody == first || nobody == second) ++nobody;
    std::vector<std::uint32_t> list{first, second, nobody};
    std::sort(list.begin(), list.end());
    auto given = handles(investigate(list), list);
    ASSERT_TRUE(given) << given.error().message;
    ASSERT_EQ(given->handles_size(), 3);
    std::set<std::string> different(given->handles().begin(), given->handles().end());
    EXPECT_EQ(different.size(), 3u);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(given->handles(i).empty(), list[static_cast<std::size_t>(i)] == nobody) << i;
    EXPECT_EQ(entries(), before + 1);
    std::vector<std::uint32_t> most(kMaxListPage);
    std::iota(most.begin(), most.end(), 1);
    EXPECT_EQ(code_of(handles(investigate(most), most)), kGood);
    most.push_back(kMaxListPage + 1);
    EXPECT_EQ(code_of(handles(investigate(most), most)), kMalformed);
}

/// What the two people did not see opens nothing.
TEST_F(InvestigationTest, HandlesAreForTheApprovedListAlone) {
    const auto before = entries();
    const Grant grant = investigate({3, 5, 9});
    EXPECT_EQ(code_of(handles(grant, {3, 5})), kDenied) << "one person fewer";
    EXPECT_EQ(code_of(handles(grant, {3, 5, 9, 10})), kDenied) << "one person more";
    EXPECT_EQ(code_of(handles(grant, {3, 5, 10})), kDenied) << "somebody else";
    EXPECT_EQ(code_of(handles(grant, {5, 3, 9})), kMalformed) << "reordered";
    EXPECT_EQ(code_of(handles(grant, {3, 5, 5, 9})), kMalformed) << "repeated";
    EXPECT_EQ(code_of(handles(grant, {0, 3, 5, 9})), kMalformed) << "nobody";
    EXPECT_EQ(code_of(handles(grant, {})), kMalformed);
    Grant listless = grant;
    listless.list.clear();
    EXPECT_EQ(code_of(handles(listless, {3, 5, 9})), kDenied) << "a grant without a list";
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(code_of(handles(grant, {3, 5, 9})), kGood);
}

TEST_F(InvestigationTest, APageCountsInItsPlaceOnly) {
    const auto list = PersonList::create({3, 5, 9, 12}, 2);
    ASSERT_TRUE(list);
    Grant grant = investigate();
    grant.list.assign(list->digest.begin(), list->digest.end());
    const auto ask = [&](const std::vector<std::uint32_t>& persons, std::uint32_t page,
                         const std::vector<crypto::Hash>& digests) {
        v1::HandlesRequest request;
        request.set_grant(bed_.sign(grant));
        for (const auto person : persons) request.add_persons(person);
        for (const auto& digest : digests) request.add_pages(to_string(digest));
        request.set_page(page);
        return code_of(bed_.as("desk").handles(request));
    };
    const auto& pages = list->pages;
    const auto& digests = list->page_digests;
    EXPECT_EQ(ask(pages[0], 0, digests), kGood);
    EXPECT_EQ(ask(pages[1], 1, digests), kGood);
    EXPECT_EQ(ask(pages[1], 0, digests), kDenied) << "another page";
    EXPECT_EQ(ask(pages[0], 2, digests), kMalformed) << "a page that is not there";
    EXPECT_EQ(ask(pages[0], 0, {digests[1], digests[0]}), kDenied) << "pages in another order";
    EXPECT_EQ(ask(pages[0], 0, {digests[0]}), kDenied) << "a page left out";
    EXPECT_EQ(ask(pages[0], 0, {digests[0], digests[1], digests[1]}), kDenied) << "one more";
    const std::vector<std::uint32_t> other{4, 6};
    EXPECT_EQ(ask(other, 0, {list_page_digest(other), digests[1]}), kDenied) << "a page put in";
    EXPECT_EQ(ask(pages[0], 0, {}), kMalformed);
}

TEST_F(InvestigationTest, HandlesOfOneListDoNotWorkUnderAnother) {
    const std::uint32_t person = bed_.ordinal(residents_[0]);
    const Grant grant = investigate({person});
    const std::string handle = handles(grant, {person})->handles(0);
    Grant other = grant;
    bed_.approve_list(other, {person, person + 1});
    EXPECT_EQ(resolve(handle, grant), kGood);
    EXPECT_EQ(resolve(handle, other), kDenied);
    const auto sealed = bed_.seal(bed_.self_grant(residents_[0], {"email"}), "email", "c@x.org");
    auto disclosure = TestBed::disclosure(bed_.sign(other), "email", sealed);
    disclosure.set_handle(handle);
    EXPECT_EQ(code_of(bed_.open(disclosure)), kDenied);
}

TEST_F(InvestigationTest, AHandleStandsForItsPersonUnderItsActorsGrants) {
    const std::uint32_t person = bed_.ordinal(residents_[0]);
    const Grant grant = investigate({person});
    const std::string handle = handles(grant, {person})->handles(0);
    EXPECT_EQ(resolve(handle, grant), kGood);
    v1::ResolveRequest request;
    request.mutable_subject()->set_handle(handle);
    request.mutable_subject()->set_approval(bed_.sign(grant));
    EXPECT_EQ(bed_.as("identity").resolve(request)->pseudonym(),
              to_string(ByteView(residents_[0].identity)));
    Grant renewed = investigate({person});
    renewed.actor = grant.actor;
    EXPECT_EQ(resolve(handle, renewed), kGood);
    EXPECT_EQ(resolve(handle, investigate({person})), kDenied) << "another actor";
    Grant other = bed_.dpo_grant("notify", "breach", {});
    other.list = grant.list;
    other.actor = grant.actor;
    EXPECT_EQ(resolve(handle, other), kDenied) << "another purpose";
    renewed.approvers.pop_back();
    EXPECT_EQ(resolve(handle, renewed), kDenied) << "not approved";
    EXPECT_EQ(resolve(to_string(bed_.handle(residents_[0])), grant), kDenied)
        << "a box that anybody can make is no bulk handle";
}

TEST_F(InvestigationTest, AHandleOpensUnderABulkGrantOnly) {
    Grant own = bed_.self_grant(residents_[0], {"email"});
    const auto sealed = bed_.seal(own, "email", "camille@example.org");
    std::vector<std::uint32_t> list{bed_.ordinal(residents_[0]), bed_.ordinal(residents_[1])};
    const bool first_is_first = list[0] < list[1];
    std::sort(list.begin(), list.end());
    const Grant grant = investigate(list);
    const auto given = handles(grant, list);
    ASSERT_TRUE(given) << given.error().message;
    const std::string handle = given->handles(first_is_first ? 0 : 1);
    const std::string other = given->handles(first_is_first ? 1 : 0);
    auto disclosure = TestBed::disclosure(bed_.sign(grant), "email", sealed);
    EXPECT_EQ(code_of(bed_.open(disclosure)), kDenied) << "a bulk grant without a handle";
    disclosure.set_handle(handle);
    EXPECT_EQ(*bed_.open(disclosure), "camille@example.org");
    disclosure.set_handle(other);
    EXPECT_EQ(code_of(bed_.open(disclosure)), ErrorCode::kCorrupt) << "of somebody else";
    Grant unapproved = grant;
    unapproved.approvers = {grant.actor};
    disclosure = TestBed::disclosure(bed_.sign(unapproved), "email", sealed);
    disclosure.set_handle(handle);
    EXPECT_EQ(code_of(bed_.open(disclosure)), kDenied);
    Grant named = grant;
    named.person = bed_.handle(residents_[0]);
    disclosure.set_grant(bed_.sign(named));
    EXPECT_EQ(code_of(bed_.open(disclosure)), kDenied) << "a bulk grant that names a person";
    disclosure = TestBed::disclosure(bed_.sign(own), "email", sealed);
    disclosure.set_handle(handle);
    EXPECT_EQ(code_of(bed_.open(disclosure, "portal")), kMalformed);
    bed_.clock.advance(kBulkHandleLifetime);
    Grant late = investigate(list);
    late.actor = grant.actor;
    disclosure = TestBed::disclosure(bed_.sign(late), "email", sealed);
    disclosure.set_handle(handle);
    EXPECT_EQ(code_of(bed_.open(disclosure)), kDenied) << "the handle has expired";
}

}  // namespace
}  // namespace cloison::keeper
