#pragma once

#include <memory>

#include "net/rpc.h"

#include "cloison/identity/v1/identity.pb.h"

namespace cloison::identity {

/// What others may call of identity. Thin: one function per method of proto/cloison/identity/v1.
/// Safe to use from any thread.
class IdentityClient {
  public:
    explicit IdentityClient(std::shared_ptr<net::RpcChannel> channel)
        : channel_(std::move(channel)) {}

#define CLOISON_IDENTITY_METHOD(function, Method)                                     \
    Result<v1::Method##Response> function(const v1::Method##Request& request) const { \
        return channel_->call<v1::Method##Response>(#Method, request);                \
    }
    CLOISON_IDENTITY_METHOD(begin_sign_up, BeginSignUp)
    CLOISON_IDENTITY_METHOD(confirm_sign_up, ConfirmSignUp)
    CLOISON_IDENTITY_METHOD(complete_sign_up, CompleteSignUp)
    CLOISON_IDENTITY_METHOD(sign_in, SignIn)
    CLOISON_IDENTITY_METHOD(sign_in_totp, SignInTotp)
    CLOISON_IDENTITY_METHOD(get_session, GetSession)
    CLOISON_IDENTITY_METHOD(list_sessions, ListSessions)
    CLOISON_IDENTITY_METHOD(end_session, EndSession)
    CLOISON_IDENTITY_METHOD(sign_out, SignOut)
    CLOISON_IDENTITY_METHOD(list_sign_ins, ListSignIns)
    CLOISON_IDENTITY_METHOD(begin_totp, BeginTotp)
    CLOISON_IDENTITY_METHOD(confirm_totp, ConfirmTotp)
    CLOISON_IDENTITY_METHOD(remove_totp, RemoveTotp)
    CLOISON_IDENTITY_METHOD(get_profile, GetProfile)
    CLOISON_IDENTITY_METHOD(save_profile, SaveProfile)
    CLOISON_IDENTITY_METHOD(get_profiles, GetProfiles)
    CLOISON_IDENTITY_METHOD(issue_grant, IssueGrant)
    CLOISON_IDENTITY_METHOD(request_approval, RequestApproval)
    CLOISON_IDENTITY_METHOD(approve, Approve)
    CLOISON_IDENTITY_METHOD(list_approvals, ListApprovals)
    CLOISON_IDENTITY_METHOD(create_staff, CreateStaff)
    CLOISON_IDENTITY_METHOD(list_staff, ListStaff)
    CLOISON_IDENTITY_METHOD(disable_staff, DisableStaff)
    CLOISON_IDENTITY_METHOD(describe_actors, DescribeActors)
    CLOISON_IDENTITY_METHOD(plant_canary, PlantCanary)
#undef CLOISON_IDENTITY_METHOD

  private:
    std::shared_ptr<net::RpcChannel> channel_;
};

}  // namespace cloison::identity
