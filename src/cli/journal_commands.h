#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"

namespace cloison::cli {

/// `cloison journal key`: the verify key of the journal, as a vkey line.
Status journal_key(FileSystem& files, const Path& keeper_directory, const std::string& origin);

/// `cloison journal verify FILE`: checks the proof of a line or of growth against a verify key and
/// prints what it proves, and which of the witnesses cosigned its checkpoint when. kUnauthenticated
/// if fewer than `quorum` did, or if a cosignature of one of them does not fit. Keys are vkey
/// lines, or names of files that hold one.
Status journal_verify(FileSystem& files, const Path& proof_file, const std::string& verify_key,
                      const std::vector<std::string>& witnesses, std::size_t quorum);

}  // namespace cloison::cli
