#include "documents/content_type.h"

#include <magic.h>

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>

namespace cloison::documents {
namespace {

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";

bool is_space_or_delimiter(char c) {
    return std::string_view("\0\t\n\f\r <[(/", 10).find(c) != std::string_view::npos;
}

std::string lower_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

/// Markup and script that a browser might run if it took the file for a page.
bool holds_markup(std::string_view head) {
    constexpr std::array<std::string_view, 10> kMarkup{
        "<html", "<script", "<!doctype", "<body",  "<iframe",
        "<svg",  "<?php",   "<object",   "<embed", "javascript:"};
    const std::string lower = lower_ascii(head);
    return std::any_of(kMarkup.begin(), kMarkup.end(), [&](std::string_view word) {
        return lower.find(word) != std::string::npos;
    });
}

/// The beginning of another type somewhere in an image: PDF readers accept theirs within the first
/// 1024 bytes, archives are read from the end but begin here.
bool holds_other_signature(std::string_view head) {
    constexpr std::array<std::string_view, 4> kSignatures{"%PDF-",
                                                          std::string_view("PK\x03\x04", 4),
                                                          std::string_view("\x7f"
                                                                           "ELF",
                                                                           4),
                                                          std::string_view("Rar!\x1a\x07", 6)};
    return std::any_of(kSignatures.begin(), kSignatures.end(), [&](std::string_view signature) {
        return head.find(signature) != std::string_view::npos;
    });
}

std::uint32_t big_endian(std::string_view four) {
    return get_u32(as_bytes(four.substr(0, 4)));
}

/// "%PDF-1.7" or "%PDF-2.0" and a line end (ISO 32000-2, 7.5.2).
bool is_pdf_start(std::string_view head) {
    if (head.size() < 9 || !head.starts_with("%PDF-")) return false;
    const bool version_1 = head[5] == '1' && head[7] >= '0' && head[7] <= '7';
    const bool version_2 = head[5] == '2' && head[7] == '0';
    return (version_1 || version_2) && head[6] == '.' &&
           (head[8] == '\r' || head[8] == '\n' || head[8] == ' ');
}

/// Signature and a sound IHDR chunk (PNG, third edition, 5.2 and 11.2.1).
bool is_png_start(std::string_view head) {
    constexpr std::uint32_t kMaxSide = 65'535;
    if (head.size() < 33 || !head.starts_with(kPngSignature)) return false;
    if (big_endian(head.substr(8)) != 13 || head.substr(12, 4) != "IHDR") return false;
    const auto width = big_endian(head.substr(16));
    const auto height = big_endian(head.substr(20));
    const auto depth = static_cast<unsigned char>(head[24]);
    const auto colour = static_cast<unsigned char>(head[25]);
    return width > 0 && width <= kMaxSide && height > 0 && height <= kMaxSide && depth <= 16 &&
           std::has_single_bit(static_cast<unsigned>(depth)) && colour <= 6 && colour != 1 &&
           colour != 5 && head[26] == 0 && head[27] == 0 &&
           static_cast<unsigned char>(head[28]) <= 1;
}

/// SOI, then segments that fit one behind the other as far as the head goes (ITU T.81, B.1).
bool is_jpeg_start(std::string_view head) {
    if (head.size() < 20 || !head.starts_with("\xff\xd8\xff")) return false;
    std::size_t at = 2;
    while (at + 4 <= head.size()) {
        if (head[at] != '\xff') return false;
        const auto marker = static_cast<unsigned char>(head[at + 1]);
        if (marker == 0xff) {  // fill byte
            ++at;
            continue;
        }
        if (marker == 0xda) return true;  // start of scan: coded data follows
        if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd9)) return false;
        const auto length = get_u16(as_bytes(head.substr(at + 2, 2)));
        if (length < 2) return false;
        at += 2U + length;
    }
    return true;
}

}  // namespace

std::string_view content_type_name(ContentType type) {
    switch (type) {
        case ContentType::kPdf:
            return "application/pdf";
        case ContentType::kJpeg:
            return "image/jpeg";
        case ContentType::kPng:
            return "image/png";
    }
    return "";
}

