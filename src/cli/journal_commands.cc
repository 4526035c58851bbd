#include "cli/journal_commands.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "journal/cosignature.h"
#include "journal/entry.h"
#include "journal/note_lines.h"
#include "journal/proof.h"
#include "keeper/keeper.h"

namespace cloison::cli {
namespace {

/// A signature that does not fit counts too: it is an error, not an absence.
bool has_signature_of(std::string_view note, const journal::WitnessVerifier& witness) {
    const auto parts = journal::split_note(note);
    return parts && std::any_of(parts->signatures.begin(), parts->signatures.end(),
                                [&](const journal::SignatureLine& line) {
                                    return line.name == witness.name &&
                                           line.key_id == witness.key_id;
                                });
}

}  // namespace

Status journal_key(FileSystem& files, const Path& keeper_directory, const std::string& origin) {
    CLOISON_TRY(auto key, keeper::journal_verify_key(files, keeper_directory, origin));
    std::printf("%s\n", key.c_str());
    return {};
}

Status journal_verify(FileSystem& files, const Path& proof_file, const std::string& verify_key,
                      const std::vector<std::string>& witnesses, std::size_t quorum) {
    if (quorum > witnesses.size())
        return fail(ErrorCode::kInvalidArgument,
                    "--quorum asks for more witnesses than --witness names.");
    CLOISON_TRY(auto verifier, journal::NoteVerifier::parse(verify_key));
    std::map<std::string, journal::WitnessVerifier> known;
    for (const std::string& line : witnesses) {
        CLOISON_TRY(auto witness, journal::WitnessVerifier::parse(line));
        known.emplace(line, std::move(witness));
    }
    CLOISON_TRY(auto bytes, files.read_file(proof_file, 256 * 1024));
    CLOISON_TRY(auto proof, journal::Proof::parse(as_text(bytes)));
    CLOISON_TRY(auto checkpoint, journal::verify_proof(proof, verifier));
    CLOISON_TRY(auto entry, journal::decode_entry(proof.entry));
    std::string cosigned;
    std::size_t count = 0;
    for (const auto& [line, witness] : known) {
        if (!has_signature_of(proof.checkpoint, witness)) continue;
        CLOISON_TRY(const auto at, journal::cosigned_at(proof.checkpoint, witness));
        cosigned += "Cosigned by " + witness.name + ", " + format_rfc3339(at) + ".\n";
        ++count;
    }
    if (count < quorum)
        return fail(ErrorCode::kUnauthenticated,
                    "The checkpoint is cosigned by " + std::to_string(count) +
                        " of the witnesses, not by " + std::to_string(quorum) + ".");
    std::printf("Line %llu of the journal %s, %s, is proved by a checkpoint over %llu lines.\n",
                static_cast<unsigned long long>(proof.index), checkpoint.origin.c_str(),
                format_rfc3339(entry.time).c_str(),
                static_cast<unsigned long long>(checkpoint.size));
    if (witnesses.empty()) return {};
    std::printf("%s",
                cosigned.empty() ? "No witness named here has cosigned it.\n" : cosigned.c_str());
    return {};
}

}  // namespace cloison::cli
