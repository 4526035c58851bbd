#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "web/templates.h"

namespace cloison::web {

/// Data for templates/parts/qr.mustache: a QR code (ISO/IEC 18004, error correction M) as one SVG
/// path, with attributes only, so that it needs no style from the page. {"size", "path", "label"};
/// `label` is the text alternative. kTooLarge beyond what a QR code can hold (2,331 bytes).
Result<Json> qr_code(std::string_view content, std::string label);

}  // namespace cloison::web
