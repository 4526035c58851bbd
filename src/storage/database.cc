#include "storage/database.h"

namespace cloison::storage {
namespace {

template <class T>
const T& value_at(const std::vector<Value>& values, std::size_t column) {
    if (column >= values.size() || !std::holds_alternative<T>(values[column])) throw WrongColumn();
    return std::get<T>(values[column]);
}

}  // namespace

std::int64_t Row::integer(std::size_t column) const {
    return value_at<std::int64_t>(values_, column);
}

const std::string& Row::text(std::size_t column) const {
    return value_at<std::string>(values_, column);
}

const Bytes& Row::bytes(std::size_t column) const {
    return value_at<Bytes>(values_, column);
}

bool Row::is_null(std::size_t column) const {
    if (column >= values_.size()) throw WrongColumn();
    return std::holds_alternative<std::nullptr_t>(values_[column]);
}

Result<Row> Transaction::query_one(std::string_view sql, std::vector<Value> parameters) {
    CLOISON_TRY(auto rows, query(sql, std::move(parameters)));
    if (rows.empty()) return fail(ErrorCode::kNotFound, "There is no such row.");
    if (rows.size() > 1) return fail(ErrorCode::kInternal, "A query for one row found several.");
    return std::move(rows.front());
}

}  // namespace cloison::storage
