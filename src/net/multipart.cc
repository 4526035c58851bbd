#include "net/multipart.h"

#include <algorithm>
#include <array>
#include <vector>

namespace cloison::net {
namespace {

constexpr std::size_t kBufferSize = 64 * 1024;
constexpr std::size_t kMaxBoundary = 70;
constexpr std::size_t kMaxEpilogue = 1024;
constexpr std::string_view kLineEnd = "\r\n";

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equal_without_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

tl::unexpected<Error> malformed(std::string_view what) {
    return fail(ErrorCode::kInvalidArgument, "The form is malformed: " + std::string(what) + ".");
}

/// A header value such as `form-data; name="a"; filename="b"`.
struct HeaderValue {
    std::string_view kind;
    std::vector<std::pair<std::string_view, std::string>> parameters;

    const std::string* find(std::string_view name) const {
        for (const auto& [key, value] : parameters) {
            if (equal_without_case(key, name)) return &value;
        }
        return nullptr;
    }
};

/// Reads a quoted string from after its opening quote. A backslash escapes a quote or a backslash;
/// before anything else it stands for itself, since old browsers send Windows paths.
Result<std::string> quoted_string(std::string_view& rest) {
    std::string value;
    while (!rest.empty()) {
        const char c = rest.front();
        rest.remove_prefix(1);
        if (c == '"') return value;
        if (c == '\\' && !rest.empty() && (rest.front() == '"' || rest.front() == '\\')) {
            value += rest.front();
            rest.remove_prefix(1);
        } else {
            value += c;
        }
    }
    return malformed("a quotation mark is missing");
}

Result<HeaderValue> parse_header_value(std::string_view text) {
    HeaderValue header;
    const auto end = text.find(';');
    header.kind = trim(text.substr(0, end));
    std::string_view rest = end == std::string_view::npos ? std::string_view() : text.substr(end);
    while (!(rest = trim(rest)).empty()) {
        if (rest.front() != ';') return malformed("a header has a stray character");
        rest = trim(rest.substr(1));
        if (rest.empty()) break;
        const auto equals = rest.find('=');
        if (equals == std::string_view::npos) return malformed("a parameter has no value");
        const std::string_view name = trim(rest.substr(0, equals));
        rest.remove_prefix(equals + 1);
        std::string value;
        if (rest.starts_with('"')) {
            rest.remove_prefix(1);
            CLOISON_TRY(value, quoted_string(rest));
        } else {
            const auto stop = rest.find(';');
            value = trim(rest.substr(0, stop));
            rest = stop == std::string_view::npos ? std::string_view() : rest.substr(stop);
        }
        if (header.find(name) != nullptr) return malformed("a parameter is given twice");
        header.parameters.emplace_back(name, std::move(value));
    }
    return header;
}

/// Browsers escape exactly these three in names (WHATWG HTML, multipart/form-data encoding); any
/// other percent sign is the user's own.
std::string undo_browser_escapes(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, char>, 3> kEscapes{
        {{"%22", '"'}, {"%0d", '\r'}, {"%0a", '\n'}}};
    std::string out;
    while (!text.empty()) {
        const auto escape = std::find_if(kEscapes.begin(), kEscapes.end(), [&](const auto& each) {
            return equal_without_case(text.substr(0, 3), each.first);
        });
        out += escape == kEscapes.end() ? text.front() : escape->second;
        text.remove_prefix(escape == kEscapes.end() ? 1 : 3);
    }
    return out;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

Result<MultipartReader::Part> parse_part_header(std::string_view block) {
    MultipartReader::Part part;
    bool named = false;
    while (!block.empty()) {
        const auto end = block.find(kLineEnd);
        const std::string_view line = block.substr(0, end);
        block = end == std::string_view::npos ? std::string_view() : block.substr(end + 2);
        if (has_control(line) || !is_valid_utf8(line))
            return malformed("a part's header holds a character that it may not");
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0)
            return malformed("a part's header has a line without a name");
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = trim(line.substr(colon + 1));
        if (equal_without_case(name, "Content-Type")) {
            part.content_type = value;
        } else if (equal_without_case(name, "Content-Transfer-Encoding")) {
            if (!equal_without_case(value, "binary") && !equal_without_case(value, "8bit") &&
                !equal_without_case(value, "7bit"))
                return malformed("a part has a transfer encoding");
        } else if (equal_without_case(name, "Content-Disposition")) {
            if (named) return malformed("a part has two names");
            CLOISON_TRY(const HeaderValue disposition, parse_header_value(value));
            const std::string* field = disposition.find("name");
            if (!equal_without_case(disposition.kind, "form-data") || field == nullptr)
                return malformed("a part has no name");
            part.name = undo_browser_escapes(*field);
            if (const std::string* file = disposition.find("filename"))
                part.file_name = undo_browser_escapes(*file);
            named = true;
        }
    }
    if (!named) return malformed("a part has no name");
    return part;
}

/// The buffer holds `begin_` to `end_` of what was read and not yet handed out. A virtual line end
/// before the first byte makes the first boundary look like all others.
class StreamedMultipart final : public MultipartReader {
  public:
    StreamedMultipart(std::string_view boundary, BodyReader& body)
        : delimiter_("\r\n--" + std::string(boundary)), body_(body), buffer_(kBufferSize) {
        std::copy(kLineEnd.begin(), kLineEnd.end(), buffer_.begin());
        end_ = kLineEnd.size();
    }

    Result<std::optional<Part>> next() override {
        if (failed_) return fail(*failed_);
        auto part = advance();
        if (!part) failed_ = part.error();
        return part;
    }

