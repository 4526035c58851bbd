#include "cli/journal_commands.h"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "journal/entry.h"
#include "journal/fsck.h"
#include "journal/proof.h"
#include "keeper/keeper.h"

namespace cloison::cli {

Status journal_fsck(FileSystem& files, const Path& keeper_directory, const std::string& origin,
                    bool json) {
    CLOISON_TRY(auto key, keeper::journal_verify_key(files, keeper_directory, origin));
    const bool shows_progress = isatty(STDERR_FILENO) == 1;
    const auto progress = [shows_progress](std::uint64_t done, std::uint64_t all) {
        if (shows_progress)
            std::fprintf(stderr, "\r%llu of %llu lines", static_cast<unsigned long long>(done),
                         static_cast<unsigned long long>(all));
    };
    auto report = journal::fsck(files, keeper::journal_directory(keeper_directory), key, progress);
    if (shows_progress) std::fputs("\r\033[K", stderr);
    if (!report) return fail(report.error());
    if (json) {
        const nlohmann::json out = {{"entries", report->entries},
                                    {"tiles", report->tiles},
                                    {"checkpoint_size", report->checkpoint_size},
                                    {"unpublished_entries", report->unpublished_entries},
                                    {"torn_tail", report->torn_tail}};
        std::printf("%s\n", out.dump().c_str());
    } else {
        std::printf(
            "The journal is whole: %llu lines and %llu tiles read, checkpoint over %llu, "
            "%llu not published yet%s.\n",
            static_cast<unsigned long long>(report->entries),
            static_cast<unsigned long long>(report->tiles),
            static_cast<unsigned long long>(report->checkpoint_size),
            static_cast<unsigned long long>(report->unpublished_entries),
            report->torn_tail ? ", an unfinished write at the end" : "");
    }
    return {};
}

Status journal_key(FileSystem& files, const Path& keeper_directory, const std::string& origin) {
    CLOISON_TRY(auto key, keeper::journal_verify_key(files, keeper_directory, origin));
    std::printf("%s\n", key.c_str());
    return {};
}

Status journal_verify(FileSystem& files, const Path& proof_file, const std::string& verify_key) {
    CLOISON_TRY(auto verifier, journal::NoteVerifier::parse(verify_key));
    CLOISON_TRY(auto bytes, files.read_file(proof_file, 256 * 1024));
    CLOISON_TRY(auto proof, journal::Proof::parse(as_text(bytes)));
    CLOISON_TRY(auto checkpoint, journal::verify_proof(proof, verifier));
    CLOISON_TRY(auto entry, journal::decode_entry(proof.entry));
    std::printf("Line %llu of the journal %s, %s, is proved by a checkpoint over %llu lines.\n",
                static_cast<unsigned long long>(proof.index), checkpoint.origin.c_str(),
                format_rfc3339(entry.time).c_str(),
                static_cast<unsigned long long>(checkpoint.size));
    return {};
}

}  // namespace cloison::cli
