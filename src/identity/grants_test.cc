#include <numeric>

#include "identity/test_house.h"
#include "keeper/client/person_list.h"

namespace cloison::identity {
namespace {

class GrantsTest : public House {
  protected:
    keeper::Grant read(const std::string& token) {
        const auto grant = keeper::verify_grant(keys.grants, token, clock.now());
        EXPECT_TRUE(grant) << grant.error().message;
        return *grant;
    }
    std::string ticket(const std::string& actor) {
        keeper::Ticket ticket;
        ticket.handle = Bytes(100, 9);
        if (!actor.empty()) ticket.actor = *ActorId::from_bytes(actor);
        ticket.expires = clock.now() + kMinute;
        return keeper::sign_ticket(casework, ticket);
    }
    v1::IssueGrantRequest with_reason(const std::string& token, const std::string& purpose,
                                      const std::string& reason,
                                      std::vector<std::string> fields = {}) {
        auto request = grant_request(token, purpose, std::move(fields), "desk");
        request.set_reason(reason);
        return request;
    }
    /// Ordinals among which all of a test's few residents are.
    static std::vector<std::uint32_t> everybody() {
        std::vector<std::uint32_t> persons(2 * keeper::kMaxListPage);
        std::iota(persons.begin(), persons.end(), 1);
        return persons;
    }
    /// What is approved unless a test says otherwise: these fields of these persons.
    std::string digest_of(const std::string& purpose,
                          const std::vector<std::string>& fields = {"email"}) const {
        return to_string(keeper::approval_digest(purpose, fields, list_.digest, as_bytes(about_)));
    }
    void approved(v1::IssueGrantRequest& request, const std::string& approval) const {
        request.set_approval(approval);
        request.set_list(to_string(list_.digest));
        request.set_about(about_);
    }
    Result<std::string> request_approval(const std::string& token, const std::string& purpose,
                                         const std::vector<std::string>& fields = {"email"}) {
        v1::RequestApprovalRequest request;
        request.set_token(token);
        request.set_purpose(purpose);
        request.set_digest(digest_of(purpose, fields));
        request.set_summary("Persons of the incident");
        CLOISON_TRY(const auto response, as("desk").request_approval(request));
        return response.approval();
    }
    Status approve(const std::string& token, const std::string& approval) {
        v1::ApproveRequest request;
        request.set_token(token);
        request.set_approval(approval);
        const auto response = as("desk").approve(request);
        if (!response) return fail(response.error());
        return {};
    }

    const keeper::PersonList list_ = *keeper::PersonList::create(everybody(), keeper::kMaxListPage);
    const std::string about_ = std::string(32, 'a');
};

TEST_F(GrantsTest, SelfServiceNamesThePersonOfTheSession) {
    const auto resident = sign_up("a@example.org");
    const auto grant = read(own_grant(resident.token, {"email", "birth_name"}));
    const auto found = session(resident.token);
    EXPECT_EQ(grant.actor.bytes(), found->actor());
    EXPECT_EQ(grant.session.bytes(), found->session());
    EXPECT_EQ(grant.role, registry::Role::kResident);
    EXPECT_EQ(grant.door, "portal");
    EXPECT_EQ(grant.origin, "192.0.2.7");
    EXPECT_EQ(grant.purpose, "self_service");
    EXPECT_TRUE(grant.reason.empty());
    EXPECT_EQ(grant.fields, (std::vector<std::string>{"email", "birth_name"}));
    EXPECT_FALSE(grant.person.empty());
    EXPECT_TRUE(grant.case_handle.empty());
    EXPECT_TRUE(grant.approvers.empty());
    EXPECT_EQ(grant.expires - grant.issued, kGrantLifetime);
}

TEST_F(GrantsTest, HandlesOfOnePersonCannotBeLinked) {
    const auto resident = sign_up("a@example.org");
    EXPECT_NE(read(own_grant(resident.token, {})).person,
              read(own_grant(resident.token, {})).person);
}

TEST_F(GrantsTest, SelfServiceTakesATicketForNobodyInParticular) {
    const auto resident = sign_up("a@example.org");
    auto request = grant_request(resident.token, "self_service");
    request.set_ticket(ticket(""));
    const auto grant = issue(request);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(read(*grant).case_handle, Bytes(100, 9));
    request.set_ticket(ticket(session(resident.token)->actor()));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(request)));
    request.set_ticket("v4.public.nonsense");
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, issue(request)));
    request.set_ticket(std::string(kMaxGrantText + 1, 'x'));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
    // Signed by identity itself, but not by casework.
    request.set_ticket(own_grant(resident.token, {}));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, issue(request)));
}

