#include "journal/witness_request.h"

#include <algorithm>
#include <charconv>

#include "journal/note_lines.h"

namespace cloison::journal {
namespace {

constexpr std::string_view kOld = "old ";

tl::unexpected<Error> malformed(const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, "The request is malformed: " + what + '.');
}

}  // namespace

std::string WitnessRequest::text() const {
    std::string text = std::string(kOld) + std::to_string(old_size) + '\n';
    for (const crypto::Hash& hash : proof) text += base64_encode(hash) + '\n';
    return text + '\n' + note;
}

Result<WitnessRequest> WitnessRequest::parse(std::string_view text) {
    if (text.size() > kMaxBytes)
        return fail(ErrorCode::kTooLarge, "The request is larger than 64 KiB.");
    WitnessRequest request;
    std::string_view line;
    if (!take_line(text, line) || !line.starts_with(kOld))
        return malformed("its first line is not \"old\" and a size");
    line.remove_prefix(kOld.size());
    const auto [end, error] =
        std::from_chars(line.data(), line.data() + line.size(), request.old_size);
    if (error != std::errc() || std::to_string(request.old_size) != line)
        return malformed("its old size is no number");
    while (true) {
        if (!take_line(text, line)) return malformed("no empty line ends its proof");
        if (line.empty()) break;
        if (request.proof.size() == kMaxProofLines)
            return malformed("its proof has more than 63 lines");
        const auto bytes = base64_decode(line);
        crypto::Hash hash;
        if (!bytes || bytes->size() != hash.size())
            return malformed("a line of its proof is no hash");
        std::copy(bytes->begin(), bytes->end(), hash.begin());
        request.proof.push_back(hash);
    }
    request.note = text;
    return request;
}

}  // namespace cloison::journal
