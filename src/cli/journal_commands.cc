#include "cli/journal_commands.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "cli/counted.h"
#include "cli/key_option.h"
#include "journal/cosignature.h"
#include "journal/entry.h"
#include "journal/growth_proof.h"
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

/// What a proof shows, and the note whose cosignatures count.
struct Proved {
    std::string words;
    std::string checkpoint;
};

Result<Proved> verify_line(std::string_view text, const journal::NoteVerifier& verifier) {
    CLOISON_TRY(auto proof, journal::Proof::parse(text));
    CLOISON_TRY(const auto checkpoint, journal::verify_proof(proof, verifier));
    CLOISON_TRY(const auto entry, journal::decode_entry(proof.entry));
    return Proved{"Line " + std::to_string(proof.index) + " of the journal " + checkpoint.origin +
                      ", " + format_rfc3339(entry.time) + ", is proved by a checkpoint over " +
                      counted(checkpoint.size, "line") + ".",
                  std::move(proof.checkpoint)};
}

Result<Proved> verify_growth(std::string_view text, const journal::NoteVerifier& verifier) {
    CLOISON_TRY(auto proof, journal::GrowthProof::parse(text));
    CLOISON_TRY(const auto growth, journal::verify_growth(proof, verifier));
    return Proved{"The journal " + growth.after.origin + " has only grown, from " +
                      counted(growth.before.size, "line") + " to " +
                      std::to_string(growth.after.size) +
                      ": its checkpoint over so many holds "
                      "all that the one before it covers.",
                  std::move(proof.after)};
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
    CLOISON_TRY(const auto verifier, read_key<journal::NoteVerifier>(files, "--key", verify_key));
    std::map<std::string, journal::WitnessVerifier> known;
    for (const std::string& each : witnesses) {
        CLOISON_TRY(auto witness, read_key<journal::WitnessVerifier>(files, "--witness", each));
        known.emplace(journal::witness_vkey(witness.name, witness.key), std::move(witness));
    }
    CLOISON_TRY(const auto bytes, files.read_file(proof_file, 256 * 1024));
    CLOISON_TRY(const auto proved, journal::GrowthProof::is_one(as_text(bytes))
                                       ? verify_growth(as_text(bytes), verifier)
                                       : verify_line(as_text(bytes), verifier));
    std::string cosigned;
    std::size_t count = 0;
    for (const auto& [line, witness] : known) {
        if (!has_signature_of(proved.checkpoint, witness)) continue;
        CLOISON_TRY(const auto at, journal::cosigned_at(proved.checkpoint, witness));
        cosigned += "Cosigned by " + witness.name + ", " + format_rfc3339(at) + ".\n";
        ++count;
    }
    if (count < quorum)
        return fail(ErrorCode::kUnauthenticated,
                    "The checkpoint is cosigned by " + std::to_string(count) +
                        " of the witnesses, not by " + std::to_string(quorum) + ".");
    std::printf("%s\n", proved.words.c_str());
    if (witnesses.empty()) return {};
    std::printf("%s",
                cosigned.empty() ? "No witness named here has cosigned it.\n" : cosigned.c_str());
    return {};
}

}  // namespace cloison::cli
