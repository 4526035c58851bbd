#include "casework/requests.h"

#include <set>

#include "casework/support_for_test.h"

namespace cloison::casework {
namespace {

class RequestsTest : public CaseworkBed {
  protected:
    /// What every method of a resident answers for one id, as code and words.
    std::vector<std::string> answers(const Person& person, const std::string& id) {
        std::vector<std::string> all;
        const auto note = [&](const auto& result) {
            all.push_back(result ? "success"
                                 : std::string(error_name(result.error().code)) + ' ' +
                                       result.error().message);
        };
        note(try_get(person, id));
        note(portal().save_values(changes(person, id, 1)));
        v1::SubmitRequest submit;
        submit.set_grant(self(person));
        submit.set_request(id);
        submit.set_version(1);
        note(portal().submit(submit));
        note(try_withdraw(person, id));
        v1::PostMessageRequest post;
        post.set_grant(self(person));
        post.set_request(id);
        post.set_message(MessageId::random(random_).bytes());
        post.set_sealed(seal(person, "message_text", post.message(), "words"));
        note(portal().post_message(post));
        return all;
    }
};

TEST_F(RequestsTest, DraftHasReferenceVersionAndHistory) {
    const Person person = enroll();
    const std::string id = create(person);
    const v1::Request request = get(person, id);
    EXPECT_EQ(request.request(), id);
    EXPECT_EQ(request.type(), "passport");
    EXPECT_EQ(request.status(), "draft");
    EXPECT_EQ(request.version(), 1U);
    EXPECT_EQ(request.reference().size(), 10U);
    EXPECT_EQ(request.created_ms() % 86'400'000, 0);
    EXPECT_LE(to_unix_ms(clock_.now()) - request.created_ms(), 86'400'000);
    ASSERT_EQ(request.history_size(), 1);
    EXPECT_EQ(request.history(0).status(), "draft");
    EXPECT_EQ(request.history(0).by(), "resident");
    EXPECT_EQ(request.history(0).at_ms() % 3'600'000, 0);
    EXPECT_TRUE(request.assigned_to().empty());
    EXPECT_EQ(error_of(try_create(person, "driving_licence")).code, ErrorCode::kInvalidArgument);
}

TEST_F(RequestsTest, SomebodyElsesIsTheSameAnswerAsNone) {
    const Person owner = enroll();
    const Person stranger = enroll();
    const std::string unknown = RequestId::random(random_).bytes();
    const auto of_unknown = answers(stranger, unknown);
    EXPECT_EQ(std::set<std::string>(of_unknown.begin(), of_unknown.end()),
              std::set<std::string>{"not found There is no such request."});
    const std::string draft = create(owner);
    const std::string in_queue = submitted(owner);
    const std::string withdrawn = create(owner);
    ASSERT_TRUE(try_withdraw(owner, withdrawn));
    for (const std::string& id : {draft, in_queue, withdrawn})
        EXPECT_EQ(answers(stranger, id), of_unknown);
    EXPECT_EQ(get(owner, draft).version(), 1U);
    EXPECT_EQ(get(owner, in_queue).messages_size(), 0);
}

TEST_F(RequestsTest, MalformedIdsAreRefused) {
    const Person person = enroll();
    for (const std::string& id :
         {std::string(), std::string(15, 'x'), std::string(17, 'x'), std::string(1'000'000, 'x')})
        EXPECT_EQ(error_of(try_get(person, id)).code, ErrorCode::kInvalidArgument);
}

TEST_F(RequestsTest, ValuesAreWrittenOverAndCleared) {
    const Person person = enroll();
    const std::string id = create(person);
    auto first = changes(person, id, 1);
    add(first, person, "birth_name", "Dupont");
    add(first, person, "forenames", "Jeanne");
    EXPECT_EQ(portal().save_values(first)->version(), 2U);
    auto second = changes(person, id, 2);
    add(second, person, "birth_name", "Durand");
    second.add_cleared("forenames");
    EXPECT_EQ(portal().save_values(second)->version(), 3U);
    const v1::Request request = get(person, id);
    ASSERT_EQ(request.values_size(), 1);
    EXPECT_EQ(request.values(0).field(), "birth_name");
    EXPECT_EQ(request.values(0).record(), id);
    EXPECT_EQ(request.values(0).sealed(), second.values(0).sealed());
}

TEST_F(RequestsTest, StaleVersionIsAConflictAndChangesNothing) {
    const Person person = enroll();
    const std::string id = create(person);
    auto first = changes(person, id, 1);
    add(first, person, "birth_name", "Dupont");
    ASSERT_TRUE(portal().save_values(first));
    EXPECT_EQ(error_of(portal().save_values(first)).code, ErrorCode::kConflict);
    v1::SubmitRequest submit;
    submit.set_grant(self(person));
    submit.set_request(id);
    submit.set_version(1);
    EXPECT_EQ(error_of(portal().submit(submit)).code, ErrorCode::kConflict);
    EXPECT_EQ(get(person, id).version(), 2U);
    EXPECT_EQ(get(person, id).status(), "draft");
}

TEST_F(RequestsTest, BadValuesAreRefusedWhole) {
    const Person person = enroll();
    const std::string id = create(person);
    const auto code_with = [&](const std::string& field, const std::string& record,
                               const std::string& sealed) {
        auto request = changes(person, id, 1);
        add(request, person, "birth_name", "Dupont");
        auto& value = *request.add_values();
        value.set_field(field);
        value.set_record(record);
        value.set_sealed(sealed);
        return error_of(portal().save_values(request)).code;
    };
    const std::string sealed = seal(person, "forenames", id, "Jeanne");
    EXPECT_EQ(code_with("shoe_size", id, sealed), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_with("message_text", id, sealed), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_with("email", id, sealed), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_with("birth_name", id, sealed), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_with("forenames", std::string(16, 'r'), sealed), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_with("forenames", id, "Jeanne"), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_with("forenames", id, ""), ErrorCode::kInvalidArgument);
    EXPECT_EQ(get(person, id).values_size(), 0);
    EXPECT_EQ(get(person, id).version(), 1U);
}

TEST_F(RequestsTest, SealedValuesHoldAtMost64KiB) {
    const Person person = enroll();
    const std::string id = create(person);
    std::string sealed(kMaxSealedValue, '\1');
    auto request = changes(person, id, 1);
    auto& value = *request.add_values();
    value.set_field("birth_name");
    value.set_record(id);
    value.set_sealed(sealed + '\1');
    EXPECT_EQ(error_of(portal().save_values(request)).code, ErrorCode::kTooLarge);
    value.set_sealed(sealed);
    EXPECT_TRUE(portal().save_values(request));
}

TEST_F(RequestsTest, PersonHasAtMostTwentyOpenRequests) {
    const Person person = enroll();
    std::string last;
    for (int i = 0; i < kMaxOpenRequests; ++i) last = create(person);
    EXPECT_EQ(error_of(try_create(person)).code, ErrorCode::kExhausted);
    EXPECT_TRUE(try_create(enroll()));
    ASSERT_TRUE(try_withdraw(person, last));
    EXPECT_TRUE(try_create(person));
}

TEST_F(RequestsTest, PersonHasAtMostTwoHundredRequestsInAll) {
    const Person person = enroll();
    for (int i = 0; i < kMaxRequests; ++i) ASSERT_TRUE(try_withdraw(person, create(person)));
    EXPECT_EQ(error_of(try_create(person)).code, ErrorCode::kExhausted);
    v1::ListRequestsRequest list;
    list.set_grant(self(person));
    EXPECT_EQ(portal().list_requests(list)->requests_size(), kMaxRequests);
}

TEST_F(RequestsTest, ListIsNewestFirstAndOnlyOnesOwn) {
    const Person person = enroll();
    const std::string older = create(person);
    clock_.advance(std::chrono::hours(24));
    const std::string newer = create(person);
    create(enroll());
    v1::ListRequestsRequest request;
    request.set_grant(self(person));
    const auto list = portal().list_requests(request);
    ASSERT_TRUE(list);
    ASSERT_EQ(list->requests_size(), 2);
    EXPECT_EQ(list->requests(0).request(), newer);
    EXPECT_EQ(list->requests(1).request(), older);
    EXPECT_EQ(list->requests(0).history_size(), 0);
}

TEST_F(RequestsTest, SubmitNeedsEveryUnconditionalField) {
    const Person person = enroll();
    const std::string id = create(person);
    EXPECT_EQ(error_of(try_submit(person, id)).message, "The field request_reason is missing.");
    fill(person, id);
    auto clear = changes(person, id, 2);
    clear.add_cleared("contact_email");
    ASSERT_TRUE(portal().save_values(clear));
    EXPECT_EQ(error_of(try_submit(person, id)).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(get(person, id).status(), "draft");
    fill(person, id);
    EXPECT_TRUE(try_submit(person, id));
    EXPECT_EQ(get(person, id).status(), "submitted");
}

TEST_F(RequestsTest, OnlyEditableRequestsAreSavedAndSubmitted) {
    const Person person = enroll();
    const std::string id = submitted(person);
    auto request = changes(person, id, get(person, id).version());
    add(request, person, "birth_name", "Autre");
    EXPECT_EQ(error_of(portal().save_values(request)).code, ErrorCode::kConflict);
    EXPECT_EQ(error_of(try_submit(person, id)).code, ErrorCode::kConflict);

    const ActorId officer = new_officer();
    ASSERT_TRUE(try_take(officer, id));
    EXPECT_EQ(error_of(try_submit(person, id)).code, ErrorCode::kConflict);
    ASSERT_TRUE(try_decide(officer, person, id, "action_required"));
    fill(person, id, "corrected");
    ASSERT_TRUE(try_submit(person, id));
    const v1::Request after = get(person, id);
    EXPECT_EQ(after.status(), "in_review");
    EXPECT_TRUE(try_case(officer, id));
    ASSERT_EQ(after.history_size(), 5);
    EXPECT_EQ(after.history(3).status(), "action_required");
    EXPECT_EQ(after.history(3).actor(), officer.bytes());
    EXPECT_EQ(after.history(4).by(), "resident");
    EXPECT_TRUE(after.history(4).actor().empty());
    for (int i = 0; i < after.history_size(); ++i)
        EXPECT_EQ(after.history(i).sequence(), static_cast<std::uint32_t>(i + 1));
}

TEST_F(RequestsTest, WithdrawingADraftRemovesItsValues) {
    const Person person = enroll();
    const std::string draft = create(person);
    fill(person, draft);
    ASSERT_TRUE(try_withdraw(person, draft));
    EXPECT_EQ(get(person, draft).values_size(), 0);
    EXPECT_EQ(get(person, draft).status(), "withdrawn");
    EXPECT_EQ(error_of(try_withdraw(person, draft)).code, ErrorCode::kConflict);
    const std::string sent = submitted(person);
    ASSERT_TRUE(try_withdraw(person, sent));
    EXPECT_GT(get(person, sent).values_size(), 0);
}

TEST_F(RequestsTest, StateSurvivesARestart) {
    const Person person = enroll();
    const std::string id = submitted(person);
    const v1::Request before = get(person, id);
    start();
    EXPECT_EQ(get(person, id).SerializeAsString(), before.SerializeAsString());
}

TEST(ReferenceTest, HasNoLookAlikesAndIsReadBackAsTyped) {
    SeededRandom random(1);
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string reference = random_reference(random);
        EXPECT_EQ(reference.size(), 10U);
        EXPECT_EQ(reference.find_first_of("01258ILOSUVZB"), std::string::npos) << reference;
        seen.insert(reference);
    }
    EXPECT_EQ(seen.size(), 1000U);
    EXPECT_EQ(read_reference("acd-efg 3469"), "ACDEFG3469");
    for (const char* bad : {"", "ACDEFG346", "ACDEFG34699", "ACDEFG346O", "' OR 1=1", "ACDEFG346é"})
        EXPECT_EQ(read_reference(bad).error().code, ErrorCode::kInvalidArgument) << bad;
}

}  // namespace
}  // namespace cloison::casework
