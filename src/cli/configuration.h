#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "base/time.h"
#include "journal/witness_client.h"
#include "keeper/root_key.h"

namespace cloison::cli {

/// Where things lie below the directory given by --var. One place knows every path.
class Layout {
  public:
    explicit Layout(Path var) : var_(std::move(var)) {}
    const Path& var() const { return var_; }
    Path configuration() const { return var_ / "cloison.toml"; }
    Path service(std::string_view name) const { return var_ / name; }  ///< Its store and its keys.
    Path service_key(std::string_view name) const { return service(name) / "service.key"; }
    Path trust() const { return var_ / "trust"; }
    Path journal_key() const { return trust() / "journal.vkey"; }  ///< To verify checkpoints with.
    Path run() const { return var_ / "run"; }
    Path socket(std::string_view name) const { return run() / (std::string(name) + ".sock"); }
    Path outbox() const { return var_ / "outbox"; }
    Path demo() const { return var_ / "demo.json"; }
    /// kInvalidArgument if a path is longer than a socket's may be.
    Status check() const;

  private:
    Path var_;
};

/// var/cloison.toml, docs/formats/configuration.md.
struct Configuration {
    std::uint16_t portal_port = 8080;
    std::uint16_t desk_port = 8081;
    std::uint16_t outbox_port = 8082;
    std::string address = "127.0.0.1";
    std::string root_key = "file";  ///< file or pkcs11.
    std::string pkcs11_module;
    std::string pkcs11_token;
    std::string pkcs11_key;
    std::string pkcs11_pin_file;
    std::string journal_origin = "localhost/keeper";
    std::vector<journal::WitnessAddress> witnesses;  ///< Who cosigns the journal's checkpoints.
    std::size_t witness_quorum = 0;                  ///< 0: not set; see witnesses_needed().
    Duration witness_interval{10'000};
    Duration witness_warning{300'000};  ///< A line that waits longer for them is a warning.
    std::string witness_ca_file;        ///< PEM: who vouches for witnesses behind https; empty: the
                                        ///< system's authorities.
    std::string mail_transport = "outbox";  ///< outbox or smtp.
    std::string mail_from = "ne-pas-repondre@cloison.example";
    std::string smtp_url;
    std::string smtp_user;
    std::string smtp_password_file;
    bool smtp_require_tls = true;
    std::string clamd;  ///< unix:/path or tcp:host:port; empty: uploads are not scanned.

    keeper::RootKeySource root_key_source() const;
    /// So many witnesses must cosign: more than half where no number is set.
    std::size_t witnesses_needed() const;

    /// All of it as parse() reads it. kInvalidArgument for what could not be read back, such as a
    /// path that is no UTF-8.
    Result<std::string> text() const;
    /// kInvalidArgument naming file, line and key for anything unknown, missing or out of range.
    static Result<Configuration> parse(std::string_view text, const std::string& file);
    static Result<Configuration> load(FileSystem& files, const Path& path);
    /// "http.address" and all others, in the order of text().
    static std::vector<std::string> keys();
    bool operator==(const Configuration&) const = default;
};

/// What is installed beside the program: pages, register, request types, schemas.
struct Installation {
    Path web;            ///< templates/, texts/, assets/
    Path registry_file;  ///< registry/fields.toml
    Path request_types;  ///< registry/requests/
    /// Found from the program's own path (build/<preset>/bin/cloison inside the source tree), or
    /// from CLOISON_HOME for an installation elsewhere.
    static Result<Installation> find();
};

}  // namespace cloison::cli
