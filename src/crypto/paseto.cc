#include "crypto/paseto.h"

#include "crypto/pae.h"

namespace cloison::crypto {
namespace {

constexpr std::string_view kHeader = "v4.public.";
constexpr std::size_t kSignatureSize = Signature{}.size();

Bytes signed_content(ByteView payload, std::string_view footer, std::string_view implicit) {
    return pre_auth_encode({as_bytes(kHeader), payload, as_bytes(footer), as_bytes(implicit)});
}

tl::unexpected<Error> refused() {
    return fail(ErrorCode::kUnauthenticated, "A signed token is not valid.");
}

}  // namespace

std::string paseto_sign(const SigningKey& key, std::string_view payload, std::string_view footer,
                        std::string_view implicit) {
    const Signature signature = key.sign(signed_content(as_bytes(payload), footer, implicit));
    Bytes body = to_bytes(payload);
    body.insert(body.end(), signature.begin(), signature.end());
    std::string token = std::string(kHeader) + base64url_encode(body);
    if (!footer.empty()) token += '.' + base64url_encode(as_bytes(footer));
    return token;
}

Result<std::string> paseto_verify(const VerifyKey& key, std::string_view token,
                                  std::string_view footer, std::string_view implicit) {
    if (!token.starts_with(kHeader)) return refused();
    token.remove_prefix(kHeader.size());
    const std::size_t dot = token.find('.');
    if ((dot == std::string_view::npos) != footer.empty()) return refused();
    if (dot != std::string_view::npos) {
        const auto carried = base64url_decode(token.substr(dot + 1));
        if (!carried || !equal_constant_time(*carried, as_bytes(footer))) return refused();
    }
    const auto body = base64url_decode(token.substr(0, dot));
    if (!body || body->size() < kSignatureSize) return refused();
    const ByteView payload = ByteView(*body).first(body->size() - kSignatureSize);
    const ByteView signature = ByteView(*body).last(kSignatureSize);
    if (!key.verify(signed_content(payload, footer, implicit), signature)) return refused();
    return to_string(payload);
}

}  // namespace cloison::crypto
