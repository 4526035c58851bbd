#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cloison::documents {

enum class ContentType { kPdf, kJpeg, kPng };
std::string_view content_type_name(ContentType type);  ///< application/pdf, image/jpeg, image/png
/// kInvalidArgument for any other name.
Result<ContentType> content_type_from_name(std::string_view name);

/// What an uploaded file is, by its content: the name and the type that the browser states count
/// for nothing.
enum class ContentVerdict {
    kPdf,
    kJpeg,
    kPng,
    kEmpty,              ///< Not one byte.
    kNotAccepted,        ///< Another type, damaged at the start, or also readable as another type.
    kPasswordProtected,  ///< A PDF that opens with a password only.
};

/// How many bytes at the start of a file decide (fewer where the file is shorter).
inline constexpr std::size_t kContentHead = 4096;

/// Detects by libmagic and by checks of our own, which both must agree: the signature is at the
/// very first byte, the first structures are sound, and no markup, script or second signature
/// stands in the head that would let a browser or reader take the file for something else.
/// Safe to use from any thread.
class ContentDetector {
  public:
    /// kUnavailable if libmagic's database cannot be read.
    static Result<std::unique_ptr<ContentDetector>> create();
    ~ContentDetector();
    /// `head`: the first kContentHead bytes or more, or the whole file. Never kPasswordProtected.
    ContentVerdict detect(ByteView head) const;

  private:
    struct State;
    explicit ContentDetector(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Follows a whole file in pieces of any length and gives the verdict at the end; the head's
/// verdict is known as soon as kContentHead bytes were fed. One thread at a time; `detector` must
/// outlive it.
class ContentCheck {
  public:
    explicit ContentCheck(const ContentDetector& detector);
    void feed(ByteView piece);
    /// Final as soon as it is kNotAccepted or kPasswordProtected: reading on is of no use.
    bool refused() const;
    /// The verdict over all that was fed.
    ContentVerdict finish();

  private:
    void decide();
    void look_for_encryption(ByteView piece);

    const ContentDetector& detector_;
    Bytes head_;
    bool decided_ = false;
    bool encrypted_ = false;
    ContentVerdict verdict_ = ContentVerdict::kEmpty;
    std::string tail_;  ///< The end of the previous piece: a token may lie across two.
};

}  // namespace cloison::documents
