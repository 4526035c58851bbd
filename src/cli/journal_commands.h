#pragma once

#include "base/file_system.h"
#include "base/result.h"

namespace cloison::cli {

/// `cloison journal fsck`: re-reads everything of the keeper's journal and prints what it found.
Status journal_fsck(FileSystem& files, const Path& keeper_directory, const std::string& origin,
                    bool json);
/// `cloison journal key`: the verify key of the journal, as a vkey line.
Status journal_key(FileSystem& files, const Path& keeper_directory, const std::string& origin);
/// `cloison journal verify FILE`: checks a proof file against a verify key (a vkey line) and prints
/// what it proves.
Status journal_verify(FileSystem& files, const Path& proof_file, const std::string& verify_key);

}  // namespace cloison::cli
