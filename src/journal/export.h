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
/// The tiles are built from the entries and must give `head`'s root before the checkpoint, after
/// everything is on stable storage, is put in place. Partial tiles of tiles that are full now go
/// last: until then the checkpoint before needs them. Files behind that one are written whatever is
/// there, since a sync that failed loses what can still be read. An export that was interrupted,
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
