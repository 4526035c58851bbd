#pragma once

#include <string>
#include <string_view>

namespace cloison::storage {

/// Rewrites the common SQL for SQLite: $1 becomes ?1 (SQLite would take $1 for a name, numbered in
/// order of appearance), and in schemas BYTES becomes BLOB and KEYED becomes WITHOUT ROWID. What
/// stands in quotes or comments stays as it is.
std::string to_sqlite(std::string_view sql, bool schema);

}  // namespace cloison::storage
