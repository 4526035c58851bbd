#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/http.h"

namespace cloison::net {

/// multipart/form-data (RFC 7578) read part by part from a stream, never whole in memory.
class MultipartReader {
  public:
    static constexpr std::size_t kMaxParts = 32;
    static constexpr std::size_t kMaxPartHeader = 4 * 1024;
    static constexpr std::size_t kMaxFieldBytes = 64 * 1024;

    struct Part {
        std::string name;
        std::optional<std::string> file_name;  ///< As sent; a display name, never a path.
        std::string content_type;
    };

    /// `content_type` is the request's header; kInvalidArgument if it is no multipart/form-data
    /// with a boundary of at most 70 characters. `body` must outlive the reader.
    static Result<std::unique_ptr<MultipartReader>> create(std::string_view content_type,
                                                           BodyReader& body);
    virtual ~MultipartReader() = default;
    /// The next part, skipping what is unread of the current one; none at the end.
    virtual Result<std::optional<Part>> next() = 0;
    /// Bytes of the current part; 0 at its end.
    virtual Result<std::size_t> read(std::span<std::uint8_t> out) = 0;
    /// The whole current part as text, at most kMaxFieldBytes, valid UTF-8.
    Result<std::string> read_field();
};

}  // namespace cloison::net
