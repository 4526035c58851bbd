#include "cli/configuration.h"

#include <toml++/toml.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <sstream>

namespace cloison::cli {
namespace {

constexpr std::size_t kMaxWitnesses = 16;

/// Reads one value into its place, or says what it should have been.
using Setter = std::function<std::string(const toml::node&)>;

Setter text_into(std::string& target) {
    return [&target](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::string>();
        if (!value) return "a text";
        target = *value;
        return "";
    };
}

Setter port_into(std::uint16_t& target) {
    return [&target](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::int64_t>();
        if (!value || *value < 1 || *value > 65535) return "a port from 1 to 65535";
        target = static_cast<std::uint16_t>(*value);
        return "";
    };
}

Setter flag_into(bool& target) {
    return [&target](const toml::node& node) -> std::string {
        const auto value = node.value_exact<bool>();
        if (!value) return "true or false";
        target = *value;
        return "";
    };
}

Setter choice_into(std::string& target, std::string first, std::string second) {
    return [&target, first, second](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::string>();
        if (!value || (*value != first && *value != second))
            return "\"" + first + "\" or \"" + second + "\"";
        target = *value;
        return "";
    };
}

Setter seconds_into(Duration& target, std::int64_t most) {
    return [&target, most](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::int64_t>();
        if (!value || *value < 1 || *value > most)
            return "a number of seconds from 1 to " + std::to_string(most);
        target = Duration(*value * 1000);
        return "";
    };
}

Setter count_into(std::size_t& target, std::int64_t most) {
    return [&target, most](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::int64_t>();
        if (!value || *value < 1 || *value > most)
            return "a number from 1 to " + std::to_string(most);
        target = static_cast<std::size_t>(*value);
        return "";
    };
}

Setter witnesses_into(std::vector<journal::WitnessAddress>& target) {
    return [&target](const toml::node& node) -> std::string {
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
                    return "a list of different witnesses: " + other.verifier.name +
                           " is in it twice";
            target.push_back(std::move(*witness));
        }
        return "";
    };
}

std::map<std::string, Setter, std::less<>> setters(Configuration& out) {
    return {
        {"http.address", text_into(out.address)},
        {"http.portal_port", port_into(out.portal_port)},
        {"http.desk_port", port_into(out.desk_port)},
        {"http.outbox_port", port_into(out.outbox_port)},
        {"keeper.root_key", choice_into(out.root_key, "file", "pkcs11")},
        {"keeper.pkcs11_module", text_into(out.pkcs11_module)},
        {"keeper.pkcs11_token", text_into(out.pkcs11_token)},
        {"keeper.pkcs11_key", text_into(out.pkcs11_key)},
        {"keeper.pkcs11_pin_file", text_into(out.pkcs11_pin_file)},
        {"journal.origin", text_into(out.journal_origin)},
        {"journal.witnesses", witnesses_into(out.witnesses)},
        {"journal.witness_quorum", count_into(out.witness_quorum, kMaxWitnesses)},
        {"journal.witness_interval_seconds", seconds_into(out.witness_interval, 3600)},
        {"journal.witness_warning_seconds", seconds_into(out.witness_warning, 86'400)},
        {"mail.transport", choice_into(out.mail_transport, "outbox", "smtp")},
        {"mail.from", text_into(out.mail_from)},
        {"mail.smtp_url", text_into(out.smtp_url)},
        {"mail.smtp_user", text_into(out.smtp_user)},
        {"mail.smtp_password_file", text_into(out.smtp_password_file)},
        {"mail.smtp_require_tls", flag_into(out.smtp_require_tls)},
        {"scanner.clamd", text_into(out.clamd)},
    };
}

/// What the token needs to be found by.
Status check_pkcs11(const Configuration& configuration, const std::string& file) {
    if (configuration.root_key != "pkcs11") return {};
    const std::pair<const char*, const std::string&> needed[] = {
        {"pkcs11_module", configuration.pkcs11_module},
        {"pkcs11_token", configuration.pkcs11_token},
        {"pkcs11_key", configuration.pkcs11_key},
        {"pkcs11_pin_file", configuration.pkcs11_pin_file}};
    for (const auto& [name, value] : needed)
        if (value.empty())
            return fail(
                ErrorCode::kInvalidArgument,
                file + ": keeper." + name + " is needed with keeper.root_key = \"pkcs11\".");
    return {};
}

Status read_into(Configuration& out, const toml::table& table, const std::string& file) {
    const auto known = setters(out);
    for (const auto& [section, node] : table) {
        const auto* values = node.as_table();
        if (values == nullptr)
            return fail(ErrorCode::kInvalidArgument,
                        file + ": \"" + std::string(section.str()) + "\" is no section.");
        for (const auto& [key, value] : *values) {
            const std::string name = std::string(section.str()) + "." + std::string(key.str());
            const std::string where = file + ":" + std::to_string(value.source().begin.line) + ": ";
            const auto found = known.find(name);
            if (found == known.end())
                return fail(ErrorCode::kInvalidArgument, where + name + " is not known.");
            const std::string wanted = found->second(value);
            if (!wanted.empty())
                return fail(ErrorCode::kInvalidArgument, where + name + " must be " + wanted + ".");
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

std::string Configuration::text() const {
    std::ostringstream out;
    out << "# Cloison's settings, docs/formats/configuration.md.\n\n"
        << "[http]\n"
        << "address = \"" << address << "\"\n"
        << "portal_port = " << portal_port << "\n"
        << "desk_port = " << desk_port << "\n"
        << "outbox_port = " << outbox_port << "\n\n"
        << "[keeper]\n"
        << "root_key = \"" << root_key << "\"\n"
        << "pkcs11_module = \"" << pkcs11_module << "\"\n"
        << "pkcs11_token = \"" << pkcs11_token << "\"\n"
        << "pkcs11_key = \"" << pkcs11_key << "\"\n"
        << "pkcs11_pin_file = \"" << pkcs11_pin_file << "\"\n\n"
        << "[journal]\n"
        << "origin = \"" << journal_origin << "\"\n"
        << "# witnesses = [\"<vkey> <url>\"]\n\n"
        << "[mail]\n"
        << "transport = \"" << mail_transport << "\"\n"
        << "from = \"" << mail_from << "\"\n"
        << "smtp_url = \"" << smtp_url << "\"\n"
        << "smtp_user = \"" << smtp_user << "\"\n"
        << "smtp_password_file = \"" << smtp_password_file << "\"\n"
        << "smtp_require_tls = " << (smtp_require_tls ? "true" : "false") << "\n\n"
        << "[scanner]\n"
        << "clamd = \"" << clamd << "\"\n";
    return out.str();
}

Result<Configuration> Configuration::load(FileSystem& files, const Path& path) {
    auto bytes = files.read_file(path, 64 * 1024);
    if (!bytes) {
        if (bytes.error().code != ErrorCode::kNotFound) return fail(bytes.error());
        return fail(ErrorCode::kNotFound,
                    path.string() +
                        " is missing: run \"cloison init\" first, or name the right "
                        "directory with --var.");
    }
    Configuration out;
    try {
        const auto table = toml::parse(as_text(*bytes), path.string());
        CLOISON_TRY_STATUS(read_into(out, table, path.string()));
    } catch (const toml::parse_error& error) {
        return fail(ErrorCode::kInvalidArgument, path.string() + ":" +
                                                     std::to_string(error.source().begin.line) +
                                                     ": " + std::string(error.description()) + ".");
    }
    if (out.mail_transport == "smtp" && out.smtp_url.empty())
        return fail(ErrorCode::kInvalidArgument,
                    path.string() + ": mail.smtp_url is needed with mail.transport = \"smtp\".");
    CLOISON_TRY_STATUS(check_pkcs11(out, path.string()));
    if (out.witness_quorum > out.witnesses.size())
        return fail(ErrorCode::kInvalidArgument,
                    path.string() +
                        ": journal.witness_quorum asks for more witnesses than "
                        "journal.witnesses has.");
    if (out.witness_quorum == 0 && !out.witnesses.empty())
        out.witness_quorum = out.witnesses.size() / 2 + 1;
    return out;
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
