#include "casework/support_for_test.h"

namespace cloison::casework {
namespace {

class AccessTest : public CaseworkBed {};

v1::ListRequestsRequest list_with(const std::string& grant) {
    v1::ListRequestsRequest request;
    request.set_grant(grant);
    return request;
}

v1::QueueRequest queue_with(const std::string& grant) {
    v1::QueueRequest request;
    request.set_grant(grant);
    request.set_limit(10);
    return request;
}

TEST_F(AccessTest, EveryMethodHasAHandler) {
    EXPECT_TRUE(casework_->service()->missing().empty());
}

TEST_F(AccessTest, ResidentsMethodsArePortalsAndOfficersAreDesks) {
    const auto grant = list_with(self(enroll()));
    EXPECT_TRUE(portal().list_requests(grant));
    for (const char* caller : {"desk", "identity", "documents", "casework", "keeper"})
        EXPECT_EQ(error_of(as(caller).list_requests(grant)).code, ErrorCode::kPermissionDenied);
    const auto queue = queue_with(staff(new_officer()));
    EXPECT_TRUE(desk().queue(queue));
    EXPECT_EQ(error_of(portal().queue(queue)).code, ErrorCode::kPermissionDenied);
}

TEST_F(AccessTest, ResidentNeedsASelfServiceGrantOfThisDoorAndPerson) {
    const Person person = enroll();
    const auto refused = [&](keeper::Grant grant) {
        return error_of(portal().list_requests(list_with(sign(grant)))).code;
    };
    auto grant = self_grant(person);
    EXPECT_TRUE(portal().list_requests(list_with(sign(grant))));
    grant.door = "desk";
    EXPECT_EQ(refused(grant), ErrorCode::kPermissionDenied);
    grant = self_grant(person);
    grant.purpose = "act_for";
    grant.role = registry::Role::kProfessional;
    EXPECT_EQ(refused(grant), ErrorCode::kPermissionDenied);
    grant = self_grant(person);
    grant.role = registry::Role::kOfficer;
    EXPECT_EQ(refused(grant), ErrorCode::kPermissionDenied);
    grant = self_grant(person);
    grant.person.clear();
    EXPECT_EQ(refused(grant), ErrorCode::kPermissionDenied);
    grant = self_grant(person);
    grant.expires = clock_.now();
    EXPECT_EQ(refused(grant), ErrorCode::kUnauthenticated);
    EXPECT_EQ(error_of(portal().list_requests(list_with("v4.public.x"))).code,
              ErrorCode::kUnauthenticated);
    const auto other = crypto::SigningKey::from_seed(Bytes(32, 1));
    EXPECT_EQ(
        error_of(portal().list_requests(list_with(keeper::sign_grant(other, self_grant(person)))))
            .code,
        ErrorCode::kUnauthenticated);
}

TEST_F(AccessTest, OfficerNeedsAProcessRequestGrantWithoutPerson) {
    const ActorId officer = new_officer();
    const auto refused = [&](keeper::Grant grant) {
        return error_of(desk().queue(queue_with(sign(grant)))).code;
    };
    auto grant = officer_grant(officer);
    grant.door = "portal";
    EXPECT_EQ(refused(grant), ErrorCode::kPermissionDenied);
    grant = officer_grant(officer);
    grant.role = registry::Role::kSupport;
    EXPECT_EQ(refused(grant), ErrorCode::kPermissionDenied);
    grant = officer_grant(officer);
    grant.purpose = "support_call";
    EXPECT_EQ(refused(grant), ErrorCode::kPermissionDenied);
    grant = officer_grant(officer);
    grant.person = self_grant(enroll()).person;
    EXPECT_EQ(refused(grant), ErrorCode::kPermissionDenied);
}

TEST_F(AccessTest, TicketsNameTheCaseAndForOfficersTheActor) {
    const Person person = enroll();
    const std::string id = submitted(person);
    const ActorId officer = new_officer();
    ASSERT_TRUE(try_take(officer, id));
    const auto keys = casework_verify_keys(files(), path("casework"));
    ASSERT_TRUE(keys);

    const auto own = try_get(person, id);
    ASSERT_TRUE(own);
    const auto own_ticket = keeper::verify_ticket(keys->tickets, own->ticket(), clock_.now());
    ASSERT_TRUE(own_ticket) << own_ticket.error().message;
    EXPECT_TRUE(own_ticket->actor.is_none());

    const auto of_case = try_case(officer, id);
    ASSERT_TRUE(of_case);
    const auto ticket = keeper::verify_ticket(keys->tickets, of_case->ticket(), clock_.now());
    ASSERT_TRUE(ticket) << ticket.error().message;
    EXPECT_EQ(ticket->actor, officer);
    EXPECT_EQ(ticket->expires - clock_.now(), kTicketLifetime);
    clock_.advance(kTicketLifetime);
    EXPECT_FALSE(keeper::verify_ticket(keys->tickets, of_case->ticket(), clock_.now()));

    // The handle opens for the keeper alone: the officer's grant with it resolves to the person.
    auto grant = officer_grant(officer);
    grant.case_handle = ticket->handle;
    keeper::v1::ResolveRequest resolve;
    resolve.mutable_subject()->set_grant(sign(grant));
    const auto by_case = keeper_as("casework").resolve(resolve);
    ASSERT_TRUE(by_case) << by_case.error().message;
    resolve.mutable_subject()->set_grant(self(person));
    const auto by_person = keeper_as("casework").resolve(resolve);
    ASSERT_TRUE(by_person);
    EXPECT_EQ(by_case->pseudonym(), by_person->pseudonym());
    EXPECT_EQ(by_case->case_tag(), id);
}

TEST_F(AccessTest, KeysAreMadeOnceAndKept) {
    EXPECT_EQ(create_casework_directory(files(), path("casework"), random_).error().code,
              ErrorCode::kConflict);
    ASSERT_TRUE(files().remove(path("casework") / "service.key"));
    EXPECT_EQ(create_casework_directory(files(), path("casework"), random_).error().code,
              ErrorCode::kConflict);
    EXPECT_EQ(files().exists(path("casework") / "service.key"), false);
}

TEST_F(AccessTest, ServiceAndTicketKeysDiffer) {
    const auto keys = casework_verify_keys(files(), path("casework"));
    ASSERT_TRUE(keys);
    EXPECT_NE(keys->service, keys->tickets);
    EXPECT_EQ(casework_service_key(files(), path("casework"))->verify_key(), keys->service);
}

}  // namespace
}  // namespace cloison::casework
