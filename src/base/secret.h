#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace cloison {

/// Bytes that wipe themselves when destroyed or overwritten, cannot be copied by accident and
/// have no stream operator. Keys, passwords and opened personal values live in it.
class Secret {
  public:
    Secret() = default;
    explicit Secret(Bytes&& bytes) : bytes_(std::move(bytes)) {}
    explicit Secret(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
    static Secret from_text(std::string_view text) { return Secret(as_bytes(text)); }

    Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) {}
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { wipe(); }

    /// The only copy that is made, and it is spelled out.
    Secret clone() const { return Secret(view()); }

    ByteView view() const { return bytes_; }
    std::string_view text() const { return as_text(bytes_); }
    std::uint8_t* data() { return bytes_.data(); }
    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }

  private:
    void wipe();
    Bytes bytes_;
};

/// Overwrites `bytes` in a way that the compiler does not remove.
void wipe(std::span<std::uint8_t> bytes);
void wipe(std::string& text);

}  // namespace cloison