Result<ContentType> content_type_from_name(std::string_view name) {
    for (const ContentType type : {ContentType::kPdf, ContentType::kJpeg, ContentType::kPng})
        if (content_type_name(type) == name) return type;
    return fail(ErrorCode::kInvalidArgument, "A document is PDF, JPEG or PNG.");
}

struct ContentDetector::State {
    ~State() {
        if (cookie != nullptr) magic_close(cookie);
    }
    magic_t cookie = nullptr;
    mutable std::mutex mutex;  ///< A cookie serves one thread at a time.

    std::string type_of(ByteView head) const {
        const std::lock_guard lock(mutex);
        const char* type = magic_buffer(cookie, head.data(), head.size());
        return type == nullptr ? std::string() : std::string(type);
    }
};

ContentDetector::ContentDetector(std::unique_ptr<State> state) : state_(std::move(state)) {}
ContentDetector::~ContentDetector() = default;

Result<std::unique_ptr<ContentDetector>> ContentDetector::create() {
    auto state = std::make_unique<State>();
    state->cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR);
    if (state->cookie == nullptr || magic_load(state->cookie, nullptr) != 0)
        return fail(ErrorCode::kUnavailable, "The database of file types cannot be read.");
    return std::unique_ptr<ContentDetector>(new ContentDetector(std::move(state)));
}

ContentVerdict ContentDetector::detect(ByteView head) const {
    if (head.empty()) return ContentVerdict::kEmpty;
    const std::string_view text = as_text(head.first(std::min(head.size(), kContentHead)));
    if (holds_markup(text)) return ContentVerdict::kNotAccepted;
    const std::string magic = state_->type_of(as_bytes(text));
    if (is_pdf_start(text) && magic == "application/pdf") return ContentVerdict::kPdf;
    if (holds_other_signature(text)) return ContentVerdict::kNotAccepted;
    if (is_jpeg_start(text) && magic == "image/jpeg") return ContentVerdict::kJpeg;
    if (is_png_start(text) && magic == "image/png") return ContentVerdict::kPng;
    return ContentVerdict::kNotAccepted;
}

ContentCheck::ContentCheck(const ContentDetector& detector) : detector_(detector) {}

void ContentCheck::decide() {
    decided_ = true;
    verdict_ = detector_.detect(head_);
    head_.clear();
    head_.shrink_to_fit();
}

bool ContentCheck::refused() const {
    return verdict_ == ContentVerdict::kNotAccepted ||
           verdict_ == ContentVerdict::kPasswordProtected;
}

void ContentCheck::feed(ByteView piece) {
    if (!decided_) {
        head_.insert(head_.end(), piece.begin(),
                     piece.begin() + static_cast<std::ptrdiff_t>(
                                         std::min(piece.size(), kContentHead - head_.size())));
        if (head_.size() >= kContentHead) decide();
    }
    look_for_encryption(piece);
}

void ContentCheck::look_for_encryption(ByteView piece) {
    // The trailer of a PDF, also in its form of a cross-reference stream, is never compressed: a
    // file that needs a password has the key /Encrypt there in plain sight (ISO 32000-2, 7.6.1).
    constexpr std::string_view kKey = "/Encrypt";
    if (decided_ && verdict_ != ContentVerdict::kPdf) return;
    std::string text = tail_ + std::string(as_text(piece));
    for (auto at = text.find(kKey); at != std::string::npos; at = text.find(kKey, at + 1))
        if (at + kKey.size() < text.size() && is_space_or_delimiter(text[at + kKey.size()]))
            encrypted_ = true;
    tail_ = text.substr(text.size() - std::min(text.size(), kKey.size()));
    if (decided_ && encrypted_) verdict_ = ContentVerdict::kPasswordProtected;
}

ContentVerdict ContentCheck::finish() {
    if (!decided_) decide();
    if (verdict_ == ContentVerdict::kPdf && encrypted_)
        verdict_ = ContentVerdict::kPasswordProtected;
    return verdict_;
}

}  // namespace cloison::documents
