#include "storage/sqlite_connection.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <mutex>

#include "storage/dialect.h"

namespace cloison::storage {
namespace {

/// How long a statement waits for another process that is writing.
constexpr int kBusyTimeoutMs = 5000;

ErrorCode to_error_code(int primary_code) {
    switch (primary_code) {
        case SQLITE_CONSTRAINT:
            return ErrorCode::kConflict;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
            return ErrorCode::kUnavailable;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return ErrorCode::kCorrupt;
        case SQLITE_FULL:
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_IOERR:
        case SQLITE_PERM:
            return ErrorCode::kIo;
        case SQLITE_TOOBIG:
            return ErrorCode::kTooLarge;
        default:
            return ErrorCode::kInternal;
    }
}

std::string_view what_happened(int primary_code) {
    switch (primary_code) {
        case SQLITE_CONSTRAINT:
            return "refuses a change that breaks a constraint";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "is locked by another writer";
        case SQLITE_CORRUPT:
            return "is damaged";
        case SQLITE_NOTADB:
            return "is not a database";
        case SQLITE_FULL:
            return "cannot grow: the disk is full";
        case SQLITE_READONLY:
            return "is read-only";
        case SQLITE_CANTOPEN:
            return "cannot be opened";
        case SQLITE_IOERR:
            return "cannot be read or written";
        default:
            return "refuses a statement";
    }
}

/// SQLite's own words name tables, columns and system calls, never values.
tl::unexpected<Error> sqlite_failure(const Path& path, const SQLite::Exception& exception) {
    const int code = exception.getErrorCode() & 0xff;
    return fail(to_error_code(code), "The database " + path.string() + ' ' +
                                         std::string(what_happened(code)) + " (" +
                                         exception.what() + ").");
}

void bind_value(SQLite::Statement& statement, int index, const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        statement.bind(index, *integer);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        statement.bind(index, *text);
    } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
        // An empty byte string is not NULL, which is what a null pointer would bind.
        const void* data = bytes->empty() ? static_cast<const void*>("") : bytes->data();
        statement.bind(index, data, static_cast<int>(bytes->size()));
    } else {
        statement.bind(index);
    }
}

Result<Row> read_row(SQLite::Statement& statement) {
    std::vector<Value> values;
    const int columns = statement.getColumnCount();
    values.reserve(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) {
        const SQLite::Column column = statement.getColumn(i);
        switch (column.getType()) {
            case SQLITE_NULL:
                values.emplace_back(nullptr);
                break;
            case SQLITE_INTEGER:
                values.emplace_back(column.getInt64());
                break;
            case SQLITE_TEXT:
                values.emplace_back(column.getString());
                break;
            case SQLITE_BLOB: {
                const auto* data = static_cast<const std::uint8_t*>(column.getBlob());
                values.emplace_back(Bytes(data, data + column.getBytes()));
                break;
            }
            default:
                return fail(ErrorCode::kInternal,
                            "A column holds neither integer, text nor bytes.");
        }
    }
    return Row(std::move(values));
}

/// SQLite counts its memory under one lock of the process, at each allocation of every thread, for
/// statistics that nobody reads: a fifteenth of the time of reading many rows.
void prepare_sqlite() {
    static std::once_flag once;
    std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

/// Leaves a prepared statement ready for its next use, holding no lock and no parameters.
class ResetAtEnd {
  public:
    explicit ResetAtEnd(SQLite::Statement& statement) : statement_(statement) {}
    ~ResetAtEnd() {
        statement_.tryReset();
        statement_.clearBindings();
    }

  private:
    SQLite::Statement& statement_;
};

}  // namespace

template <class Work>
auto SqliteConnection::guarded(Work work) -> decltype(work()) {
    try {
        return work();
    } catch (const SQLite::Exception& exception) {
        return sqlite_failure(path_, exception);
    }
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const Path& path, Role role) {
    prepare_sqlite();
    try {
        auto database = std::make_unique<SQLite::Database>(
            path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs);
        database->exec("PRAGMA journal_mode = WAL");
        database->exec("PRAGMA synchronous = FULL");
        database->exec("PRAGMA foreign_keys = ON");
        database->exec("PRAGMA secure_delete = ON");
        database->exec("PRAGMA trusted_schema = OFF");
        database->exec("PRAGMA temp_store = MEMORY");
        // Rows lie under random keys: a writer that keeps few pages reads one for each row.
        database->exec(role == Role::kReader ? "PRAGMA query_only = ON"
                                             : "PRAGMA cache_size = -65536");
        return std::unique_ptr<SqliteConnection>(new SqliteConnection(path, std::move(database)));
    } catch (const SQLite::Exception& exception) {
        return sqlite_failure(path, exception);
    }
}

SQLite::Statement& SqliteConnection::prepare(std::string_view sql) {
    const std::string key(sql);
    const auto found = statements_.find(key);
    if (found != statements_.end()) return *found->second;
    if (statements_.size() >= kMaxStatements) statements_.clear();
    auto statement = std::make_unique<SQLite::Statement>(*database_, to_sqlite(sql, false));
    return *statements_.emplace(key, std::move(statement)).first->second;
}

Result<SQLite::Statement*> SqliteConnection::bind(std::string_view sql,
                                                  const std::vector<Value>& parameters) {
    SQLite::Statement& statement = prepare(sql);
    if (static_cast<std::size_t>(statement.getBindParameterCount()) != parameters.size())
        return fail(ErrorCode::kInternal,
                    "A statement has " + std::to_string(statement.getBindParameterCount()) +
                        " parameters and is given " + std::to_string(parameters.size()) + '.');
    for (std::size_t i = 0; i < parameters.size(); ++i)
        bind_value(statement, static_cast<int>(i) + 1, parameters[i]);
    return &statement;
}

Result<Rows> SqliteConnection::query(std::string_view sql, const std::vector<Value>& parameters) {
    return guarded([&]() -> Result<Rows> {
        CLOISON_TRY(auto* const statement, bind(sql, parameters));
        const ResetAtEnd reset(*statement);
        Rows rows;
        while (statement->executeStep()) {
            if (rows.size() == Transaction::kMaxRows)
                return fail(
                    ErrorCode::kTooLarge,
                    "A query found more than " + std::to_string(Transaction::kMaxRows) + " rows.");
            CLOISON_TRY(auto row, read_row(*statement));
            rows.push_back(std::move(row));
        }
        return rows;
    });
}

Result<std::int64_t> SqliteConnection::execute(std::string_view sql,
                                               const std::vector<Value>& parameters) {
    return guarded([&]() -> Result<std::int64_t> {
        CLOISON_TRY(auto* const statement, bind(sql, parameters));
        const ResetAtEnd reset(*statement);
        const int total_before = database_->getTotalChanges();
        while (statement->executeStep()) {
        }
        // Statements other than INSERT, UPDATE and DELETE leave the previous count in place.
        const bool changed = database_->getTotalChanges() != total_before;
        return changed ? database_->getChanges() : 0;
    });
}

Status SqliteConnection::run_script(const std::string& sql) {
    return guarded([&]() -> Status {
        database_->exec(sql);
        return {};
    });
}

Status SqliteConnection::roll_back() {
    // Some failures, a full disk among them, have ended the transaction already.
    if (sqlite3_get_autocommit(database_->getHandle()) != 0) return {};
    return run_script("ROLLBACK");
}

}  // namespace cloison::storage
