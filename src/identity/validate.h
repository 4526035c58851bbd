#pragma once

#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "identity/limits.h"
#include "net/rpc.h"

#include "cloison/identity/v1/identity.pb.h"

/// Checks of what comes from outside. Each failure is kInvalidArgument in words that name the
/// field and its bound, and never repeat the value.
namespace cloison::identity {

template <class T>
Result<T> checked_id(std::string_view name, std::string_view bytes) {
    if (bytes.size() != T::kSize)
        return fail(ErrorCode::kInvalidArgument, std::string(name) + " must have 16 bytes.");
    return T::from_bytes(bytes);
}

Status check_size(std::string_view name, std::string_view bytes, std::size_t size);
Status check_email_index(std::string_view bytes);
Status check_language(std::string_view language);
/// One line of text: valid UTF-8 without control characters, `minimum` to `maximum` bytes.
Status check_text(std::string_view name, std::string_view text, std::size_t minimum,
                  std::size_t maximum);
/// A password that somebody chooses: 15 to 256 characters.
Status check_new_password(std::string_view password);
/// A password that somebody types: anything that could be one.
Status check_typed_password(std::string_view password);
/// A one-time or mailed code: six digits.
Status check_code(std::string_view code);
Status check_sealed(std::string_view name, std::string_view sealed);
/// The origin's form, and that the door is the calling service.
Status check_client(const net::Caller& caller, const v1::Client& client);

/// The first kMaxUserAgent bytes, not cutting a character in two.
std::string kept_user_agent(std::string_view user_agent);

}  // namespace cloison::identity
