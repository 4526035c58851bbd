#include "cli/configuration.h"

#include <arpa/inet.h>
#include <sys/un.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "base/random.h"
#include "crypto/keys.h"
#include "documents/scanner.h"
#include "journal/note.h"
#include "net/mail.h"

namespace cloison::cli {
namespace {

constexpr std::size_t kMaxWitnesses = 16;
constexpr std::size_t kMaxOrigin = 128;
/// Of the services' sockets, the one with the longest name.
constexpr std::string_view kLongestService = "documents";

/// A TOML basic string.
std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        const auto byte = static_cast<std::uint8_t>(c);
        if (byte < 0x20 || byte == 0x7f)
            out += "\\u00" + hex_encode(ByteView(&byte, 1));
        else
            out += c;
    }
    return out + '"';
}

/// One key of the settings: reading and writing stand together, so that none is only read.
struct Setting {
    std::string name;  ///< "section.key"
    /// Takes the value, or says what it should have been.
    std::function<std::string(const toml::node&)> read;
    std::function<std::string()> text;  ///< In TOML; empty: left out.
    std::string example;                ///< Stands in a comment where it is left out.
};

Setting text_setting(std::string name, std::string& target) {
    return {std::move(name),
            [&target](const toml::node& node) -> std::string {
                const auto value = node.value_exact<std::string>();
                if (!value) return "a text";
                target = *value;
                return "";
            },
            [&target] { return toml_string(target); }, ""};
}

/// Left out where it is empty.
Setting optional_text_setting(std::string name, std::string& target) {
    Setting setting = text_setting(std::move(name), target);
    setting.text = [&target] { return target.empty() ? "" : toml_string(target); };
    return setting;
}

/// What a text should have been; empty if it is that.
using TextCheck = std::string (*)(const std::string&);

Setting text_setting(std::string name, std::string& target, TextCheck check) {
    Setting setting = text_setting(std::move(name), target);
    setting.read = [&target, check, read = setting.read](const toml::node& node) {
        std::string wanted = read(node);
        if (wanted.empty()) wanted = check(target);
        return wanted;
    };
    return setting;
}

std::string check_address(const std::string& text) {
    in6_addr any{};
    // A link's name may stand behind an IPv6 address.
    if (inet_pton(AF_INET, text.c_str(), &any) == 1 ||
        inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &any) == 1)
        return "";
    return "an IP address, such as \"127.0.0.1\" or \"::1\"";
}