TEST_F(GrantsTest, OfficerNeedsATicketOfTheirOwnForFields) {
    const auto officer = create_staff("officer", "o@example.org");
    const auto token = staff_session(officer);
    const auto queue = issue(with_reason(token, "process_request", "examine"));
    ASSERT_TRUE(queue) << queue.error().message;
    EXPECT_TRUE(read(*queue).person.empty());
    EXPECT_TRUE(read(*queue).case_handle.empty());
    auto request = with_reason(token, "process_request", "examine", {"birth_name"});
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(request)));
    request.set_ticket(ticket(random_id()));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(request)));
    request.set_ticket(ticket(""));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(request)));
    request.set_ticket(ticket(officer.actor));
    const auto grant = issue(request);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_TRUE(read(*grant).person.empty());
    EXPECT_EQ(read(*grant).case_handle, Bytes(100, 9));
    clock.advance(kMinute);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, issue(request)));
}

TEST_F(GrantsTest, SupportNamesThePersonByAddress) {
    const auto resident = sign_up("a@example.org");
    const auto officer = create_staff("officer", "o@example.org");
    const auto token = staff_session(create_staff("support", "s@example.org"));
    auto request = with_reason(token, "support_call", "call", {"email"});
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
    request.set_email_index(index_of("nobody@example.org"));
    EXPECT_TRUE(fails(ErrorCode::kNotFound, issue(request)));
    request.set_email_index(officer.email_index);  // staff are nobody's caller
    EXPECT_TRUE(fails(ErrorCode::kNotFound, issue(request)));
    request.set_email_index(resident.email_index);
    const auto grant = issue(request);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_FALSE(read(*grant).person.empty());
    EXPECT_EQ(read(*grant).reason, "call");
}

TEST_F(GrantsTest, WhoHasAnAccountCannotBeTriedOutWithoutEnd) {
    const auto resident = sign_up("a@example.org");
    const auto token = staff_session(create_staff("professional", "w@example.org", true));
    const auto other = staff_session(create_staff("professional", "v@example.org", true));
    auto request = with_reason(token, "act_for", "mandate", {"email"});
    const auto look_up = [&](int address) {
        request.set_email_index(std::string(28, 'n') + std::to_string(1000 + address));
        return issue(request);
    };
    const int bound = static_cast<int>(2 * registry.purpose("act_for")->budget.per_hour);
    for (int i = 0; i < bound; ++i) EXPECT_TRUE(fails(ErrorCode::kNotFound, look_up(i)));
    EXPECT_TRUE(fails(ErrorCode::kExhausted, look_up(bound)));
    EXPECT_TRUE(fails(ErrorCode::kNotFound, look_up(0)));  // seen already
    request.set_email_index(resident.email_index);
    EXPECT_TRUE(fails(ErrorCode::kExhausted, issue(request)));  // the same, known or not
    request.set_token(other);
    EXPECT_TRUE(issue(request));
    request.set_token(token);
    clock.advance(kHour / 2);
    EXPECT_TRUE(session(token, "desk"));
    clock.advance(kHour / 2 - Duration(1));
    EXPECT_TRUE(fails(ErrorCode::kExhausted, issue(request)));
    clock.advance(Duration(1));
    EXPECT_TRUE(issue(request));
}

