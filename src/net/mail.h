#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace cloison::net {

/// A plain-text mail. Addresses and subject are checked: no control characters (header injection
/// is kInvalidArgument).
struct Mail {
    std::string to;
    std::string subject;
    std::string text;
};

/// RFC 5322 message with Date, Message-ID, MIME headers, quoted-printable UTF-8, CRLF lines.
Result<std::string> render_mail(const Mail& mail, std::string_view from, Time now, Random& random);

/// The address in "address" or "Name <address>"; kInvalidArgument if there is none.
Result<std::string> sender_address(std::string_view from);

class MailTransport {
  public:
    virtual ~MailTransport() = default;
    /// Accepted by the next hop (SMTP 250), or durably written. Safe from any thread.
    virtual Status send(const Mail& mail) = 0;
};

struct SmtpOptions {
    std::string url;  ///< smtp://host:port or smtps://host:port
    std::string from;
    std::string user;           ///< Empty: no authentication.
    std::string password_file;  ///< Read at each send.
    bool require_tls = true;    ///< STARTTLS or smtps; off only for loopback.
};
Result<std::unique_ptr<MailTransport>> smtp_transport(SmtpOptions options, Clock& clock,
                                                      Random& random);

/// Writes each mail as <time>-<random>.eml into a directory (mode 0600): the demo's outbox.
std::unique_ptr<MailTransport> directory_transport(FileSystem& files, Path directory,
                                                   std::string from, Clock& clock, Random& random);

}  // namespace cloison::net
