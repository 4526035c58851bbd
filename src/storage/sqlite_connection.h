#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <memory>
#include <unordered_map>

#include "storage/database.h"

namespace cloison::storage {

/// One connection to an SQLite file, with its prepared statements. One thread at a time.
class SqliteConnection {
  public:
    enum class Role { kReader, kWriter };
    static Result<std::unique_ptr<SqliteConnection>> open(const Path& path, Role role);

    Result<Rows> query(std::string_view sql, const std::vector<Value>& parameters);
    Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& parameters);
    /// Any number of statements without parameters, already in SQLite's dialect.
    Status run_script(const std::string& sql);
    /// Ends a transaction that did not end by itself. A connection where that fails is not usable.
    Status roll_back();

  private:
    /// Beyond it all are dropped and prepared anew: a service has a few dozen statements.
    static constexpr std::size_t kMaxStatements = 256;

    SqliteConnection(Path path, std::unique_ptr<SQLite::Database> database)
        : path_(std::move(path)), database_(std::move(database)) {}

    SQLite::Statement& prepare(std::string_view sql);
    Result<SQLite::Statement*> bind(std::string_view sql, const std::vector<Value>& parameters);
    template <class Work>
    auto guarded(Work work) -> decltype(work());

    const Path path_;
    std::unique_ptr<SQLite::Database> database_;
    std::unordered_map<std::string, std::unique_ptr<SQLite::Statement>> statements_;
};

}  // namespace cloison::storage
