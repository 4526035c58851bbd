#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/keys.h"

namespace cloison::web {

/// Cookie values that only this door can read and that end at a stated time: what must be carried
/// from one page to the next without being stored. docs/formats/door-cookies.md.
/// Safe from any thread; `random` must outlive it.
class CookieBox {
  public:
    /// `key` is the door's cookie key; the box key and the CSRF key are derived from it.
    CookieBox(const crypto::HashKey& key, Random& random);

    /// `name` binds the value: it opens under the same name only.
    std::string seal(std::string_view name, std::string_view value, Time expires) const;
    /// None if it is forged, of another name, or over.
    std::optional<Secret> open(std::string_view name, std::string_view sealed, Time now) const;

    /// The CSRF token that belongs to a session token or to the cookie of a visit without one.
    std::string csrf_token(std::string_view bound_to) const;
    bool csrf_matches(std::string_view bound_to, std::string_view token) const;

  private:
    crypto::BoxKey box_key_;
    crypto::HashKey csrf_key_;
    Random& random_;
};

}  // namespace cloison::web