TEST_F(GrantsTest, ProfessionalsActForAnyoneOnlyIfTheyMay) {
    const auto resident = sign_up("a@example.org");
    const auto narrow = staff_session(create_staff("professional", "n@example.org"));
    const auto wide = staff_session(create_staff("professional", "w@example.org", true));
    auto request = with_reason(narrow, "act_for", "mandate", {"email"});
    request.set_email_index(resident.email_index);
    const auto refused = issue(request);
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, refused));
    EXPECT_EQ(refused.error().message,
              "Acting for somebody needs their mandate, and none is on file.");
    request.set_token(wide);
    EXPECT_TRUE(issue(request));
    request.set_email_index(index_of("nobody@example.org"));
    EXPECT_TRUE(fails(ErrorCode::kNotFound, issue(request)));
}

TEST_F(GrantsTest, EveryRoleHasItsOwnPurposesAndNoOthers) {
    const auto resident = sign_up("a@example.org");
    struct Actor {
        std::string role, token, door;
    };
    std::vector<Actor> actors = {{"resident", resident.token, "portal"}};
    for (const char* role : {"professional", "officer", "support", "dpo", "administrator"})
        actors.push_back({role,
                          staff_session(create_staff(role, std::string(role) + "@example.org",
                                                     std::string(role) == "professional")),
                          "desk"});
    // What a role gets without ticket or approval; all else is refused.
    const std::set<std::pair<std::string, std::string>> granted = {{"resident", "self_service"},
                                                                   {"professional", "act_for"},
                                                                   {"officer", "process_request"},
                                                                   {"support", "support_call"},
                                                                   {"dpo", "investigate"}};
    for (const auto& actor : actors) {
        for (const auto& purpose : registry.purposes()) {
            auto request = grant_request(actor.token, purpose.name, {}, actor.door);
            if (!purpose.reasons.empty()) request.set_reason(purpose.reasons[0].code);
            if (purpose.name == "act_for" || purpose.name == "support_call")
                request.set_email_index(resident.email_index);
            const auto outcome = issue(request);
            if (granted.count({actor.role, purpose.name}))
                EXPECT_TRUE(outcome) << actor.role << " " << purpose.name;
            else
                EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, outcome))
                    << actor.role << " " << purpose.name;
        }
    }
}

TEST_F(GrantsTest, FieldsMustBeDeclaredForThePurpose) {
    const auto resident = sign_up("a@example.org");
    const auto token = staff_session(create_staff("support", "s@example.org"));
    for (const auto& field : registry.fields()) {
        auto request = with_reason(token, "support_call", "call", {field.name});
        request.set_email_index(resident.email_index);
        const bool allowed = registry.may_open(field, *registry.purpose("support_call"));
        EXPECT_EQ(issue(request).has_value(), allowed) << field.name;
    }
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument,
                      issue(grant_request(resident.token, "self_service", {"shoe_size"}))));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument,
                      issue(grant_request(resident.token, "self_service", {"email", "email"}))));
    EXPECT_TRUE(fails(
        ErrorCode::kInvalidArgument,
        issue(grant_request(resident.token, "self_service",
                            std::vector<std::string>(registry.fields().size() + 1, "email")))));
}

TEST_F(GrantsTest, WhatThePurposeDoesNotTakeIsRefused) {
    const auto resident = sign_up("a@example.org");
    auto request = grant_request(resident.token, "self_service");
    request.set_reason("call");
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
    request = grant_request(resident.token, "self_service");
    request.set_email_index(resident.email_index);
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
    request = grant_request(resident.token, "self_service");
    request.set_approval(random_id());
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
    EXPECT_TRUE(
        fails(ErrorCode::kInvalidArgument, issue(grant_request(resident.token, "curiosity"))));
    request = grant_request(resident.token, "self_service");
    request.mutable_client()->set_door("desk");
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, as("portal").issue_grant(request)));

    const auto support = staff_session(create_staff("support", "s@example.org"));
    request = with_reason(support, "support_call", "examine");
    request.set_email_index(resident.email_index);
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
    request.set_reason("");
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
    request.set_reason("call");
    request.set_ticket("t");
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
}

