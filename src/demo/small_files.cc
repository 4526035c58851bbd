#include "demo/small_files.h"

#include <array>

namespace cloison::demo {
namespace {

void put(Bytes& out, std::initializer_list<int> bytes) {
    for (const int byte : bytes) out.push_back(static_cast<std::uint8_t>(byte));
}

void put(Bytes& out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}

std::string ten_digits(std::size_t number) {
    std::string text = std::to_string(number);
    return std::string(10 - text.size(), '0') + text;
}

/// One page with a line of text (ISO 32000-1, annex H.2).
Bytes make_pdf(std::string_view title) {
    const std::string text = "BT /F1 18 Tf 72 720 Td (" + std::string(title) + ") Tj ET";
    const std::array<std::string, 5> objects{
        "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        "<< /Length " + std::to_string(text.size()) + " >>\nstream\n" + text + "\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"};
    std::string out = "%PDF-1.4\n";
    std::string table = "xref\n0 " + std::to_string(objects.size() + 1) + "\n0000000000 65535 f \n";
    for (std::size_t i = 0; i < objects.size(); ++i) {
        table += ten_digits(out.size()) + " 00000 n \n";
        out += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
    }
    const std::size_t start = out.size();
    out += table + "trailer\n<< /Size " + std::to_string(objects.size() + 1) +
           " /Root 1 0 R >>\nstartxref\n" + std::to_string(start) + "\n%%EOF\n";
    return to_bytes(out);
}

/// Eight by eight grey points: one block of a baseline JPEG (ITU T.81) that has a mean and nothing
/// else, so that each Huffman table needs one code.
Bytes make_jpeg(std::uint8_t level) {
    Bytes out;
    put(out, {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0});
    put(out, {0xff, 0xdb, 0, 67, 0});
    for (int i = 0; i < 64; ++i) out.push_back(8);
    put(out, {0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0});
    const auto table = [&](int where, int symbol) {
        put(out,
            {0xff, 0xc4, 0, 20, where, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, symbol});
    };
    table(0x00, 7);  // DC: a difference of seven bits
    table(0x10, 0);  // AC: end of block
    put(out, {0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0});
    // Code 0, seven bits of 64 to 127, code 0, filled up with ones.
    put(out, {(64 + level % 64) & 0x7f, 0x7f, 0xff, 0xd9});
    return out;
}

std::uint32_t crc32(ByteView data) {
    std::uint32_t crc = 0xffffffffU;
    for (const std::uint8_t byte : data) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0U);
    }
    return ~crc;
}

void put_chunk(Bytes& out, std::string_view type, const Bytes& data) {
    put_u32(out, static_cast<std::uint32_t>(data.size()));
    Bytes body;
    put(body, type);
    body.insert(body.end(), data.begin(), data.end());
    out.insert(out.end(), body.begin(), body.end());
    put_u32(out, crc32(body));
}

/// Eight by eight grey points: a PNG whose only image data is one stored block (RFC 1950, 1951).
Bytes make_png(std::uint8_t level) {
    Bytes points;
    for (int row = 0; row < 8; ++row) {
        points.push_back(0);  // no filter
        points.insert(points.end(), 8, level);
    }
    Bytes data;
    put(data, {0x78, 0x01, 0x01, 72, 0, 0xff ^ 72, 0xff});
    data.insert(data.end(), points.begin(), points.end());
    std::uint32_t a = 1;
    std::uint32_t b = 0;
    for (const std::uint8_t point : points) {
        a = (a + point) % 65521;
        b = (b + a) % 65521;
    }
    put_u32(data, b << 16 | a);

    Bytes header;
    put_u32(header, 8);
    put_u32(header, 8);
    put(header, {8, 0, 0, 0, 0});
    Bytes out;
    put(out, {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
    put_chunk(out, "IHDR", header);
    put_chunk(out, "IDAT", data);
    put_chunk(out, "IEND", {});
    return out;
}

}  // namespace

SmallFile make_small_file(std::uint32_t number, std::string_view title) {
    const auto level = static_cast<std::uint8_t>(60 + number % 180);
    switch (number % 3) {
        case 0:
            return {"justificatif.pdf", "application/pdf", make_pdf(title)};
        case 1:
            return {"piece-identite.jpg", "image/jpeg", make_jpeg(level)};
        default:
            return {"facture.png", "image/png", make_png(level)};
    }
}

}  // namespace cloison::demo