/// Spaces and control characters beyond ASCII, in UTF-8 (C2SP signed-note bars unicode.IsSpace).
bool holds_unicode_space(std::string_view text) {
    static constexpr std::string_view kSpaces[] = {"\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9",
                                                   "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    for (const auto space : kSpaces)
        if (text.find(space) != std::string_view::npos) return true;
    const auto byte = [&](std::size_t at) {
        return at < text.size() ? static_cast<std::uint8_t>(text[at]) : std::uint8_t{0};
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (byte(i) == 0xc2 && byte(i + 1) <= 0xa0) return true;
        if (byte(i) == 0xe2 && byte(i + 1) == 0x80 && byte(i + 2) <= 0x8a) return true;
    }
    return false;
}

std::string check_origin(const std::string& text) {
    crypto::initialize();
    const auto any_key = crypto::SigningKey::from_seed(Bytes(crypto::kKeySize, 1)).verify_key();
    if (text.size() <= kMaxOrigin && !holds_unicode_space(text) &&
        journal::NoteVerifier::parse(journal::note_vkey(text, any_key)))
        return "";
    return "a name of 1 to " + std::to_string(kMaxOrigin) +
           " bytes without spaces and '+', such as \"example.org/keeper\"";
}

std::string check_sender(const std::string& text) {
    return net::sender_address(text) ? "" : "\"address\" or \"Name <address>\"";
}

std::string check_smtp_url(const std::string& text) {
    if (text.empty()) return "";
    net::SmtpOptions options;
    options.url = text;
    options.from = Configuration().mail_from;
    const auto transport = net::smtp_transport(options, system_clock(), system_random());
    if (transport) return "";
    return "\"smtp://host:port\" or \"smtps://host:port\": " + transport.error().message;
}

bool is_clamd(const std::string& text) {
    documents::Scanner::Options options;
    options.address = text;
    return documents::Scanner::create(options).has_value();
}

std::string check_clamd(const std::string& text) {
    if (text.empty() || is_clamd(text)) return "";
    return "\"unix:/path\" or \"tcp:host:port\"";
}

Setting choice_setting(std::string name, std::string& target, std::string first,
                       std::string second) {
    return {std::move(name),
            [&target, first, second](const toml::node& node) -> std::string {
                const auto value = node.value_exact<std::string>();
                if (!value || (*value != first && *value != second))
                    return "\"" + first + "\" or \"" + second + "\"";
                target = *value;
                return "";
            },
            [&target] { return toml_string(target); }, ""};
}

Setting port_setting(std::string name, std::uint16_t& target) {
    return {std::move(name),
            [&target](const toml::node& node) -> std::string {
                const auto value = node.value_exact<std::int64_t>();
                if (!value || *value < 1 || *value > 65535) return "a port from 1 to 65535";
                target = static_cast<std::uint16_t>(*value);
                return "";
            },
            [&target] { return std::to_string(target); }, ""};
}

Setting flag_setting(std::string name, bool& target) {
    return {std::move(name),
            [&target](const toml::node& node) -> std::string {
                const auto value = node.value_exact<bool>();
                if (!value) return "true or false";
                target = *value;
                return "";
            },
            [&target] { return target ? "true" : "false"; }, ""};
}

/// Left out where it is `usual`.
Setting seconds_setting(std::string name, Duration& target, std::int64_t most, Duration usual) {
    return {
        std::move(name),
        [&target, most](const toml::node& node) -> std::string {
            const auto value = node.value_exact<std::int64_t>();
            if (!value || *value < 1 || *value > most)
                return "a number of seconds from 1 to " + std::to_string(most);
            target = Duration(*value * 1000);
            return "";
        },
        [&target, usual] { return target == usual ? "" : std::to_string(target.count() / 1000); },
        ""};
}

/// Left out where it is 0.
Setting count_setting(std::string name, std::size_t& target, std::int64_t most) {
    return {std::move(name),
            [&target, most](const toml::node& node) -> std::string {
                const auto value = node.value_exact<std::int64_t>();
                if (!value || *value < 1 || *value > most)
                    return "a number from 1 to " + std::to_string(most);
                target = static_cast<std::size_t>(*value);
                return "";
            },
            [&target] { return target == 0 ? "" : std::to_string(target); }, ""};
}

std::string read_witnesses(const toml::node& node, std::vector<journal::WitnessAddress>& target) {
    const auto* list = node.as_array();
    if (list == nullptr || list->size() > kMaxWitnesses)
        return "a list of at most " + std::to_string(kMaxWitnesses) + " witnesses";
    for (const auto& each : *list) {
        const auto text = each.value_exact<std::string>();
        if (!text) return "a list of texts \"<vkey> <url>\"";
        auto witness = journal::WitnessAddress::parse(*text);
        if (!witness) return "a list of texts \"<vkey> <url>\": " + witness.error().message;
        for (const auto& other : target)
            if (other.verifier.name == witness->verifier.name)
                return "a list of different witnesses: " + other.verifier.name + " is in it twice";
        target.push_back(std::move(*witness));
    }
    return "";
}

Setting witnesses_setting(std::string name, std::vector<journal::WitnessAddress>& target) {
    return {std::move(name),
            [&target](const toml::node& node) { return read_witnesses(node, target); },
            [&target]() -> std::string {
                if (target.empty()) return "";
                std::string list;
                for (const auto& witness : target)
                    list += "\n    " + toml_string(witness.text()) + ',';
                return '[' + list + "\n]";
            },
            "[\"<vkey> <url>\"]"};
}

/// Every key, section by section.
std::vector<Setting> settings(Configuration& out) {
    const Configuration usual;
    return {
        text_setting("http.address", out.address, check_address),
        port_setting("http.portal_port", out.portal_port),
        port_setting("http.desk_port", out.desk_port),
        port_setting("http.outbox_port", out.outbox_port),
        choice_setting("keeper.root_key", out.root_key, "file", "pkcs11"),
        text_setting("keeper.pkcs11_module", out.pkcs11_module),
        text_setting("keeper.pkcs11_token", out.pkcs11_token),
        text_setting("keeper.pkcs11_key", out.pkcs11_key),
        text_setting("keeper.pkcs11_pin_file", out.pkcs11_pin_file),
        text_setting("journal.origin", out.journal_origin, check_origin),
        witnesses_setting("journal.witnesses", out.witnesses),
        count_setting("journal.witness_quorum", out.witness_quorum, kMaxWitnesses),
        seconds_setting("journal.witness_interval_seconds", out.witness_interval, 3600,
                        usual.witness_interval),
        seconds_setting("journal.witness_warning_seconds", out.witness_warning, 86'400,
                        usual.witness_warning),
        optional_text_setting("journal.witness_ca_file", out.witness_ca_file),
        choice_setting("mail.transport", out.mail_transport, "outbox", "smtp"),
        text_setting("mail.from", out.mail_from, check_sender),
        text_setting("mail.smtp_url", out.smtp_url, check_smtp_url),
        text_setting("mail.smtp_user", out.smtp_user),
        text_setting("mail.smtp_password_file", out.smtp_password_file),
        flag_setting("mail.smtp_require_tls", out.smtp_require_tls),
        text_setting("scanner.clamd", out.clamd, check_clamd),
    };
}

/// Where a key stands, for the beginning of an error: the file may have a default instead.
std::string where(const toml::table& table, const std::string& file, std::string_view key) {
    if (file.empty()) return "";
    const auto node = table.at_path(key);
    if (!node) return file + ": ";
    return file + ':' + std::to_string(node.node()->source().begin.line) + ": ";
}

/// What the token needs to be found by.
Status check_pkcs11(const Configuration& out, const toml::table& table, const std::string& file) {
    if (out.root_key != "pkcs11") return {};
    const std::pair<const char*, const std::string&> needed[] = {
        {"pkcs11_module", out.pkcs11_module},
        {"pkcs11_token", out.pkcs11_token},
        {"pkcs11_key", out.pkcs11_key},
        {"pkcs11_pin_file", out.pkcs11_pin_file}};
    for (const auto& [name, value] : needed)
        if (value.empty())
            return fail(ErrorCode::kInvalidArgument,
                        where(table, file, "keeper.root_key") + "keeper." + name +
                            " is needed with keeper.root_key = \"pkcs11\".");
    return {};
}

Status check_ports(const Configuration& out, const toml::table& table, const std::string& file) {
    const std::pair<const char*, std::uint16_t> ports[] = {{"http.portal_port", out.portal_port},
                                                           {"http.desk_port", out.desk_port},
                                                           {"http.outbox_port", out.outbox_port}};
    for (const auto& [name, port] : ports)
        for (const auto& [other, same] : ports) {
            if (name == other) break;
            if (port != same) continue;
            return fail(ErrorCode::kInvalidArgument,
                        where(table, file, table.at_path(name) ? name : other) + name +
                            " must be another port than " + other + ", not " +
                            std::to_string(port) + " too.");
        }
    return {};
}

Status check_smtp(const Configuration& out, const toml::table& table, const std::string& file) {
    if (out.mail_transport != "smtp") return {};
    if (out.smtp_url.empty())
        return fail(ErrorCode::kInvalidArgument,
                    where(table, file, "mail.transport") +
                        "mail.smtp_url is needed with mail.transport = \"smtp\".");
    if (!out.smtp_user.empty() && out.smtp_password_file.empty())
        return fail(ErrorCode::kInvalidArgument,
                    where(table, file, "mail.smtp_user") +
                        "mail.smtp_password_file is needed with mail.smtp_user.");
    const auto transport = net::smtp_transport({.url = out.smtp_url,
                                                .from = out.mail_from,
                                                .user = out.smtp_user,
                                                .password_file = out.smtp_password_file,
                                                .require_tls = out.smtp_require_tls},
                                               system_clock(), system_random());
    if (transport) return {};
    return fail(ErrorCode::kInvalidArgument,
                where(table, file, "mail.smtp_require_tls") +
                    "mail.smtp_require_tls: " + transport.error().message);
}

/// What each key allows and all of them together do not.
Status check_together(const Configuration& out, const toml::table& table, const std::string& file) {
    CLOISON_TRY_STATUS(check_ports(out, table, file));
    CLOISON_TRY_STATUS(check_pkcs11(out, table, file));
    CLOISON_TRY_STATUS(check_smtp(out, table, file));
    if (out.witness_quorum <= out.witnesses.size()) return {};
    return fail(ErrorCode::kInvalidArgument,
                where(table, file, "journal.witness_quorum") + "journal.witness_quorum asks for " +
                    std::to_string(out.witness_quorum) + " witnesses, and journal.witnesses has " +
                    std::to_string(out.witnesses.size()) + '.');
}

Status read_into(Configuration& out, const toml::table& table, const std::string& file) {
    const auto known = settings(out);
    for (const auto& [section, node] : table) {
        const auto* values = node.as_table();
        if (values == nullptr)
            return fail(ErrorCode::kInvalidArgument,
                        file + ": \"" + std::string(section.str()) + "\" is no section.");
        for (const auto& [key, value] : *values) {
            const std::string name = std::string(section.str()) + "." + std::string(key.str());
            const std::string at =
                file.empty() ? "" : file + ':' + std::to_string(value.source().begin.line) + ": ";
            const auto found =
                std::find_if(known.begin(), known.end(),
                             [&](const Setting& setting) { return setting.name == name; });
            if (found == known.end())
                return fail(ErrorCode::kInvalidArgument, at + name + " is not known.");
            const std::string wanted = found->read(value);
            if (!wanted.empty())
                return fail(ErrorCode::kInvalidArgument, at + name + " must be " + wanted + ".");
        }
    }
    return {};
}

}  // namespace