TEST_F(GrantsTest, BulkPurposesNeedASecondPerson) {
    const auto dpo = create_staff("dpo", "d@example.org");
    const auto second = create_staff("administrator", "x@example.org");
    const auto token = staff_session(dpo);
    const auto other = staff_session(second);
    auto request = with_reason(token, "notify", "breach", {"email"});
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(request)));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied,
                      issue(with_reason(token, "investigate", "incident", {"email"}))));

    const auto approval = request_approval(token, "notify");
    ASSERT_TRUE(approval) << approval.error().message;
    approved(request, *approval);
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(request)));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, approve(token, *approval)));  // the same person
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(request)));
    ASSERT_TRUE(approve(other, *approval));
    EXPECT_TRUE(fails(ErrorCode::kConflict, approve(other, *approval)));

    const auto grant = issue(request);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_TRUE(read(*grant).person.empty());
    EXPECT_EQ(read(*grant).approvers, (std::vector<ActorId>{*ActorId::from_bytes(dpo.actor),
                                                            *ActorId::from_bytes(second.actor)}));

    EXPECT_EQ(read(*grant).list, to_bytes(ByteView(list_.digest)));

    // An approval is for one list, one matter and these fields, never for just anything.
    const auto denied = [&](const std::string& list, const std::string& about,
                            std::vector<std::string> fields) {
        auto changed = with_reason(token, "notify", "breach", std::move(fields));
        changed.set_approval(*approval);
        changed.set_list(list);
        changed.set_about(about);
        return fails(ErrorCode::kPermissionDenied, issue(changed));
    };
    EXPECT_TRUE(denied(std::string(32, 'e'), about_, {"email"}));
    EXPECT_TRUE(denied(to_string(list_.digest), std::string(32, 'e'), {"email"}));
    EXPECT_TRUE(denied(to_string(list_.digest), about_, {"email", "phone"}));
    EXPECT_TRUE(denied(to_string(list_.digest), about_, {}));
    request.clear_list();
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
    request.set_list("short");
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
    approved(request, *approval);
    request.clear_about();
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request)));
    approved(request, *approval);
    EXPECT_TRUE(issue(request));
    request.clear_approval();
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, issue(request))) << "a list without approval";

    auto elsewhere = with_reason(token, "investigate", "incident", {"email"});
    approved(elsewhere, *approval);
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(elsewhere)));
}

TEST_F(GrantsTest, AnApprovalEndsWithTheAccountOfWhoeverGaveIt) {
    const auto token = staff_session(create_staff("dpo", "d@example.org"));
    const auto second = create_staff("dpo", "e@example.org");
    const auto administrator = staff_session(create_staff("administrator", "x@example.org"));
    const auto approval = request_approval(token, "notify");
    ASSERT_TRUE(approve(staff_session(second), *approval));
    auto request = with_reason(token, "notify", "breach", {"email"});
    approved(request, *approval);
    ASSERT_TRUE(issue(request));
    v1::DisableStaffRequest disable;
    disable.set_token(administrator);
    disable.set_actor(second.actor);
    ASSERT_TRUE(as("desk").disable_staff(disable));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(request)));
    const auto anew = request_approval(token, "notify");
    ASSERT_TRUE(approve(administrator, *anew));
    approved(request, *anew);
    EXPECT_TRUE(issue(request)) << "somebody else may approve";
}

