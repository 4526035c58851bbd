#include "identity/totp.h"

#include <liboath/oath.h>

#include <array>
#include <cstdlib>

#include "base/log.h"
#include "identity/limits.h"

namespace cloison::identity {
namespace {

void initialize_once() {
    static const bool ready = [] { return oath_init() == OATH_OK; }();
    if (!ready) {
        log_error("liboath does not start.");
        std::abort();
    }
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        if (plain)
            out += c;
        else
            out += '%' + hex_encode(as_bytes(std::string_view(&c, 1)));
    }
    return out;
}

}  // namespace

std::int64_t totp_step(Time time) {
    return to_unix_seconds(time) / kTotpStepSeconds;
}

std::string totp_code(ByteView secret, std::int64_t step) {
    initialize_once();
    std::array<char, kTotpDigits + 1> code{};
    const int outcome =
        oath_hotp_generate(reinterpret_cast<const char*>(secret.data()), secret.size(),
                           static_cast<std::uint64_t>(step), kTotpDigits, false,
                           OATH_HOTP_DYNAMIC_TRUNCATION, code.data());
    if (outcome != OATH_OK) {
        log_error("liboath makes no code.");
        std::abort();
    }
    return code.data();
}

std::optional<std::int64_t> match_totp(const Secret& secret, std::string_view code, Time now,
                                       std::int64_t last_step) {
    const std::int64_t present = totp_step(now);
    std::int64_t matched = -1;
    for (std::int64_t step = present - 1; step <= present + 1; ++step) {
        const std::string expected = totp_code(secret.view(), step);
        const bool equal = equal_constant_time(as_bytes(expected), as_bytes(code));
        const std::int64_t mask = -static_cast<std::int64_t>(equal);
        matched = (matched & ~mask) | (step & mask);
    }
    if (matched <= last_step) return std::nullopt;
    return matched;
}

std::string totp_uri(std::string_view issuer, std::string_view label,
                     std::string_view base32_secret) {
    const std::string name = percent_encode(issuer);
    return "otpauth://totp/" + name + ":" + percent_encode(label) +
           "?secret=" + std::string(base32_secret) + "&issuer=" + name +
           "&algorithm=SHA1&digits=6&period=30";
}

}  // namespace cloison::identity
