#pragma once

#include "identity/core.h"
#include "net/rpc.h"

#include "cloison/identity/v1/identity.pb.h"

namespace cloison::identity {

/// One function per method of proto/cloison/identity/v1, in the file named after its part of the
/// contract. service.cc decides who may call which; `caller` is the door.
#define CLOISON_IDENTITY_HANDLER(function, Method)                               \
    Result<v1::Method##Response> function(Core& core, const net::Caller& caller, \
                                          const v1::Method##Request& request);

// sign_up.cc
CLOISON_IDENTITY_HANDLER(begin_sign_up, BeginSignUp)
CLOISON_IDENTITY_HANDLER(confirm_sign_up, ConfirmSignUp)
CLOISON_IDENTITY_HANDLER(complete_sign_up, CompleteSignUp)
// sign_in.cc
CLOISON_IDENTITY_HANDLER(sign_in, SignIn)
CLOISON_IDENTITY_HANDLER(sign_in_totp, SignInTotp)
CLOISON_IDENTITY_HANDLER(list_sign_ins, ListSignIns)
// sessions.cc
CLOISON_IDENTITY_HANDLER(get_session, GetSession)
CLOISON_IDENTITY_HANDLER(list_sessions, ListSessions)
CLOISON_IDENTITY_HANDLER(end_session, EndSession)
CLOISON_IDENTITY_HANDLER(sign_out, SignOut)
// totp_setup.cc
CLOISON_IDENTITY_HANDLER(begin_totp, BeginTotp)
CLOISON_IDENTITY_HANDLER(confirm_totp, ConfirmTotp)
CLOISON_IDENTITY_HANDLER(remove_totp, RemoveTotp)
// profile.cc
CLOISON_IDENTITY_HANDLER(get_profile, GetProfile)
CLOISON_IDENTITY_HANDLER(save_profile, SaveProfile)
CLOISON_IDENTITY_HANDLER(get_profiles, GetProfiles)
// grants.cc
CLOISON_IDENTITY_HANDLER(issue_grant, IssueGrant)
// approvals.cc
CLOISON_IDENTITY_HANDLER(request_approval, RequestApproval)
CLOISON_IDENTITY_HANDLER(approve, Approve)
CLOISON_IDENTITY_HANDLER(list_approvals, ListApprovals)
// staff.cc
CLOISON_IDENTITY_HANDLER(create_staff, CreateStaff)
CLOISON_IDENTITY_HANDLER(list_staff, ListStaff)
CLOISON_IDENTITY_HANDLER(disable_staff, DisableStaff)
CLOISON_IDENTITY_HANDLER(describe_actors, DescribeActors)
// canaries.cc
CLOISON_IDENTITY_HANDLER(plant_canary, PlantCanary)

#undef CLOISON_IDENTITY_HANDLER

}  // namespace cloison::identity
