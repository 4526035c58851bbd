#pragma once

#include <string>

#include "identity/core.h"

namespace cloison::identity {

/// What an encrypted one-time-code secret is bound to: the account; and, before its first code, the
/// session that was shown it, so that another session cannot confirm it.
inline std::string bound_totp_context(const AccountId& account) {
    return "totp" + account.bytes();
}
inline std::string offered_totp_context(const AccountId& account, const SessionId& session) {
    return "totp offered" + account.bytes() + session.bytes();
}

/// Under which the tries of an account's codes are counted.
inline Bytes totp_subject(const Core& core, const AccountId& account) {
    return core.hash("totp tries", account.bytes());
}

}  // namespace cloison::identity
