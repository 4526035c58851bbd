#pragma once

#include <initializer_list>

#include "base/bytes.h"

namespace cloison::crypto {

/// PASETO's pre-authentication encoding: LE64(count), then LE64(length) and the bytes of each
/// piece. No two lists of pieces have the same encoding.
Bytes pre_auth_encode(std::initializer_list<ByteView> pieces);

}  // namespace cloison::crypto