    Result<std::size_t> read(std::span<std::uint8_t> out) override {
        if (failed_) return fail(*failed_);
        auto count = read_content(out);
        if (!count) failed_ = count.error();
        return count;
    }

  private:
    enum class Place { kPreamble, kContent, kDelimiter, kEnd };

    std::string_view held() const {
        return {reinterpret_cast<const char*>(buffer_.data()) + begin_, end_ - begin_};
    }

    /// Reads at least one more byte; false at the end of the body.
    Result<bool> fill() {
        if (begin_ > 0) {
            std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                      buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
            end_ -= begin_;
            begin_ = 0;
        }
        CLOISON_TRY(const std::size_t count, body_.read(std::span(buffer_).subspan(end_)));
        end_ += count;
        return count > 0;
    }

    Status need(std::size_t size) {
        while (end_ - begin_ < size) {
            CLOISON_TRY(const bool more, fill());
            if (!more) return malformed("it ends early");
        }
        return {};
    }

    Result<std::optional<Part>> advance() {
        if (place_ == Place::kEnd) return std::optional<Part>();
        if (place_ == Place::kPreamble) {
            CLOISON_TRY_STATUS(need(delimiter_.size()));
            if (!held().starts_with(delimiter_)) return malformed("it does not begin with a part");
            place_ = Place::kDelimiter;
        }
        std::array<std::uint8_t, 4096> skipped;
        while (place_ == Place::kContent) {
            CLOISON_TRY_STATUS(read_content(skipped));
        }
        begin_ += delimiter_.size();
        CLOISON_TRY_STATUS(need(2));
        if (held().starts_with("--")) return finish();
        if (!held().starts_with(kLineEnd)) return malformed("a boundary is followed by text");
        if (++parts_ > kMaxParts)
            return fail(ErrorCode::kTooLarge,
                        "The form has more than " + std::to_string(kMaxParts) + " parts.");
        begin_ += kLineEnd.size();
        CLOISON_TRY(auto part, read_header());
        place_ = Place::kContent;
        return std::optional<Part>(std::move(part));
    }

    Result<Part> read_header() {
        for (;;) {
            const auto end = held().substr(0, kMaxPartHeader + 4).find("\r\n\r\n");
            if (end != std::string_view::npos) {
                auto part = parse_part_header(held().substr(0, end));
                begin_ += end + 4;
                return part;
            }
            if (end_ - begin_ >= kMaxPartHeader + 4)
                return fail(ErrorCode::kTooLarge, "A part's header is longer than " +
                                                      std::to_string(kMaxPartHeader) + " bytes.");
            CLOISON_TRY_STATUS(need(end_ - begin_ + 1));
        }
    }

    /// What follows the last boundary: nothing but a line end in practice.
    Result<std::optional<Part>> finish() {
        place_ = Place::kEnd;
        begin_ += 2;
        std::size_t epilogue = end_ - begin_;
        for (;;) {
            if (epilogue > kMaxEpilogue) return malformed("text follows its end");
            begin_ = end_;
            CLOISON_TRY(const bool more, fill());
            if (!more) return std::optional<Part>();
            epilogue += end_ - begin_;
        }
    }

    Result<std::size_t> read_content(std::span<std::uint8_t> out) {
        if (place_ != Place::kContent || out.empty()) return std::size_t{0};
        for (;;) {
            const auto found = held().find(delimiter_);
            if (found == 0) {
                place_ = Place::kDelimiter;
                return std::size_t{0};
            }
            // The last bytes may be the beginning of a delimiter.
            const std::size_t safe = found != std::string_view::npos ? found
                                     : held().size() >= delimiter_.size()
                                         ? held().size() - delimiter_.size() + 1
                                         : 0;
            if (safe > 0) {
                const std::size_t count = std::min(safe, out.size());
                std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), count,
                            out.begin());
                begin_ += count;
                return count;
            }
            CLOISON_TRY_STATUS(need(held().size() + 1));
        }
    }

    const std::string delimiter_;
    BodyReader& body_;
    Bytes buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t parts_ = 0;
    Place place_ = Place::kPreamble;
    std::optional<Error> failed_;  ///< Once malformed, always malformed.
};

}  // namespace

Result<std::unique_ptr<MultipartReader>> MultipartReader::create(std::string_view content_type,
                                                                 BodyReader& body) {
    CLOISON_TRY(const HeaderValue header, parse_header_value(content_type));
    const std::string* boundary = header.find("boundary");
    if (!equal_without_case(header.kind, "multipart/form-data") || boundary == nullptr)
        return fail(ErrorCode::kInvalidArgument, "The request is no multipart form.");
    if (boundary->empty() || boundary->size() > kMaxBoundary || has_control(*boundary) ||
        boundary->ends_with(' '))
        return fail(ErrorCode::kInvalidArgument, "The boundary of a multipart form has 1 to " +
                                                     std::to_string(kMaxBoundary) + " characters.");
    return std::make_unique<StreamedMultipart>(*boundary, body);
}

Result<std::string> MultipartReader::read_field() {
    std::string text;
    std::array<std::uint8_t, 4096> piece;
    for (;;) {
        CLOISON_TRY(const std::size_t count, read(piece));
        if (count == 0) break;
        text += as_text(ByteView(piece).first(count));
        if (text.size() > kMaxFieldBytes)
            return fail(ErrorCode::kTooLarge, "A form field is longer than " +
                                                  std::to_string(kMaxFieldBytes) + " bytes.");
    }
    if (text.find('\0') != std::string::npos)
        return fail(ErrorCode::kInvalidArgument, "A form field holds a NUL character.");
    if (!is_valid_utf8(text))
        return fail(ErrorCode::kInvalidArgument, "A form field is not valid UTF-8.");
    return text;
}

}  // namespace cloison::net
