#include "web/cookie_box.h"

#include "crypto/box.h"
#include "crypto/hash.h"

namespace cloison::web {

CookieBox::CookieBox(const crypto::HashKey& key, Random& random)
    : box_key_(crypto::derive_key<crypto::BoxKey>(key, "cloison-cookie-box-v1")),
      csrf_key_(crypto::derive_key<crypto::HashKey>(key, "cloison-csrf-v1")),
      random_(random) {}

std::string CookieBox::seal(std::string_view name, std::string_view value, Time expires) const {
    Bytes plain;
    put_u64(plain, static_cast<std::uint64_t>(to_unix_ms(expires)));
    plain.insert(plain.end(), value.begin(), value.end());
    const Secret secret(std::move(plain));
    return base64url_encode(crypto::box_encrypt(box_key_, secret.view(), as_bytes(name), random_));
}

std::optional<Secret> CookieBox::open(std::string_view name, std::string_view sealed,
                                      Time now) const {
    const auto box = base64url_decode(sealed);
    if (!box) return std::nullopt;
    const auto plain = crypto::box_decrypt(box_key_, *box, as_bytes(name));
    if (!plain || plain->size() < 8) return std::nullopt;
    if (to_unix_ms(now) >= static_cast<std::int64_t>(get_u64(plain->view()))) return std::nullopt;
    return Secret(plain->view().subspan(8));
}

std::string CookieBox::csrf_token(std::string_view bound_to) const {
    return hex_encode(crypto::keyed_hash(csrf_key_.view(), as_bytes(bound_to)));
}

bool CookieBox::csrf_matches(std::string_view bound_to, std::string_view token) const {
    return equal_constant_time(as_bytes(csrf_token(bound_to)), as_bytes(token));
}

}  // namespace cloison::web
