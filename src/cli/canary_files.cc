#include <algorithm>
#include <array>

#include "cli/canary_people.h"
#include "demo/small_files.h"

namespace cloison::cli {
namespace {

std::string ten_digits(std::size_t number) {
    std::string text = std::to_string(number);
    return std::string(10 - text.size(), '0') + text;
}

/// One page with a line of text, and a stream that no page shows (ISO 32000-1, 7.3.8), which makes
/// up the length.
std::string make_pdf(std::size_t hidden_bytes, Random& random) {
    const std::string text = "BT /F1 14 Tf 72 760 Td (Justificatif de domicile) Tj ET";
    Bytes hidden(hidden_bytes);
    random.fill(hidden);
    const auto stream = [](const std::string& content) {
        return "<< /Length " + std::to_string(content.size()) + " >>\nstream\n" + content +
               "\nendstream";
    };
    const std::array<std::string, 6> objects{
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        stream(text),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        stream(to_string(hidden))};
    std::string out = "%PDF-1.4\n";
    std::string table = "xref\n0 " + std::to_string(objects.size() + 1) + "\n0000000000 65535 f \n";
    for (std::size_t i = 0; i < objects.size(); ++i) {
        table += ten_digits(out.size()) + " 00000 n \n";
        out += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
    }
    const std::string start = std::to_string(out.size());
    return out + table + "trailer\n<< /Size " + std::to_string(objects.size() + 1) +
           " /Root 1 0 R >>\nstartxref\n" + start + "\n%%EOF\n";
}

/// The numbers inside grow with the length, so the first try may be some bytes too long.
Bytes fit_pdf(std::size_t size, Random& random) {
    std::size_t hidden = size - make_pdf(0, random).size();
    std::string file = make_pdf(hidden, random);
    while (file.size() > size) {
        hidden -= file.size() - size;
        file = make_pdf(hidden, random);
    }
    file.append(size - file.size(), '\n');
    return to_bytes(file);
}

}  // namespace

Bytes make_canary_file(std::string_view content_type, std::size_t size, Random& random) {
    if (content_type == "application/pdf") return fit_pdf(size, random);
    // What stands behind the end of a picture is not shown.
    const std::uint32_t picture = content_type == "image/jpeg" ? 1 : 2;
    Bytes file =
        demo::make_small_file(static_cast<std::uint32_t>(3 * random.uniform(60)) + picture, "")
            .content;
    const std::size_t shown = file.size();
    file.resize(std::max(size, shown));
    random.fill(std::span(file).subspan(shown));
    return file;
}

}  // namespace cloison::cli
