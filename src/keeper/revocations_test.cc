#include "keeper/revocations.h"

#include <atomic>
#include <set>
#include <thread>

#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

constexpr Duration kMillisecond{1};
constexpr Duration kMinute{60'000};

class RevocationsTest : public testing::Test {
  protected:
    Grant grant_of(const SessionId& session, const ActorId& actor) {
        Grant grant;
        grant.session = session;
        grant.actor = actor;
        grant.issued = clock_.now();
        grant.expires = clock_.now() + kMaxGrantLifetime;
        return grant;
    }
    Grant grant() { return grant_of(SessionId::random(random_), ActorId::random(random_)); }
    Status revoke(const SessionId& session) {
        return revocations_.revoke(session, clock_.now(), recorder_, alarms_);
    }
    Status revoke(const ActorId& actor, Time until) {
        return revocations_.revoke(actor, until, recorder_, alarms_);
    }
    std::vector<journal::Entry> lines() const {
        std::vector<journal::Entry> entries;
        for (const auto& bytes : journal_.entries) entries.push_back(*journal::decode_entry(bytes));
        return entries;
    }
    /// What a keeper knows that starts now.
    bool is_revoked_after_restart(const Grant& grant) const {
        Revocations anew(kBound);
        for (const auto& line : lines())
            if (line.kind == journal::EntryKind::kRevoked) {
                EXPECT_TRUE(anew.replay(line));
            }
        return !anew.check(grant);
    }

    static constexpr std::size_t kBound = 10;
    MemoryJournal journal_;
    ManualClock clock_{from_unix_ms(TestBed::kStartMs)};
    SeededRandom random_{1};
    Recorder recorder_{journal_, clock_, random_, Time{}, {}};
    Alarms alarms_{recorder_};
    Revocations revocations_{kBound};
};

TEST_F(RevocationsTest, ASessionEndsWithALine) {
    const Grant one = grant();
    const Grant other = grant();
    EXPECT_TRUE(revocations_.check(one));
    ASSERT_TRUE(revoke(one.session));
    const auto status = revocations_.check(one);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kUnauthenticated);
    EXPECT_TRUE(revocations_.check(other));
    ASSERT_EQ(lines().size(), 1U);
    EXPECT_EQ(lines()[0].kind, journal::EntryKind::kRevoked);
    EXPECT_EQ(lines()[0].session, one.session);
    EXPECT_TRUE(lines()[0].actor.is_none());
    EXPECT_TRUE(is_revoked_after_restart(one));
    EXPECT_FALSE(is_revoked_after_restart(other));
}

