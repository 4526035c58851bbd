#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "base/time.h"

namespace cloison::demo {

struct Account {
    std::string role;
    std::string email;
    std::string password;
    std::string totp;  ///< Base32; empty: no one-time code.
    std::string name;
};

/// var/demo.json, docs/formats/demo.md: how to sign in as the staff and a few residents, and what
/// all others follow from.
struct Accounts {
    std::uint64_t seed = 0;
    std::uint32_t residents = 0;
    std::vector<Account> accounts;

    std::vector<const Account*> with_role(std::string_view role) const;
};
Status write_accounts(FileSystem& files, const Path& path, const Accounts& accounts);
/// kNotFound or kInvalidArgument naming the file.
Result<Accounts> load_accounts(FileSystem& files, const Path& path);

/// One-time codes (RFC 6238: SHA-1, six digits, 30 seconds).
std::int64_t code_step(Time time);
/// kInvalidArgument if the secret is no base32.
Result<std::string> one_time_code(std::string_view base32_secret, std::int64_t step);

}  // namespace cloison::demo