TEST_F(GrantsTest, ApprovalIsForItsRequesterAndAnHour) {
    const auto token = staff_session(create_staff("dpo", "d@example.org"));
    const auto other = staff_session(create_staff("dpo", "e@example.org"));
    const auto approval = request_approval(token, "notify");
    ASSERT_TRUE(approve(other, *approval));
    auto request = with_reason(other, "notify", "breach", {"email"});
    approved(request, *approval);
    EXPECT_TRUE(fails(ErrorCode::kNotFound, issue(request)));
    request.set_approval(random_id());
    EXPECT_TRUE(fails(ErrorCode::kNotFound, issue(request)));
    request.set_token(token);
    request.set_approval(*approval);
    clock.advance(30 * kMinute);
    EXPECT_TRUE(session(token, "desk"));
    clock.advance(30 * kMinute - Duration(1));
    EXPECT_TRUE(issue(request));
    clock.advance(Duration(1));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(request)));
}

/// Who makes an account knows its first password and may set up its code.
TEST_F(GrantsTest, OneAdministratorIsNotTwoPeople) {
    const auto administrator = staff_session(create_staff("administrator", "x@example.org"));
    const auto independent = staff_session(create_staff("dpo", "i@example.org"));
    const auto make = [&](const std::string& maker, const std::string& role,
                          const std::string& email) {
        auto asked = staff_request(role, email);
        asked.set_token(maker);
        EXPECT_TRUE(as("desk").create_staff(asked));
        const auto token = sign_in(asked.email_index(), kPassword, "desk")->token();
        v1::BeginTotpRequest begin_totp;
        begin_totp.set_token(token);
        const auto secret = base32_decode(as("desk").begin_totp(begin_totp)->secret());
        v1::ConfirmTotpRequest confirm_totp;
        confirm_totp.set_token(token);
        confirm_totp.set_code(code_now(*secret));
        EXPECT_TRUE(as("desk").confirm_totp(confirm_totp));
        return token;
    };
    const auto dpo = make(administrator, "dpo", "d@example.org");
    const auto second = make(administrator, "dpo", "e@example.org");
    const auto other = make(administrator, "administrator", "y@example.org");
    const auto third = make(other, "dpo", "f@example.org");
    const auto approval = request_approval(dpo, "notify");
    for (const auto& token : {administrator, second, other, third})
        EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, approve(token, *approval)));
    EXPECT_TRUE(approve(independent, *approval));
    // And the other way round.
    const auto asked = request_approval(independent, "notify");
    EXPECT_TRUE(approve(third, *asked));
}

TEST_F(GrantsTest, RequestThatNobodyApprovedExpires) {
    const auto token = staff_session(create_staff("dpo", "d@example.org"));
    const auto other = staff_session(create_staff("dpo", "e@example.org"));
    const auto approval = request_approval(token, "notify");
    clock.advance(30 * kMinute);
    EXPECT_TRUE(session(other, "desk"));
    clock.advance(30 * kMinute);
    EXPECT_TRUE(fails(ErrorCode::kConflict, approve(other, *approval)));
}

TEST_F(GrantsTest, ApprovalsAreCheckedAndListed) {
    const auto dpo = create_staff("dpo", "d@example.org");
    const auto token = staff_session(dpo);
    const auto officer = staff_session(create_staff("officer", "o@example.org"));
    const auto administrator = staff_session(create_staff("administrator", "x@example.org"));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, request_approval(officer, "notify")));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, request_approval(administrator, "notify")));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, request_approval(token, "support_call")));
    v1::RequestApprovalRequest malformed;
    malformed.set_token(token);
    malformed.set_purpose("notify");
    malformed.set_summary("Persons of the incident");
    malformed.set_digest("short");
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, as("desk").request_approval(malformed)));
    const auto approval = request_approval(token, "notify");
    ASSERT_TRUE(approval);
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, approve(officer, *approval)));
    EXPECT_TRUE(fails(ErrorCode::kNotFound, approve(administrator, random_id())));

    v1::ListApprovalsRequest request;
    request.set_token(administrator);
    const auto listed = as("desk").list_approvals(request);
    ASSERT_TRUE(listed) << listed.error().message;
    ASSERT_EQ(listed->approvals_size(), 1);
    EXPECT_EQ(listed->approvals(0).approval(), *approval);
    EXPECT_EQ(listed->approvals(0).requested_by(), dpo.actor);
    EXPECT_TRUE(listed->approvals(0).approved_by().empty());
    EXPECT_EQ(listed->approvals(0).summary(), "Persons of the incident");
    request.set_token(officer);
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, as("desk").list_approvals(request)));
}