keeper::RootKeySource Configuration::root_key_source() const {
    keeper::RootKeySource source;
    if (root_key == "pkcs11") source.kind = keeper::RootKeySource::Kind::kPkcs11;
    source.module = pkcs11_module;
    source.token = pkcs11_token;
    source.key = pkcs11_key;
    source.pin_file = pkcs11_pin_file;
    return source;
}

std::size_t Configuration::witnesses_needed() const {
    if (witness_quorum > 0 || witnesses.empty()) return witness_quorum;
    return witnesses.size() / 2 + 1;
}

Result<std::string> Configuration::text() const {
    Configuration copy = *this;
    std::string out = "# Cloison's settings, docs/formats/configuration.md.\n";
    std::string section;
    for (const Setting& setting : settings(copy)) {
        const std::size_t dot = setting.name.find('.');
        if (setting.name.substr(0, dot) != section) {
            section = setting.name.substr(0, dot);
            out += "\n[" + section + "]\n";
        }
        const std::string key = setting.name.substr(dot + 1);
        const std::string value = setting.text();
        if (!value.empty())
            out += key + " = " + value + '\n';
        else if (!setting.example.empty())
            out += "# " + key + " = " + setting.example + '\n';
    }
    CLOISON_TRY(const auto read, parse(out, ""));
    if (read == *this) return out;
    return fail(ErrorCode::kInvalidArgument,
                "The settings would not be read back as they are: a value is out of range.");
}

