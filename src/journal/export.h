#pragma once

#include <functional>

#include "journal/published.h"

namespace cloison::journal {

struct ExportReport {
    std::uint64_t entries = 0;  ///< In the export now.
    std::uint64_t resumed = 0;  ///< Of which it held these, whole, before.
};

/// Copies the first entries of a journal, decrypted, into a directory in C2SP tlog-tiles form:
/// checkpoint, tiles and entry bundles that any client of such logs reads, and a small file
/// `.cloison-export` that says whose export it is.
///
/// The tiles are built from the entries and must give `head`'s root before the checkpoint, last of
/// all and after everything is on stable storage, is put in place. An export that was interrupted,
/// or made when the journal was smaller, is taken up where it stopped. `head` and `note` are a
/// signed checkpoint of the journal. `progress` is told entries done and in all.
///
/// kConflict, with nothing written, for a directory that holds something else than an export of
/// this log, or one of more entries than `head` has.
Result<ExportReport> export_journal(
    const PublishedJournal& journal, const Checkpoint& head, const std::string& note,
    const NoteVerifier& verifier, FileSystem& files, const Path& to,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace cloison::journal
