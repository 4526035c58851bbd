#include "keeper/investigation.h"

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
        v1::HandlesRequest request;
        request.set_grant(bed_.sign(grant));
        for (const auto person : persons) request.add_persons(person);
        return bed_.as("desk").handles(request);
    }
    Grant investigate() { return bed_.dpo_grant("investigate", "incident", {"email"}); }
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

TEST_F(InvestigationTest, HandlesNeedTwoPeopleAndLeaveALine) {
    const auto before = entries();
    Grant grant = investigate();
    grant.approvers.pop_back();
    EXPECT_EQ(code_of(handles(grant, {1})), kDenied);
    EXPECT_EQ(code_of(handles(bed_.dpo_grant("hand_over_data", "access_request", {}), {1})),
              kDenied);
    EXPECT_EQ(entries(), before);
    auto given = handles(investigate(), {1, 2, 3});
    ASSERT_TRUE(given) << given.error().message;
    EXPECT_EQ(given->handles_size(), 3);
    EXPECT_FALSE(given->handles(0).empty());
    EXPECT_NE(given->handles(0), given->handles(1));
    EXPECT_TRUE(given->handles(2).empty()) << "there is no third person";
    EXPECT_EQ(entries(), before + 1);
    EXPECT_EQ(code_of(handles(investigate(), {})), kMalformed);
    EXPECT_EQ(code_of(handles(investigate(), std::vector<std::uint32_t>(10'000, 1))), kGood);
    EXPECT_EQ(code_of(handles(investigate(), std::vector<std::uint32_t>(10'001, 1))), kMalformed);
}

TEST_F(InvestigationTest, AHandleStandsForItsPersonUnderItsActorsGrants) {
    const Grant grant = investigate();
    const std::string handle = handles(grant, {1})->handles(0);
    EXPECT_EQ(resolve(handle, grant), kGood);
    v1::ResolveRequest request;
    request.mutable_subject()->set_handle(handle);
    request.mutable_subject()->set_approval(bed_.sign(grant));
    EXPECT_EQ(bed_.as("identity").resolve(request)->pseudonym(),
              to_string(ByteView(residents_[0].identity)));
    Grant renewed = investigate();
    renewed.actor = grant.actor;
    EXPECT_EQ(resolve(handle, renewed), kGood);
    EXPECT_EQ(resolve(handle, investigate()), kDenied) << "another actor";
    Grant other = bed_.dpo_grant("notify", "breach", {});
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
    const Grant grant = investigate();
    const std::string handle = handles(grant, {1})->handles(0);
    const std::string other = handles(grant, {2})->handles(0);
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
    Grant late = investigate();
    late.actor = grant.actor;
    disclosure = TestBed::disclosure(bed_.sign(late), "email", sealed);
    disclosure.set_handle(handle);
    EXPECT_EQ(code_of(bed_.open(disclosure)), kDenied) << "the handle has expired";
}

}  // namespace
}  // namespace cloison::keeper
