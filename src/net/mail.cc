#include "net/mail.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "net/http_wire.h"

namespace cloison::net {
namespace {

constexpr std::size_t kMaxAddress = 254;   // RFC 5321 §4.5.3.1.3, without the angle brackets.
constexpr std::size_t kMaxLocalPart = 64;  // RFC 5321 §4.5.3.1.1.
constexpr std::size_t kMaxSubject = 500;
constexpr std::size_t kMaxText = 256 * 1024;
constexpr std::size_t kMaxLine = 76;  // RFC 2045 §6.7, rule 5.
constexpr std::size_t kEncodedWordBytes =
    42;  // 56 of base64 and 12 around it: under RFC 2047's 75.

tl::unexpected<Error> refused(std::string_view what) {
    return fail(ErrorCode::kInvalidArgument, "A mail's " + std::string(what) + ".");
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
}

bool is_ascii_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_dot_atom(std::string_view text, std::string_view signs) {
    return !text.empty() && text.front() != '.' && text.back() != '.' &&
           text.find("..") == std::string_view::npos &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return is_letter_or_digit(c) || c == '.' || signs.find(c) != std::string_view::npos;
           });
}

/// dot-atom on both sides (RFC 5322 §3.4.1). Quoted local parts and address literals are rare and
/// a favourite of injections; internationalised local parts need SMTPUTF8 along the whole way.
bool is_address(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == std::string_view::npos || address.size() > kMaxAddress || at > kMaxLocalPart)
        return false;
    return is_dot_atom(address.substr(0, at), "!#$%&'*+-/=?^_`{|}~") &&
           is_dot_atom(address.substr(at + 1), "-");
}

std::string encoded_words(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        std::size_t size = std::min(text.size(), kEncodedWordBytes);
        // A character must not be divided between two words.
        while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
            --size;
        out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        out += base64_encode(as_bytes(text.substr(0, size))) + "?=";
        text.remove_prefix(size);
    }
    return out;
}

/// "Name <address>" or "address", as a From header and as the address alone.
struct Sender {
    std::string header;
    std::string address;
};

Result<Sender> parse_sender(std::string_view from) {
    if (is_address(from)) return Sender{std::string(from), std::string(from)};
    const auto open = from.find(" <");
    if (open == std::string_view::npos || !from.ends_with('>'))
        return refused("sender is no address");
    const std::string_view name = from.substr(0, open);
    const std::string_view address = from.substr(open + 2, from.size() - open - 3);
    if (!is_address(address)) return refused("sender is no address");
    if (name.empty() || name.size() > kMaxSubject ||
        std::any_of(name.begin(), name.end(), is_control) || !is_valid_utf8(name))
        return refused("sender has a name that cannot be written");
    const bool plain = std::all_of(name.begin(), name.end(),
                                   [](char c) { return is_letter_or_digit(c) || c == ' '; });
    return Sender{
        (plain ? std::string(name) : encoded_words(name)) + " <" + std::string(address) + ">",
        std::string(address)};
}

Status check(const Mail& mail) {
    if (!is_address(mail.to)) return refused("recipient is no address");
    if (mail.subject.size() > kMaxSubject ||
        std::any_of(mail.subject.begin(), mail.subject.end(), is_control) ||
        !is_valid_utf8(mail.subject))
        return refused("subject is one line of at most " + std::to_string(kMaxSubject) + " bytes");
    if (mail.text.size() > kMaxText || mail.text.find('\0') != std::string::npos ||
        !is_valid_utf8(mail.text))
        return refused("text has at most " + std::to_string(kMaxText) +
                       " bytes of UTF-8 without NUL");
    return {};
}

/// RFC 5322 §3.3, in UTC.
std::string mail_date(Time time) {
    std::string date = http_date(time);
    date.replace(date.size() - 3, 3, "+0000");
    return date;
}

/// RFC 2045 §6.7; line ends become CRLF.
std::string quoted_printable(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        if (c == '\n') {
            out += "\r\n";
            column = 0;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        const bool at_line_end =
            i + 1 == text.size() || text[i + 1] == '\n' || text.substr(i + 1, 2) == "\r\n";
        const bool literal =
            (byte > ' ' && byte < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !at_line_end);
        const std::size_t width = literal ? 1 : 3;
        if (column + width > kMaxLine - 1) {
            out += "=\r\n";
            column = 0;
        }
        if (literal) {
            out += c;
        } else {
            out += '=';
            out += kDigits[byte >> 4];
            out += kDigits[byte & 15];
        }
        column += width;
    }
    if (column > 0) out += "\r\n";
    return out;
}

std::string random_name(Random& random) {
    std::array<std::uint8_t, 16> bytes{};
    random.fill(bytes);
    return hex_encode(bytes);
}

class DirectoryTransport final : public MailTransport {
  public:
    DirectoryTransport(FileSystem& files, Path directory, std::string from, Clock& clock,
                       Random& random)
        : files_(files),
          directory_(std::move(directory)),
          from_(std::move(from)),
          clock_(clock),
          random_(random) {}

    Status send(const Mail& mail) override {
        const Time now = clock_.now();
        CLOISON_TRY(const std::string message, render_mail(mail, from_, now, random_));
        std::string time = format_rfc3339(now, true);
        std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
        return files_.write_file_atomically(
            directory_ / (time + "-" + random_name(random_).substr(0, 16) + ".eml"),
            as_bytes(message), 0600);
    }

  private:
    FileSystem& files_;
    const Path directory_;
    const std::string from_;
    Clock& clock_;
    Random& random_;
};

}  // namespace

Result<std::string> sender_address(std::string_view from) {
    CLOISON_TRY(auto sender, parse_sender(from));
    return std::move(sender.address);
}

Result<std::string> render_mail(const Mail& mail, std::string_view from, Time now, Random& random) {
    CLOISON_TRY(const Sender sender, parse_sender(from));
    CLOISON_TRY_STATUS(check(mail));
    const std::string domain = sender.address.substr(sender.address.rfind('@') + 1);
    std::string message = "Date: " + mail_date(now) + "\r\n";
    message += "From: " + sender.header + "\r\n";
    message += "To: " + mail.to + "\r\n";
    message += "Message-ID: <" + random_name(random) + "@" + domain + ">\r\n";
    const bool plain = is_ascii_text(mail.subject) && mail.subject.size() <= kMaxLine - 9 &&
                       mail.subject.find("=?") == std::string::npos;
    message += "Subject: " + (plain ? mail.subject : encoded_words(mail.subject)) + "\r\n";
    // RFC 3834: keeps vacation notices from answering.
    message += "Auto-Submitted: auto-generated\r\n";
    message += "MIME-Version: 1.0\r\n";
    message += "Content-Type: text/plain; charset=utf-8\r\n";
    message += "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
    return message + quoted_printable(mail.text);
}

std::unique_ptr<MailTransport> directory_transport(FileSystem& files, Path directory,
                                                   std::string from, Clock& clock, Random& random) {
    return std::make_unique<DirectoryTransport>(files, std::move(directory), std::move(from), clock,
                                                random);
}

}  // namespace cloison::net