std::vector<std::string> Configuration::keys() {
    Configuration any;
    std::vector<std::string> names;
    for (const Setting& setting : settings(any)) names.push_back(setting.name);
    return names;
}

Result<Configuration> Configuration::parse(std::string_view text, const std::string& file) {
    Configuration out;
    try {
        const auto table = toml::parse(text, file);
        CLOISON_TRY_STATUS(read_into(out, table, file));
        CLOISON_TRY_STATUS(check_together(out, table, file));
    } catch (const toml::parse_error& error) {
        return fail(ErrorCode::kInvalidArgument, (file.empty() ? "The settings" : file) + ":" +
                                                     std::to_string(error.source().begin.line) +
                                                     ": " + std::string(error.description()) + ".");
    }
    return out;
}

Result<Configuration> Configuration::load(FileSystem& files, const Path& path) {
    const auto bytes = files.read_file(path, 64 * 1024);
    if (bytes) return parse(as_text(*bytes), path.string());
    if (bytes.error().code != ErrorCode::kNotFound) return fail(bytes.error());
    return fail(ErrorCode::kNotFound,
                path.string() +
                    " is missing: run \"cloison init\" first, or name the right "
                    "directory with --var.");
}

Status Layout::check() const {
    const Path longest = socket(kLongestService);
    constexpr std::size_t kMost = sizeof(sockaddr_un::sun_path) - 1;
    if (longest.string().size() <= kMost) return {};
    return fail(ErrorCode::kInvalidArgument,
                var_.string() + " is too long for a socket below it: " + longest.string() +
                    " may have " + std::to_string(kMost) + " bytes at most.");
}

Result<Installation> Installation::find() {
    const auto at = [](const Path& home, const Path& pages) {
        return Installation{pages, home / "registry/fields.toml", home / "registry/requests"};
    };
    if (const char* home = std::getenv("CLOISON_HOME"); home != nullptr && *home != '\0')
        return at(home, Path(home) / "web");
    std::error_code error;
    const Path self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error) return fail(ErrorCode::kIo, "/proc/self/exe cannot be read: " + error.message());
    // build/<preset>/bin/cloison
    const Path source = self.parent_path().parent_path().parent_path().parent_path();
    if (!std::filesystem::exists(source / "registry/fields.toml", error))
        return fail(ErrorCode::kNotFound,
                    "The pages and the register are not found from " + self.string() +
                        ": set CLOISON_HOME to the directory that holds web/ and registry/.");
    return at(source, source / "build/web");
}

}  // namespace cloison::cli
