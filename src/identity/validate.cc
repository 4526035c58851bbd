#include "identity/validate.h"

#include <algorithm>
#include <optional>

#include "crypto/seal.h"

namespace cloison::identity {
namespace {

tl::unexpected<Error> invalid(std::string message) {
    return fail(ErrorCode::kInvalidArgument, std::move(message));
}

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

/// Bytes of the UTF-8 sequence that starts with `lead`; 0 if none does.
std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead < 0xe0) return 2;
    if (lead >= 0xe0 && lead < 0xf0) return 3;
    if (lead >= 0xf0 && lead < 0xf5) return 4;
    return 0;
}

/// Characters in valid UTF-8 (RFC 3629, except that surrogates and over-long forms of three and
/// four bytes pass: nothing here depends on them); nothing for other bytes.
std::optional<std::size_t> count_characters(std::string_view text) {
    std::size_t count = 0;
    while (!text.empty()) {
        const std::size_t length = sequence_length(static_cast<unsigned char>(text.front()));
        if (length == 0 || length > text.size()) return std::nullopt;
        const auto rest = text.substr(1, length - 1);
        if (!std::all_of(rest.begin(), rest.end(), is_continuation)) return std::nullopt;
        text.remove_prefix(length);
        ++count;
    }
    return count;
}

}  // namespace

Status check_size(std::string_view name, std::string_view bytes, std::size_t size) {
    if (bytes.size() != size)
        return invalid(std::string(name) + " must have " + std::to_string(size) + " bytes.");
    return {};
}

Status check_email_index(std::string_view bytes) {
    return check_size("email_index", bytes, kBlindIndexSize);
}

Status check_language(std::string_view language) {
    if (language != "fr" && language != "en") return invalid("language must be fr or en.");
    return {};
}

Status check_text(std::string_view name, std::string_view text, std::size_t minimum,
                  std::size_t maximum) {
    if (text.size() < minimum || text.size() > maximum)
        return invalid(std::string(name) + " must have " + std::to_string(minimum) + " to " +
                       std::to_string(maximum) + " bytes.");
    const bool control = std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (control || !count_characters(text))
        return invalid(std::string(name) + " must be one line of UTF-8 text.");
    return {};
}

Status check_new_password(std::string_view password) {
    const auto characters = count_characters(password.substr(0, kMaxPasswordBytes + 1));
    if (password.size() > kMaxPasswordBytes || !characters ||
        *characters < kMinPasswordCharacters || *characters > kMaxPasswordCharacters)
        return invalid("A password has 15 to 256 characters.");
    return {};
}

Status check_typed_password(std::string_view password) {
    if (password.empty() || password.size() > kMaxPasswordBytes)
        return invalid("A password has 1 to 1024 bytes.");
    return {};
}

Status check_code(std::string_view code) {
    const bool digits =
        std::all_of(code.begin(), code.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (code.size() != kTotpDigits || !digits) return invalid("A code has six digits.");
    return {};
}

Status check_sealed(std::string_view name, std::string_view sealed) {
    if (sealed.size() > kMaxSealedValue)
        return invalid(std::string(name) + " must have at most " + std::to_string(kMaxSealedValue) +
                       " bytes.");
    if (sealed.size() < crypto::sealed_size(0) || !crypto::sealed_epoch(as_bytes(sealed)))
        return invalid(std::string(name) + " must be a sealed field.");
    return {};
}

Status check_client(const net::Caller& caller, const v1::Client& client) {
    if (client.door() != caller.service)
        return invalid("client.door must name the calling service.");
    CLOISON_TRY_STATUS(check_text("client.origin", client.origin(), 0, kMaxOrigin));
    return {};
}

std::string kept_user_agent(std::string_view user_agent) {
    if (user_agent.size() <= kMaxUserAgent) return std::string(user_agent);
    std::size_t end = kMaxUserAgent;
    while (end > 0 && is_continuation(user_agent[end])) --end;
    return std::string(user_agent.substr(0, end));
}

}  // namespace cloison::identity
