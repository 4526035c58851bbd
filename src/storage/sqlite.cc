#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>

#include "crypto/hash.h"
#include "storage/dialect.h"
#include "storage/sqlite_connection.h"

namespace cloison::storage {
namespace {

constexpr std::size_t kReaders = 4;
/// How long a transaction waits for its turn within this process.
constexpr std::chrono::seconds kTurnTimeout{10};

/// A few connections, each lent to one thread at a time and opened when first needed.
class ConnectionPool {
  public:
    using Connection = std::unique_ptr<SqliteConnection>;

    ConnectionPool(Path path, SqliteConnection::Role role, std::size_t size)
        : path_(std::move(path)), role_(role), unopened_(size) {}

    Result<Connection> take() {
        {
            std::unique_lock lock(mutex_);
            if (!returned_.wait_for(lock, kTurnTimeout,
                                    [this] { return !idle_.empty() || unopened_ > 0; }))
                return fail(ErrorCode::kUnavailable,
                            "The database " + path_.string() + " is busy.");
            if (!idle_.empty()) {
                Connection connection = std::move(idle_.back());
                idle_.pop_back();
                return connection;
            }
            --unopened_;
        }
        auto opened = SqliteConnection::open(path_, role_);
        if (!opened) give_back(nullptr);
        return opened;
    }

    /// Nothing is given back for a connection that could not be opened or is not usable any more:
    /// the next thread opens another.
    void give_back(Connection connection) {
        {
            const std::lock_guard lock(mutex_);
            if (connection) {
                idle_.push_back(std::move(connection));
            } else {
                ++unopened_;
            }
        }
        returned_.notify_one();
    }

  private:
    const Path path_;
    const SqliteConnection::Role role_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<Connection> idle_;
    std::size_t unopened_;
};

/// A connection on loan with a transaction that is rolled back unless it is committed.
class SqliteTransaction : public Transaction {
  public:
    SqliteTransaction(ConnectionPool& pool, ConnectionPool::Connection connection)
        : pool_(pool), connection_(std::move(connection)) {}
    ~SqliteTransaction() override {
        if (!connection_->roll_back()) connection_.reset();
        pool_.give_back(std::move(connection_));
    }
    SqliteTransaction(const SqliteTransaction&) = delete;
    SqliteTransaction& operator=(const SqliteTransaction&) = delete;

    Status begin(std::string_view how) { return run(how); }

    /// A statement that failed makes the whole fail, also where the caller went on.
    Status commit() {
        if (first_error_) return fail(*first_error_);
        return run("COMMIT");
    }

    Status run_script(const std::string& sql) { return connection_->run_script(sql); }

    Result<Rows> query(std::string_view sql, std::vector<Value> parameters) override {
        if (first_error_) return fail(*first_error_);
        return remember(connection_->query(sql, parameters));
    }

    Result<std::int64_t> execute(std::string_view sql, std::vector<Value> parameters) override {
        if (first_error_) return fail(*first_error_);
        return remember(connection_->execute(sql, parameters));
    }

  private:
    /// Prepared once a connection: these surround every statement there is.
    Status run(std::string_view sql) {
        CLOISON_TRY_STATUS(connection_->execute(sql, {}));
        return {};
    }
    template <class T>
    Result<T> remember(Result<T> result) {
        if (!result) first_error_ = result.error();
        return result;
    }

    ConnectionPool& pool_;
    ConnectionPool::Connection connection_;
    std::optional<Error> first_error_;
};

class SqliteDatabase : public Database {
  public:
    explicit SqliteDatabase(const Path& path)
        : writer_(path, SqliteConnection::Role::kWriter, 1),
          readers_(path, SqliteConnection::Role::kReader, kReaders) {}

    Status write(const Work& work) override {
        CLOISON_TRY_STATUS(run(writer_, "BEGIN IMMEDIATE", work));
        ++writes_;
        return {};
    }
    Status read(const Work& work) override { return run(readers_, "BEGIN DEFERRED", work); }
    Status compact_log() override;
    std::uint64_t writes() const override { return writes_; }

    Status migrate(const std::vector<Migration>& migrations);

  private:
    template <class AnyWork>
    static Status run(ConnectionPool& pool, const std::string& begin, const AnyWork& work) {
        CLOISON_TRY(auto connection, pool.take());
        SqliteTransaction transaction(pool, std::move(connection));
        CLOISON_TRY_STATUS(transaction.begin(begin));
        try {
            CLOISON_TRY_STATUS(work(transaction));
        } catch (const WrongColumn& wrong) {
            return fail(ErrorCode::kCorrupt, wrong.what());
        }
        return transaction.commit();
    }

    Status apply(const Migration& migration);
    Status refuse_newer(std::size_t known);

