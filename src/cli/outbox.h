#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/time.h"
#include "net/http.h"
#include "net/http_server.h"

namespace cloison::cli {

/// The demo's mailbox: pages that show the mails in a directory, newest first, and the demo's
/// sign-ins with the one-time codes of the moment. For the loopback interface only: whoever reaches
/// it can sign in as any demo account.
class Outbox {
  public:
    struct Options {
        Path directory;  ///< As net::directory_transport fills it.
        Path demo_file;  ///< docs/formats/demo.md; may be missing.
        std::string portal_address;
        std::string desk_address;
    };
    Outbox(Options options, FileSystem& files, Clock& clock);
    net::HttpResponse handle(const net::HttpRequest& request) const;

  private:
    std::string list_page() const;
    Result<std::string> mail_page(std::string_view name) const;
    std::string sign_ins() const;

    Options options_;
    FileSystem& files_;
    Clock& clock_;
};

}  // namespace cloison::cli