TEST_F(GrantsTest, SummaryAndWaitingRequestsAreBounded) {
    const auto token = staff_session(create_staff("dpo", "d@example.org"));
    v1::RequestApprovalRequest request;
    request.set_token(token);
    request.set_purpose("notify");
    request.set_digest(std::string(32, 'd'));
    for (const std::size_t size : {std::size_t{0}, kMaxApprovalSummary + 1}) {
        request.set_summary(std::string(size, 's'));
        EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, as("desk").request_approval(request)));
    }
    request.set_summary(std::string(kMaxApprovalSummary, 's'));
    for (int i = 0; i < kMaxWaitingApprovals; ++i)
        EXPECT_TRUE(as("desk").request_approval(request));
    EXPECT_TRUE(fails(ErrorCode::kExhausted, as("desk").request_approval(request)));
}

TEST_F(GrantsTest, ManyProfilesThroughHandlesThatTheKeeperGave) {
    const auto anne = sign_up("a@example.org");
    const auto bela = sign_up("b@example.org");
    const auto token = staff_session(create_staff("dpo", "d@example.org"));
    const auto other = staff_session(create_staff("administrator", "x@example.org"));
    const auto approval = request_approval(token, "notify");
    ASSERT_TRUE(approve(other, *approval));
    auto request = with_reason(token, "notify", "breach", {"email"});
    approved(request, *approval);
    const auto grant = issue(request);
    ASSERT_TRUE(grant) << grant.error().message;

    v1::GetProfilesRequest profiles;
    profiles.set_grant(*grant);
    for (std::size_t page = 0; page < list_.pages.size(); ++page) {
        keeper::v1::HandlesRequest handles;
        handles.set_grant(*grant);
        for (const auto person : list_.pages[page]) handles.add_persons(person);
        for (const auto& digest : list_.page_digests) handles.add_pages(to_string(digest));
        handles.set_page(static_cast<std::uint32_t>(page));
        const auto given = keeper_as("desk").handles(handles);
        ASSERT_TRUE(given) << given.error().message;
        for (const auto& handle : given->handles())
            if (!handle.empty()) profiles.add_handles(handle);
    }
    ASSERT_EQ(profiles.handles_size(), 2);
    profiles.add_handles("");
    const auto found = as("desk").get_profiles(profiles);
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_EQ(found->profiles_size(), 3);
    // Ordinals do not tell in which order people came.
    const int bela_at = found->profiles(0).record() == bela.record ? 0 : 1;
    EXPECT_EQ(found->profiles(1 - bela_at).record(), anne.record);
    EXPECT_EQ(found->profiles(bela_at).record(), bela.record);
    EXPECT_EQ(found->profiles(2).fields_size(), 0);
    const auto& sealed = found->profiles(bela_at).fields(0);
    EXPECT_EQ(
        *open(*grant, "email", sealed.record(), sealed.sealed(), "desk", profiles.handles(bela_at)),
        "b@example.org");

    // One person's purpose does not open many, nor many's purpose one.
    v1::GetProfileRequest single;
    single.set_grant(*grant);
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, as("desk").get_profile(single)));
    profiles.set_grant(*issue(with_reason(token, "investigate", "incident")));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, as("desk").get_profiles(profiles)));
    profiles.set_grant(*grant);
    profiles.clear_handles();
    for (int i = 0; i < kMaxHandles; ++i) profiles.add_handles("");
    EXPECT_TRUE(as("desk").get_profiles(profiles));
    profiles.add_handles("");
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, as("desk").get_profiles(profiles)));
}

}  // namespace
}  // namespace cloison::identity
