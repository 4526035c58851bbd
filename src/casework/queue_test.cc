#include "casework/queue.h"

#include <set>

#include "casework/support_for_test.h"

namespace cloison::casework {
namespace {

class QueueTest : public CaseworkBed {
  protected:
    v1::QueueRequest all(const ActorId& officer) {
        v1::QueueRequest request;
        request.set_grant(staff(officer));
        request.set_limit(100);
        return request;
    }
    std::vector<std::string> ids(const v1::QueueRequest& request) {
        const auto page = desk().queue(request);
        EXPECT_TRUE(page) << (page ? "" : page.error().message);
        std::vector<std::string> found;
        if (page)
            for (const auto& line : page->requests()) found.push_back(line.request());
        return found;
    }
    std::vector<std::string> officer_answers(const ActorId& officer, const Person& person,
                                             const std::string& id) {
        std::vector<std::string> all_answers;
        const auto note = [&](const auto& result) {
            all_answers.push_back(result ? "success"
                                         : std::string(error_name(result.error().code)) + ' ' +
                                               result.error().message);
        };
        note(try_case(officer, id));
        note(try_release(officer, id));
        v1::DecideRequest decide;
        decide.set_grant(staff(officer));
        decide.set_request(id);
        decide.set_status("approved");
        note(desk().decide(decide));
        note(try_post("desk", staff(officer), person, id));
        return all_answers;
    }
};

TEST_F(QueueTest, OldestSubmissionComesFirstWithoutPersonalData) {
    const Person person = enroll();
    const std::string draft = create(person);
    const std::string first = submitted(person);
    clock_.advance(std::chrono::hours(2));
    const std::string second = submitted(enroll());
    clock_.advance(std::chrono::hours(2));
    const std::string third = submitted(person);
    const ActorId officer = new_officer();
    EXPECT_EQ(ids(all(officer)), (std::vector<std::string>{first, second, third}));
    const auto page = desk().queue(all(officer));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->total(), 3U);
    EXPECT_EQ(page->requests(0).values_size(), 0);
    EXPECT_EQ(page->requests(0).messages_size(), 0);
    EXPECT_FALSE(page->requests(0).reference().empty());
}

TEST_F(QueueTest, ResubmittedRequestKeepsItsPlace) {
    const Person person = enroll();
    const std::string first = submitted(person);
    clock_.advance(std::chrono::hours(2));
    const std::string second = submitted(enroll());
    const ActorId officer = new_officer();
    ASSERT_TRUE(try_take(officer, first));
    ASSERT_TRUE(try_decide(officer, person, first, "action_required"));
    EXPECT_EQ(ids(all(officer)), std::vector<std::string>{second});
    clock_.advance(std::chrono::hours(2));
    ASSERT_TRUE(try_submit(person, first));
    EXPECT_EQ(ids(all(officer)), (std::vector<std::string>{first, second}));
}

TEST_F(QueueTest, FiltersByStatusAssignmentAndReference) {
    const Person person = enroll();
    const std::string waiting = submitted(person);
    const std::string taken = submitted(person);
    const std::string waits_for_resident = submitted(person);
    const std::string draft = create(person);
    const ActorId officer = new_officer();
    const ActorId other = new_officer();
    ASSERT_TRUE(try_take(officer, taken));
    ASSERT_TRUE(try_take(officer, waits_for_resident));
    ASSERT_TRUE(try_decide(officer, person, waits_for_resident, "action_required"));

    auto request = all(officer);
    request.set_status("submitted");
    EXPECT_EQ(ids(request), std::vector<std::string>{waiting});
    request = all(officer);
    request.set_mine(true);
    auto mine = ids(request);
    EXPECT_EQ(std::set<std::string>(mine.begin(), mine.end()),
              (std::set<std::string>{taken, waits_for_resident}));
    request = all(other);
    request.set_mine(true);
    EXPECT_TRUE(ids(request).empty());
    request = all(other);
    request.set_reference(get(person, waits_for_resident).reference());
    EXPECT_EQ(ids(request), std::vector<std::string>{waits_for_resident});
    request.set_reference(get(person, draft).reference());
    EXPECT_TRUE(ids(request).empty());
    request = all(officer);
    request.set_type("passport");
    EXPECT_EQ(ids(request).size(), 2U);
}

TEST_F(QueueTest, PagesAreBoundedAndBadFiltersRefused) {
    const Person person = enroll();
    for (int i = 0; i < 3; ++i) submitted(person);
    auto request = all(new_officer());
    request.set_limit(2);
    EXPECT_EQ(ids(request).size(), 2U);
    request.set_offset(2);
    EXPECT_EQ(ids(request).size(), 1U);
    EXPECT_EQ(desk().queue(request)->total(), 3U);
    request.set_offset(0xffffffff);
    EXPECT_TRUE(ids(request).empty());
    const auto refused = [&](auto change) {
        auto bad = all(new_officer());
        change(bad);
        EXPECT_EQ(error_of(desk().queue(bad)).code, ErrorCode::kInvalidArgument);
    };
    refused([](auto& bad) { bad.set_limit(0); });
    refused([](auto& bad) { bad.set_limit(101); });
    refused([](auto& bad) { bad.set_status("draft"); });
    refused([](auto& bad) { bad.set_status("lost"); });
    refused([](auto& bad) { bad.set_type("visa"); });
    refused([](auto& bad) { bad.set_reference("' OR 1=1 --"); });
}

TEST_F(QueueTest, TakingASubmittedCaseMovesItToReview) {
    const Person person = enroll();
    const std::string id = submitted(person);
    const ActorId officer = new_officer();
    ASSERT_TRUE(try_take(officer, id));
    const auto found = try_case(officer, id);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->request().status(), "in_review");
    EXPECT_EQ(found->request().assigned_to(), officer.bytes());
    EXPECT_EQ(found->request().values_size(), 14);
    const auto version = found->request().version();
    ASSERT_TRUE(try_take(officer, id));
    EXPECT_EQ(try_case(officer, id)->request().version(), version);
    EXPECT_TRUE(get(person, id).assigned_to().empty());
}

