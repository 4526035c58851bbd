#pragma once

#include "net/http.h"

namespace cloison::web {

/// Puts the security headers on a response: strict Content-Security-Policy (no inline script or
/// style, Trusted Types), no framing, no sniffing, no referrer, cross-origin isolation, HSTS, and
/// no-store unless the response states its own Cache-Control. Sources: OWASP Secure Headers
/// Project; W3C CSP 3; Permissions-Policy keeps publickey-credentials-get for this origin.
void add_security_headers(net::HttpResponse& response);

/// For files that people uploaded: they run nothing and reach nothing, even if opened in a tab.
inline constexpr std::string_view kDownloadPolicy =
    "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Headers of a file to be saved, never shown: attachment with `file_name` (RFC 6266, RFC 8187),
/// nosniff, kDownloadPolicy.
void make_download(net::HttpResponse& response, std::string_view content_type,
                   std::string_view file_name);

}  // namespace cloison::web