    ConnectionPool writer_;
    ConnectionPool readers_;
    std::atomic<std::uint64_t> writes_{0};
};

Status SqliteDatabase::migrate(const std::vector<Migration>& migrations) {
    for (std::size_t i = 0; i < migrations.size(); ++i)
        if (migrations[i].number != static_cast<int>(i) + 1)
            return fail(ErrorCode::kInvalidArgument,
                        "Migrations are not numbered 1, 2, 3 … at \"" + migrations[i].name + "\".");
    CLOISON_TRY_STATUS(run(writer_, "BEGIN IMMEDIATE", [](SqliteTransaction& transaction) {
        return transaction.run_script(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            "number INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL)");
    }));
    CLOISON_TRY_STATUS(refuse_newer(migrations.size()));
    for (const auto& migration : migrations) CLOISON_TRY_STATUS(apply(migration));
    return {};
}

Status SqliteDatabase::compact_log() {
    CLOISON_TRY(auto connection, writer_.take());
    // Writers wait meanwhile: not as long as they wait for one another.
    auto patience = connection->run_script("PRAGMA busy_timeout = 100");
    const auto answer = connection->query("PRAGMA wal_checkpoint(TRUNCATE)", {});
    if (patience) patience = connection->run_script("PRAGMA busy_timeout = 5000");
    writer_.give_back(patience ? std::move(connection) : nullptr);
    if (!answer) return fail(answer.error());
    // busy, pages in the log, pages brought over: after a truncation there are none.
    if (answer->size() != 1 || answer->front().integer(0) != 0)
        return fail(ErrorCode::kUnavailable, "The database's log is in use.");
    return {};
}

Status SqliteDatabase::refuse_newer(std::size_t known) {
    return read([known](Transaction& transaction) -> Status {
        CLOISON_TRY(const auto row,
                    transaction.query_one("SELECT count(*) FROM schema_migrations", {}));
        const std::int64_t applied = row.integer(0);
        if (applied <= static_cast<std::int64_t>(known)) return {};
        return fail(ErrorCode::kConflict, "The database has schema " + std::to_string(applied) +
                                              ", newer than this program's " +
                                              std::to_string(known) + '.');
    });
}

Status SqliteDatabase::apply(const Migration& migration) {
    const Bytes digest = to_bytes(crypto::sha256({as_bytes(migration.sql)}));
    return run(writer_, "BEGIN IMMEDIATE", [&](SqliteTransaction& transaction) -> Status {
        CLOISON_TRY(const auto applied,
                    transaction.query("SELECT digest FROM schema_migrations WHERE number = $1",
                                      {std::int64_t{migration.number}}));
        if (!applied.empty()) {
            if (applied.front().bytes(0) == digest) return {};
            return fail(ErrorCode::kConflict, "Migration " + std::to_string(migration.number) +
                                                  " (" + migration.name +
                                                  ") was changed after it had been applied.");
        }
        CLOISON_TRY_STATUS(transaction.run_script(to_sqlite(migration.sql, true)));
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO schema_migrations (number, name, digest) VALUES ($1, $2, $3)",
            {std::int64_t{migration.number}, migration.name, digest}));
        return {};
    });
}

/// SQLite gives its side files the mode of the database, which it would make by the umask.
Status create_private_file(const Path& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return fail(ErrorCode::kIo, "The database " + path.string() + " cannot be opened (" +
                                        std::generic_category().message(errno) + ").");
    ::close(descriptor);
    return {};
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const Path& path,
                                              const std::vector<Migration>& migrations) {
    CLOISON_TRY_STATUS(create_private_file(path));
    auto database = std::make_unique<SqliteDatabase>(path);
    CLOISON_TRY_STATUS(database->migrate(migrations));
    // What whoever had it open before left in the log may never have reached the disk, if a sync
    // failed; here it is written once more. Where somebody else has it open it is in use already.
    const auto brought_over = database->compact_log();
    if (!brought_over && !brought_over.error().retryable()) return fail(brought_over.error());
    return database;
}

Status snapshot_sqlite(const Path& from, const Path& to) {
    std::error_code error;
    if (std::filesystem::exists(to, error))
        return fail(ErrorCode::kConflict, to.string() + " exists already.");
    if (!std::filesystem::exists(from, error))
        return fail(ErrorCode::kNotFound, "The database " + from.string() + " is missing.");
    // VACUUM INTO takes an empty file as it is, with its mode.
    CLOISON_TRY_STATUS(create_private_file(to));
    CLOISON_TRY(auto connection, SqliteConnection::open(from, SqliteConnection::Role::kWriter));
    const auto copied = connection->execute("VACUUM INTO $1", {to.string()});
    if (copied) return {};
    std::filesystem::remove(to, error);
    return fail(copied.error());
}

}  // namespace cloison::storage