TEST_F(QueueTest, CaseOfAnotherOfficerIsTheSameAnswerAsNone) {
    const Person person = enroll();
    const ActorId officer = new_officer();
    const ActorId stranger = new_officer();
    const std::string unknown = RequestId::random(random_).bytes();
    const auto of_unknown = officer_answers(stranger, person, unknown);
    EXPECT_EQ(std::set<std::string>(of_unknown.begin(), of_unknown.end()),
              std::set<std::string>{"not found There is no such request."});
    const std::string draft = create(person);
    const std::string waiting = submitted(person);
    const std::string taken = submitted(person);
    ASSERT_TRUE(try_take(officer, taken));
    for (const std::string& id : {draft, waiting, taken})
        EXPECT_EQ(officer_answers(stranger, person, id), of_unknown);

    const std::string finished = submitted(person);
    ASSERT_TRUE(try_withdraw(person, finished));
    const auto unknown_take = error_of(try_take(stranger, unknown));
    for (const std::string& id : {draft, taken, finished}) {
        const auto error = error_of(try_take(stranger, id));
        EXPECT_EQ(error.code, unknown_take.code);
        EXPECT_EQ(error.message, unknown_take.message);
    }
    EXPECT_TRUE(try_case(officer, taken));
}

TEST_F(QueueTest, ReleasedCaseIsNobodysUntilTakenAgain) {
    const Person person = enroll();
    const std::string id = submitted(person);
    const ActorId first = new_officer();
    const ActorId second = new_officer();
    ASSERT_TRUE(try_take(first, id));
    ASSERT_TRUE(try_release(first, id));
    EXPECT_EQ(error_of(try_case(first, id)).code, ErrorCode::kNotFound);
    EXPECT_EQ(error_of(try_release(first, id)).code, ErrorCode::kNotFound);
    ASSERT_TRUE(try_take(second, id));
    EXPECT_EQ(try_case(second, id)->request().status(), "in_review");
}