TEST_F(RevocationsTest, AGrantOnItsWayWhileTheSessionEndsIsRevokedToo) {
    const Grant before = grant();
    ASSERT_TRUE(revoke(before.session));
    clock_.advance(Duration(5'000));
    const Grant late = grant_of(before.session, before.actor);
    EXPECT_FALSE(revocations_.check(late));
    clock_.advance(kMaxGrantLifetime - kMillisecond);
    ASSERT_TRUE(revoke(SessionId::random(random_)));  // forgets what is over
    EXPECT_FALSE(revocations_.check(late)) << "it has a millisecond to live";
}

TEST_F(RevocationsTest, AnActorsGrantsUntilAMomentEnd) {
    const Grant old = grant();
    ASSERT_TRUE(revoke(old.actor, old.issued));
    EXPECT_FALSE(revocations_.check(old)) << "issued at the very millisecond";
    clock_.advance(kMillisecond);
    EXPECT_TRUE(revocations_.check(grant_of(old.session, old.actor)));
    ASSERT_TRUE(revoke(old.actor, old.issued - kMinute)) << "a late message";
    EXPECT_FALSE(revocations_.check(old)) << "an earlier moment takes nothing back";
    EXPECT_TRUE(is_revoked_after_restart(old));
}

TEST_F(RevocationsTest, WhoeverApprovedEndsAGrantToo) {
    Grant bulk = grant();
    const ActorId second = ActorId::random(random_);
    bulk.approvers = {bulk.actor, second};
    EXPECT_TRUE(revocations_.check(bulk));
    ASSERT_TRUE(revoke(second, bulk.issued));
    EXPECT_FALSE(revocations_.check(bulk));
    EXPECT_TRUE(is_revoked_after_restart(bulk));
    clock_.advance(kMillisecond);
    Grant later = grant_of(bulk.session, bulk.actor);
    later.approvers = bulk.approvers;
    EXPECT_TRUE(revocations_.check(later)) << "identity issues none; this ends what is out";
}

TEST_F(RevocationsTest, BadCallsChangeNothing) {
    const Grant one = grant();
    EXPECT_FALSE(revoke(SessionId{}));
    EXPECT_FALSE(revoke(ActorId{}, clock_.now()));
    const Time limit = clock_.now() + Revocations::kMaxAhead;
    EXPECT_FALSE(revoke(one.actor, limit + kMillisecond));
    EXPECT_FALSE(revocations_.revoke(one.session, limit + kMillisecond, recorder_, alarms_));
    // Years of more than four digits would come round to a later one.
    for (const std::int64_t past : {-1LL, -1'814'745'600'000'000LL}) {
        EXPECT_FALSE(revoke(one.actor, from_unix_ms(past)));
        EXPECT_FALSE(revocations_.revoke(one.session, from_unix_ms(past), recorder_, alarms_));
    }
    EXPECT_TRUE(journal_.entries.empty());
    EXPECT_TRUE(revocations_.check(one));
    EXPECT_TRUE(revoke(ActorId::random(random_), Time{})) << "1970";
    EXPECT_TRUE(revoke(one.actor, limit));
    EXPECT_FALSE(revocations_.check(one));
}

TEST_F(RevocationsTest, ItIsForgottenOnlyWhenItsGrantsHaveExpired) {
    const Grant one = grant();
    ASSERT_TRUE(revoke(one.actor, one.issued));
    clock_.advance(kMaxGrantLifetime - kMillisecond);
    ASSERT_TRUE(revoke(SessionId::random(random_)));
    EXPECT_EQ(revocations_.live(), 2U);
    EXPECT_FALSE(revocations_.check(one));
    clock_.advance(kMinute);
    ASSERT_TRUE(revoke(SessionId::random(random_)));
    EXPECT_EQ(revocations_.live(), 2U) << "the first is gone";
    EXPECT_FALSE(revocations_.check(one)) << "whatever the clock says now";
}

TEST_F(RevocationsTest, AtTheBoundEverythingEndsAndNewGrantsWork) {
    const Grant innocent = grant();
    std::vector<Grant> revoked;
    for (std::size_t i = 0; i < kBound; ++i) {
        revoked.push_back(grant());
        ASSERT_TRUE(revoke(revoked.back().session));
    }
    EXPECT_TRUE(revocations_.check(innocent)) << "the set is full, not more";
    EXPECT_EQ(revocations_.live(), kBound);
    EXPECT_EQ(alarms_.raised(), 0U);

    revoked.push_back(grant());
    ASSERT_TRUE(revoke(revoked.back().session));
    for (const auto& one : revoked) EXPECT_FALSE(revocations_.check(one));
    EXPECT_FALSE(revocations_.check(innocent));
    EXPECT_EQ(revocations_.live(), 1U);
    EXPECT_EQ(alarms_.raised(), 1U);
    EXPECT_TRUE(is_revoked_after_restart(innocent)) << "a restart gives nothing back";

    clock_.advance(kGrantClockTolerance);
    EXPECT_FALSE(revocations_.check(grant())) << "identity's clock may be so far ahead";
    clock_.advance(kMillisecond);
    EXPECT_TRUE(revocations_.check(grant()));
    EXPECT_FALSE(revocations_.check(innocent));
}

TEST_F(RevocationsTest, AFailedLineIsAnErrorAndOpensNothingAgain) {
    const Grant one = grant();
    journal_.failing = true;
    EXPECT_FALSE(revoke(one.session));
    EXPECT_FALSE(revocations_.check(one));
}

TEST_F(RevocationsTest, ALineThatDoesNotSayUntilWhenIsCorrupt) {
    journal::Entry line;
    line.kind = journal::EntryKind::kRevoked;
    line.session = SessionId::random(random_);
    for (const char* reason : {"", "issued until", "issued until tomorrow"}) {
        line.reason = reason;
        const auto status = revocations_.replay(line);
        ASSERT_FALSE(status) << reason;
        EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
    }
}

/// With the whole keeper.
class RevokeTest : public testing::Test {
  protected:
    RevokeTest() {
        bed_.start();
        resident_ = bed_.enroll(1)[0];
        grant_ = bed_.officer_grant(ActorId::random(bed_.random), resident_, {"birth_name"});
        sealed_ = bed_.seal(bed_.self_grant(resident_, {"birth_name"}), "birth_name", "Moreau");
    }
    Result<v1::RevokeResponse> revoke_session(const SessionId& session) {
        v1::RevokeRequest request;
        request.set_session(session.bytes());
        return bed_.as("identity").revoke(request);
    }
    Result<std::string> open(const Grant& grant) {
        return bed_.open(TestBed::disclosure(bed_.sign(grant), "birth_name", sealed_));
    }

    TestBed bed_;
    Resident resident_;
    Grant grant_;
    std::string sealed_;
};

TEST_F(RevokeTest, ACachedGrantIsRefusedAtOnceAndAfterARestart) {
    ASSERT_TRUE(open(grant_));
    ASSERT_TRUE(revoke_session(grant_.session));
    for (int round = 0; round < 2; ++round) {
        const auto opened = open(grant_);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, ErrorCode::kUnauthenticated);
        bed_.restart();
    }
    const auto others = bed_.officer_grant(grant_.actor, resident_, {"birth_name"});
    EXPECT_TRUE(open(others)) << "another session of the same actor";
}

TEST_F(RevokeTest, AllThatAnActorHoldsEndsAtOnce) {
    const auto second = bed_.officer_grant(grant_.actor, resident_, {"birth_name"});
    ASSERT_TRUE(open(grant_));
    v1::RevokeRequest request;
    request.set_actor(grant_.actor.bytes());
    request.set_issued_until_ms(to_unix_ms(bed_.clock.now()));
    ASSERT_TRUE(bed_.as("identity").revoke(request));
    EXPECT_FALSE(open(grant_));
    EXPECT_FALSE(open(second));
    bed_.clock.advance(kMillisecond);
    EXPECT_TRUE(open(bed_.officer_grant(grant_.actor, resident_, {"birth_name"})));
}

TEST_F(RevokeTest, IsForIdentityAloneAndNamesSomebody) {
    v1::RevokeRequest request;
    EXPECT_FALSE(bed_.as("identity").revoke(request));
    request.set_session("short");
    EXPECT_FALSE(bed_.as("identity").revoke(request));
    request.set_session(grant_.session.bytes());
    for (const char* caller : {"portal", "desk", "casework", "documents", "operator"})
        EXPECT_FALSE(bed_.as(caller).revoke(request)) << caller;
    EXPECT_TRUE(open(grant_));
}

TEST_F(RevokeTest, NoOpenThatBeginsAfterRevokeHasReturnedSucceeds) {
    constexpr int kRounds = 40;
    constexpr int kThreads = 3;
    int opened_before = 0;
    for (int round = 0; round < kRounds; ++round) {
        const auto grant = bed_.officer_grant(grant_.actor, resident_, {"birth_name"});
        const std::string token = bed_.sign(grant);
        std::atomic<bool> revoked{false};
        std::atomic<bool> stop{false};
        std::atomic<int> good{0};
        std::atomic<int> wrong{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < kThreads; ++i)
            threads.emplace_back([&] {
                for (int after = 0; after < 3;) {
                    const bool began_after = revoked;
                    const bool works =
                        bed_.open(TestBed::disclosure(token, "birth_name", sealed_)).has_value();
                    if (works) ++good;
                    if (works && began_after) ++wrong;
                    if (began_after) ++after;
                    if (stop) return;
                }
            });
        while (good == 0) std::this_thread::yield();
        const auto done = revoke_session(grant.session);
        if (!done) stop = true;
        revoked = true;
        for (auto& thread : threads) thread.join();
        ASSERT_TRUE(done);
        EXPECT_EQ(wrong, 0);
        opened_before += good;
    }
    EXPECT_GT(opened_before, 0);

    // In the journal no disclosure in a session stands behind the line that ended it.
    std::set<SessionId> ended;
    for (const auto& line : bed_.lines()) {
        if (line.kind == journal::EntryKind::kRevoked) ended.insert(line.session);
        if (line.kind == journal::EntryKind::kDisclosed) {
            EXPECT_FALSE(ended.count(line.session));
        }
    }
    EXPECT_EQ(ended.size(), static_cast<std::size_t>(kRounds));
}

}  // namespace
}  // namespace cloison::keeper
