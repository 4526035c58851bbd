#include "web/qr.h"

#include <qrcodegen/qrcodegen.hpp>

namespace cloison::web {

Result<Json> qr_code(std::string_view content, std::string label) {
    constexpr int kQuietZone = 4;  // modules, ISO/IEC 18004
    try {
        const auto code = qrcodegen::QrCode::encodeText(std::string(content).c_str(),
                                                        qrcodegen::QrCode::Ecc::MEDIUM);
        std::string path;
        for (int y = 0; y < code.getSize(); ++y) {
            for (int x = 0; x < code.getSize(); ++x) {
                if (code.getModule(x, y))
                    path += "M" + std::to_string(x + kQuietZone) + "," +
                            std::to_string(y + kQuietZone) + "h1v1h-1z";
            }
        }
        return Json{{"size", code.getSize() + 2 * kQuietZone},
                    {"path", std::move(path)},
                    {"label", std::move(label)}};
    } catch (const qrcodegen::data_too_long&) {
        return fail(ErrorCode::kTooLarge, "The content does not fit into a QR code.");
    }
}

}  // namespace cloison::web
