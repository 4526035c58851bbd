#include "demo/accounts.h"

#include <liboath/oath.h>

#include <array>
#include <nlohmann/json.hpp>

namespace cloison::demo {
namespace {

constexpr std::size_t kMaxAccountsFile = std::size_t{4} << 20;
constexpr int kStepSeconds = 30;
constexpr int kDigits = 6;

}  // namespace

std::vector<const Account*> Accounts::with_role(std::string_view role) const {
    std::vector<const Account*> found;
    for (const Account& account : accounts)
        if (account.role == role) found.push_back(&account);
    return found;
}

Status write_accounts(FileSystem& files, const Path& path, const Accounts& accounts) {
    auto list = nlohmann::ordered_json::array();
    for (const Account& account : accounts.accounts)
        list.push_back({{"role", account.role},
                        {"email", account.email},
                        {"password", account.password},
                        {"totp", account.totp},
                        {"name", account.name}});
    const nlohmann::ordered_json object = {
        {"seed", accounts.seed}, {"residents", accounts.residents}, {"accounts", std::move(list)}};
    return files.write_file_atomically(path, as_bytes(object.dump(2) + '\n'), 0600);
}

Result<Accounts> load_accounts(FileSystem& files, const Path& path) {
    const auto bytes = files.read_file(path, kMaxAccountsFile);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound)
        return fail(ErrorCode::kNotFound,
                    path.string() + " is missing: cloison population makes it.");
    if (!bytes) return fail(bytes.error());
    try {
        const auto object = nlohmann::json::parse(as_text(*bytes));
        Accounts accounts;
        accounts.seed = object.at("seed").get<std::uint64_t>();
        accounts.residents = object.at("residents").get<std::uint32_t>();
        for (const auto& entry : object.at("accounts"))
            accounts.accounts.push_back(
                {entry.at("role").get<std::string>(), entry.at("email").get<std::string>(),
                 entry.at("password").get<std::string>(), entry.at("totp").get<std::string>(),
                 entry.at("name").get<std::string>()});
        return accounts;
    } catch (const nlohmann::json::exception&) {
        return fail(ErrorCode::kInvalidArgument,
                    path.string() + " is not what cloison population writes.");
    }
}

std::int64_t code_step(Time time) {
    return to_unix_seconds(time) / kStepSeconds;
}

Result<std::string> one_time_code(std::string_view base32_secret, std::int64_t step) {
    CLOISON_TRY(const Bytes secret, base32_decode(base32_secret));
    std::array<char, kDigits + 1> code{};
    const int status =
        oath_totp_generate(reinterpret_cast<const char*>(secret.data()), secret.size(),
                           step * kStepSeconds, kStepSeconds, 0, kDigits, code.data());
    if (status != OATH_OK)
        return fail(ErrorCode::kInternal,
                    std::string("No one-time code: ") + oath_strerror(status));
    return std::string(code.data());
}

}  // namespace cloison::demo