TEST_F(QueueTest, DecisionsFollowTheLifeCycle) {
    const Person person = enroll();
    const std::vector<std::string> codes{
        "draft",   "submitted",     "in_review", "action_required", "approved",
        "refused", "in_production", "ready",     "delivered",       "withdrawn"};
    const ActorId officer = new_officer();
    const std::string id = submitted(person);
    ASSERT_TRUE(try_take(officer, id));
    for (const char* reached : {"in_review", "approved", "in_production", "ready"}) {
        if (std::string(reached) != "in_review") {
            ASSERT_TRUE(try_decide(officer, person, id, reached, false)) << reached;
        }
        const auto allowed = next_statuses(*status_from_code(reached), Party::kOfficer);
        const auto version = get(person, id).version();
        for (const std::string& code : codes) {
            if (std::find(allowed.begin(), allowed.end(), *status_from_code(code)) != allowed.end())
                continue;
            EXPECT_EQ(error_of(try_decide(officer, person, id, code)).code, ErrorCode::kConflict)
                << reached << " to " << code;
        }
        EXPECT_EQ(get(person, id).version(), version);
        EXPECT_EQ(get(person, id).messages_size(), 0);
    }
    EXPECT_EQ(error_of(try_decide(officer, person, id, "lost")).code, ErrorCode::kInvalidArgument);
    ASSERT_TRUE(try_decide(officer, person, id, "delivered", false));
    EXPECT_EQ(get(person, id).status(), "delivered");
}

TEST_F(QueueTest, ResidentMovesOnlyWhereTheLifeCycleAllows) {
    const Person person = enroll();
    const ActorId officer = new_officer();
    const std::string id = submitted(person);
    ASSERT_TRUE(try_take(officer, id));
    for (const char* reached : {"approved", "in_production", "ready", "delivered"}) {
        ASSERT_TRUE(try_decide(officer, person, id, reached, false)) << reached;
        EXPECT_EQ(error_of(try_withdraw(person, id)).code, ErrorCode::kConflict) << reached;
        EXPECT_EQ(error_of(try_submit(person, id)).code, ErrorCode::kConflict) << reached;
        EXPECT_EQ(get(person, id).status(), reached);
    }
    const std::string refused = submitted(person);
    ASSERT_TRUE(try_take(officer, refused));
    ASSERT_TRUE(try_decide(officer, person, refused, "action_required"));
    ASSERT_TRUE(try_decide(officer, person, refused, "refused"));
    EXPECT_EQ(error_of(try_withdraw(person, refused)).code, ErrorCode::kConflict);
    EXPECT_EQ(error_of(try_submit(person, refused)).code, ErrorCode::kConflict);
    const std::string corrected = submitted(person);
    ASSERT_TRUE(try_take(officer, corrected));
    ASSERT_TRUE(try_decide(officer, person, corrected, "action_required"));
    ASSERT_TRUE(try_withdraw(person, corrected));
    EXPECT_EQ(get(person, corrected).status(), "withdrawn");
}

TEST_F(QueueTest, StaleDecisionIsAConflict) {
    const Person person = enroll();
    const std::string id = submitted(person);
    const ActorId officer = new_officer();
    ASSERT_TRUE(try_take(officer, id));
    v1::DecideRequest request;
    request.set_grant(staff(officer));
    request.set_request(id);
    request.set_version(get(person, id).version() - 1);
    request.set_status("approved");
    EXPECT_EQ(error_of(desk().decide(request)).code, ErrorCode::kConflict);
    EXPECT_EQ(get(person, id).status(), "in_review");
}

TEST_F(QueueTest, RefusalAndCorrectionNeedAMessage) {
    const Person person = enroll();
    const std::string id = submitted(person);
    const ActorId officer = new_officer();
    ASSERT_TRUE(try_take(officer, id));
    for (const char* status : {"action_required", "refused"})
        EXPECT_EQ(error_of(try_decide(officer, person, id, status, false)).code,
                  ErrorCode::kInvalidArgument);
    ASSERT_TRUE(try_decide(officer, person, id, "action_required"));
    const v1::Request request = get(person, id);
    ASSERT_EQ(request.messages_size(), 1);
    EXPECT_EQ(request.messages(0).from(), "officer");
    EXPECT_EQ(request.messages(0).actor(), officer.bytes());
}

