#pragma once

#include <string>

#include "portal/values.h"

namespace cloison::portal {

/// Why an upload was not taken; each has words of its own on the page.
enum class UploadFault {
    kNone,
    kNoFile,
    kEmpty,
    kWrongType,
    kTooBig,
    kPasswordProtected,
    kInfected,
    kScannerUnavailable,
    kTooMany,
    kFailed,
};

/// Receives the file of the request piece by piece: checks what it is, encrypts it under a fresh
/// key, has it scanned at the same time when a scanner is configured, and hands the chunks to
/// documents. Holds 64 KiB of the file at most. Whatever goes wrong, nothing of it stays behind.
/// An error only where the request itself is not the caller's or a service fails in another way.
Result<UploadFault> receive_document(const Shared& shared, web::Context& context,
                                     const RequestId& request, const std::string& kind);

}  // namespace cloison::portal
