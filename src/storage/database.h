#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/result.h"

namespace cloison::storage {

/// What a column can hold in every engine: NULL, a signed 64-bit integer, text, bytes.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string, Bytes>;

inline Value blob(ByteView bytes) {
    return to_bytes(bytes);
}
inline Value blob(std::string_view bytes) {
    return to_bytes(bytes);
}

struct WrongColumn : std::exception {
    const char* what() const noexcept override { return "A column is not of its type."; }
};

class Row {
  public:
    explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
    /// The column must hold that type. Another, which is a bug or a damaged file, throws
    /// WrongColumn: within the work of a transaction that is kCorrupt.
    std::int64_t integer(std::size_t column) const;
    const std::string& text(std::size_t column) const;
    const Bytes& bytes(std::size_t column) const;
    std::string byte_string(std::size_t column) const { return to_string(bytes(column)); }
    bool is_null(std::size_t column) const;

  private:
    std::vector<Value> values_;
};
using Rows = std::vector<Row>;

/// One transaction. Statements are the common subset of SQLite 3.40 and PostgreSQL 15, with $1, $2
/// … for parameters. A statement that fails dooms the transaction: those after it fail with the
/// same error, and so does the whole. Say what you expect in SQL (ON CONFLICT DO NOTHING,
/// RETURNING).
class Transaction {
  public:
    virtual ~Transaction() = default;
    /// All rows, at most kMaxRows (kTooLarge beyond: name a LIMIT).
    virtual Result<Rows> query(std::string_view sql, std::vector<Value> parameters) = 0;
    /// The number of rows changed. A violated constraint is kConflict.
    virtual Result<std::int64_t> execute(std::string_view sql, std::vector<Value> parameters) = 0;
    /// Exactly one row, or kNotFound.
    Result<Row> query_one(std::string_view sql, std::vector<Value> parameters);

    static constexpr std::size_t kMaxRows = 100'000;
};

/// A database with its own writers and readers. Safe to use from any thread, but not from within
/// its own `work`. A transaction that does not get its turn within seconds is kUnavailable.
class Database {
  public:
    virtual ~Database() = default;

    using Work = std::function<Status(Transaction&)>;
    /// Runs `work` in a write transaction and commits durably if it returns success; rolls back and
    /// returns its error otherwise. `work` may run more than once (serialization failures are
    /// retried a few times), so it has no effects outside. Full disk, read-only file: kIo.
    virtual Status write(const Work& work) = 0;
    /// The same on a consistent snapshot, without writing.
    virtual Status read(const Work& work) = 0;
    /// Brings what the engine still keeps in its log into the database and empties the log, so that
    /// what was overwritten is in neither. kUnavailable, and worth another try later, while
    /// somebody reads an older snapshot.
    virtual Status compact_log() = 0;
    /// How many transactions of write() were committed since it was opened.
    virtual std::uint64_t writes() const = 0;

    template <class T>
    Result<T> write_result(const std::function<Result<T>(Transaction&)>& work) {
        return keep<T>(work, [this](const Work& inner) { return write(inner); });
    }
    template <class T>
    Result<T> read_result(const std::function<Result<T>(Transaction&)>& work) {
        return keep<T>(work, [this](const Work& inner) { return read(inner); });
    }

  private:
    template <class T, class Run>
    Result<T> keep(const std::function<Result<T>(Transaction&)>& work, Run run) {
        std::optional<T> kept;
        CLOISON_TRY_STATUS(run([&](Transaction& transaction) -> Status {
            auto result = work(transaction);
            if (!result) return fail(result.error());
            kept = std::move(*result);
            return {};
        }));
        return std::move(*kept);
    }
};

/// One step of a schema, in order: number, name, SQL. `BYTES` stands for the engine's byte-string
/// type (BLOB, BYTEA) and `KEYED` after the closing parenthesis of CREATE TABLE for "stored in key
/// order, without row numbers" (WITHOUT ROWID in SQLite), so that insertion order leaves no trace.
struct Migration {
    int number;
    std::string name;
    std::string sql;  ///< Its SHA-256 is kept: a step that is changed later is refused.
};

/// Reads schema/NNNN_what.sql files from a directory: numbers 1, 2, 3 … without a gap.
Result<std::vector<Migration>> load_migrations(FileSystem& files, const Path& directory);

/// Opens or creates an SQLite database (WAL, synchronous=FULL, secure_delete, one writer, readers
/// beside it) and applies the migrations that are missing, each in its own transaction. A database
/// that is newer than `migrations`, or whose steps were others, is refused, kConflict. The file is
/// created with mode 0600.
Result<std::unique_ptr<Database>> open_sqlite(const Path& path,
                                              const std::vector<Migration>& migrations);

/// Copies an SQLite database as it stands at one moment into a new file of mode 0600, while others
/// use it. What was deleted from it is not in the copy. kConflict if `to` exists.
Status snapshot_sqlite(const Path& from, const Path& to);

}  // namespace cloison::storage
