// An upload: how many bytes the stream gives at a time, the Content-Type header, then the body.
// Beyond not crashing: parts are bounded in number, names are text, no more bytes come out than
// went in, and the same parts come out however the stream is cut.
#include "net/multipart.h"

#include <algorithm>

#include "target.h"

namespace cloison::fuzz {
namespace {

class Pieces : public net::BodyReader {
  public:
    Pieces(ByteView bytes, std::size_t step)
        : rest_(bytes), step_(std::max<std::size_t>(1, step)) {}
    Result<std::size_t> read(std::span<std::uint8_t> out) override {
        const std::size_t count = std::min({out.size(), rest_.size(), step_});
        std::copy_n(rest_.begin(), count, out.begin());
        rest_ = rest_.subspan(count);
        return count;
    }

  private:
    ByteView rest_;
    std::size_t step_;
};

struct Read {
    std::vector<std::string> parts;  ///< Header fields and content of each, one text.
    bool whole = false;
    bool operator==(const Read&) const = default;
};

Read read_all(std::string_view content_type, ByteView body, std::size_t step) {
    Read read;
    Pieces pieces(body, step);
    auto reader = net::MultipartReader::create(content_type, pieces);
    if (!reader) return read;
    std::size_t bytes = 0;
    while (true) {
        auto part = (*reader)->next();
        if (!part) return read;
        if (!*part) break;
        require(read.parts.size() < net::MultipartReader::kMaxParts, "parts are bounded");
        std::string text = (*part)->name + '\0' + (*part)->file_name.value_or("-") + '\0' +
                           (*part)->content_type + '\0';
        require(text.size() <= net::MultipartReader::kMaxPartHeader, "a part's header is bounded");
        Bytes buffer(64);
        while (true) {
            const auto count = (*reader)->read(buffer);
            if (!count) return read;
            if (*count == 0) break;
            text += as_text(ByteView(buffer).first(*count));
            bytes += *count;
        }
        require(bytes <= body.size(), "no more comes out than went in");
        read.parts.push_back(std::move(text));
    }
    read.whole = true;
    return read;
}

bool run(ByteView input) {
    Input in(input);
    const std::size_t step = in.byte();
    const std::string_view content_type = as_text(in.sized());
    const ByteView body = in.rest();
    const Read read = read_all(content_type, body, step);
    require(read_all(content_type, body, body.size()) == read,
            "the parts do not depend on how the stream is cut");
    return read.whole;
}

std::vector<Seed> seeds() {
    Bytes head{7};
    put_sized(head, "multipart/form-data; boundary=xyz");
    const std::string_view body =
        "--xyz\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken\r\n"
        "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"pi\xc3\xa8"
        "ce.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.4\r\n--xy\r\n\r\n--xyz--\r\n";
    Bytes quoted{1};
    put_sized(quoted, "multipart/form-data; charset=utf-8; boundary=\"a b\"");
    return {{"two-parts", join({head, as_bytes(body)})},
            {"no-part", join({quoted, as_bytes("--a b--\r\n")})}};
}

const Registration registration({"multipart", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