TEST_F(QueueTest, FinalStatusEndsTheAssignment) {
    const Person person = enroll();
    const ActorId officer = new_officer();
    const std::string refused = submitted(person);
    ASSERT_TRUE(try_take(officer, refused));
    ASSERT_TRUE(try_decide(officer, person, refused, "refused"));
    EXPECT_EQ(error_of(try_case(officer, refused)).code, ErrorCode::kNotFound);
    const std::string withdrawn = submitted(person);
    ASSERT_TRUE(try_take(officer, withdrawn));
    ASSERT_TRUE(try_withdraw(person, withdrawn));
    EXPECT_EQ(error_of(try_case(officer, withdrawn)).code, ErrorCode::kNotFound);
}

TEST_F(QueueTest, MessagesGoBothWaysWhileTheRequestIsUnderWay) {
    const Person person = enroll();
    const ActorId officer = new_officer();
    const std::string id = create(person);
    EXPECT_EQ(error_of(try_post("portal", self(person), person, id)).code, ErrorCode::kConflict);
    fill(person, id);
    ASSERT_TRUE(try_submit(person, id));
    const auto version = get(person, id).version();
    ASSERT_TRUE(try_post("portal", self(person), person, id));
    EXPECT_EQ(get(person, id).version(), version);
    ASSERT_TRUE(try_take(officer, id));
    clock_.advance(std::chrono::hours(3));
    ASSERT_TRUE(try_post("desk", staff(officer), person, id));
    const v1::Request request = get(person, id);
    ASSERT_EQ(request.messages_size(), 2);
    EXPECT_EQ(request.messages(0).from(), "resident");
    EXPECT_TRUE(request.messages(0).actor().empty());
    EXPECT_EQ(request.messages(1).from(), "officer");
    EXPECT_EQ(request.messages(1).at_ms() % 3'600'000, 0);
    ASSERT_TRUE(try_decide(officer, person, id, "refused"));
    EXPECT_EQ(error_of(try_post("portal", self(person), person, id)).code, ErrorCode::kConflict);
}

TEST_F(QueueTest, BadMessagesAreRefused) {
    const Person person = enroll();
    const std::string id = submitted(person);
    v1::PostMessageRequest request;
    request.set_grant(self(person));
    request.set_request(id);
    request.set_message(MessageId::random(random_).bytes());
    request.set_sealed("in the clear");
    EXPECT_EQ(error_of(portal().post_message(request)).code, ErrorCode::kInvalidArgument);
    request.set_sealed(std::string(kMaxSealedValue + 1, '\1'));
    EXPECT_EQ(error_of(portal().post_message(request)).code, ErrorCode::kTooLarge);
    request.set_sealed(seal(person, "message_text", request.message(), "words"));
    request.set_message("short");
    EXPECT_EQ(error_of(portal().post_message(request)).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(get(person, id).messages_size(), 0);
}

TEST_F(QueueTest, RequestHasAtMostAHundredMessagesAndStillCanBeDecided) {
    const Person person = enroll();
    const ActorId officer = new_officer();
    const std::string id = submitted(person);
    ASSERT_TRUE(try_take(officer, id));
    for (int i = 0; i < kMaxMessages; ++i)
        ASSERT_TRUE(try_post("portal", self(person), person, id));
    EXPECT_EQ(error_of(try_post("portal", self(person), person, id)).code, ErrorCode::kExhausted);
    EXPECT_EQ(error_of(try_post("desk", staff(officer), person, id)).code, ErrorCode::kExhausted);
    for (int i = 0; i < kMaxDecisionMessages; ++i) {
        ASSERT_TRUE(try_decide(officer, person, id, "action_required"));
        ASSERT_TRUE(try_submit(person, id));
    }
    EXPECT_EQ(error_of(try_decide(officer, person, id, "action_required")).code,
              ErrorCode::kExhausted);
    EXPECT_EQ(get(person, id).status(), "in_review");
    EXPECT_TRUE(try_decide(officer, person, id, "approved", false));
}

}  // namespace
}  // namespace cloison::casework
