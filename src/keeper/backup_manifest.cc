#include "keeper/backup_manifest.h"

#include <nlohmann/json.hpp>

namespace cloison::keeper {
namespace {

using Json = nlohmann::json;

const char* name_of(ManifestKind kind) {
    return kind == ManifestKind::kKeeper ? "keeper" : "escrow";
}

}  // namespace

std::string BackupManifest::json(ManifestKind kind) const {
    const bool token = root_key.kind == RootKeySource::Kind::kPkcs11;
    return Json{{"format", 1},
                {"kind", name_of(kind)},
                {"time", format_rfc3339(time)},
                {"origin", origin},
                {"entries", entries},
                {"persons", persons},
                {"epoch", epoch},
                {"root_key", token ? "pkcs11" : "file"},
                {"pkcs11_module", root_key.module.string()},
                {"pkcs11_token", root_key.token},
                {"pkcs11_key", root_key.key},
                {"pkcs11_pin_file", root_key.pin_file.string()}}
        .dump();
}

Result<BackupManifest> BackupManifest::parse(std::string_view text, ManifestKind kind) {
    const auto malformed = [&] {
        return fail(ErrorCode::kCorrupt, std::string("This is no backup of the kind \"") +
                                             name_of(kind) +
                                             "\": are archive and escrow the right way round?");
    };
    const auto json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return malformed();
    BackupManifest out;
    try {
        if (json.at("format").get<int>() != 1 ||
            json.at("kind").get<std::string>() != name_of(kind))
            return malformed();
        CLOISON_TRY(out.time, parse_rfc3339(json.at("time").get<std::string>()));
        out.origin = json.at("origin").get<std::string>();
        out.entries = json.at("entries").get<std::uint64_t>();
        out.persons = json.at("persons").get<std::uint64_t>();
        out.epoch = json.at("epoch").get<std::uint32_t>();
        if (json.at("root_key").get<std::string>() == "pkcs11")
            out.root_key.kind = RootKeySource::Kind::kPkcs11;
        out.root_key.module = json.at("pkcs11_module").get<std::string>();
        out.root_key.token = json.at("pkcs11_token").get<std::string>();
        out.root_key.key = json.at("pkcs11_key").get<std::string>();
        out.root_key.pin_file = json.at("pkcs11_pin_file").get<std::string>();
    } catch (const Json::exception&) {
        return malformed();
    }
    return out;
}

}  // namespace cloison::keeper
