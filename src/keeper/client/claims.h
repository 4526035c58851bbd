#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"

namespace cloison::keeper {

/// The claims of a token as strict JSON: one flat object, every claim known, none missing, none
/// twice, each of its exact type and within its bound. Reads claims one by one and then insists
/// that none is left. All errors are kUnauthenticated.
class Claims {
  public:
    static Result<Claims> parse(std::string_view json);

    Result<std::string> text(const char* name, std::size_t max_size);
    Result<Time> time(const char* name);  ///< RFC 3339 in UTC with milliseconds, as written here.
    Result<Bytes> bytes(const char* name, std::size_t max_size);  ///< base64url; may be empty.
    Result<std::vector<std::string>> texts(const char* name, std::size_t max_count,
                                           std::size_t max_size);
    template <class IdType>
    Result<IdType> id(const char* name) {
        CLOISON_TRY(auto value, text(name, 2 * IdType::kSize));
        return to_id<IdType>(value);
    }
    template <class IdType>
    Result<std::vector<IdType>> ids(const char* name, std::size_t max_count) {
        CLOISON_TRY(auto values, texts(name, max_count, 2 * IdType::kSize));
        std::vector<IdType> ids;
        for (const auto& value : values) {
            CLOISON_TRY(auto id, to_id<IdType>(value));
            ids.push_back(id);
        }
        return ids;
    }
    /// kUnauthenticated if a claim was not read.
    Status finish() const;

  private:
    explicit Claims(nlohmann::json object) : object_(std::move(object)) {}
    static tl::unexpected<Error> malformed();
    const nlohmann::json* take(const char* name);

    template <class IdType>
    static Result<IdType> to_id(const std::string& value) {
        auto id = IdType::from_hex(value);
        // Upper case would be a second way to write the same id.
        if (!id || id->hex() != value) return malformed();
        return *id;
    }

    nlohmann::json object_;
    std::set<std::string> taken_;
};

}  // namespace cloison::keeper
