#include "cli/outbox.h"

#include <algorithm>

#include "demo/accounts.h"

namespace cloison::cli {
namespace {

constexpr std::size_t kMaxMailBytes = 256 * 1024;
constexpr std::size_t kMailsShown = 100;

constexpr std::string_view kStyle = R"(
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #14213d; background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem }
a { color: #0b4f6c } a:focus { outline: 3px solid #fca311 }
table { border-collapse: collapse; width: 100% } caption { text-align: left; font-weight: bold }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #b8c0cc;
         vertical-align: top; overflow-wrap: anywhere }
pre { background: #f2f4f7; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere }
code { font-size: 1.05rem }
)";

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string page(std::string_view title, std::string_view body) {
    std::string out = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">";
    out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>";
    out += escape(title);
    out += "</title><link rel=\"stylesheet\" href=\"/style.css\"></head><body><main><h1>";
    out += escape(title);
    out += "</h1>";
    out += body;
    out += "</main></body></html>";
    return out;
}

/// The value of one header of a message as render_mail writes it; RFC 2047 words as they are.
std::string header(std::string_view message, std::string_view name) {
    const auto end = message.find("\r\n\r\n");
    const std::string wanted = std::string(name) + ": ";
    std::string_view headers = message.substr(0, end);
    while (!headers.empty()) {
        const auto line_end = headers.find("\r\n");
        const std::string_view line = headers.substr(0, line_end);
        if (line.starts_with(wanted)) return std::string(line.substr(wanted.size()));
        if (line_end == std::string_view::npos) break;
        headers.remove_prefix(line_end + 2);
    }
    return "";
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/// RFC 2045 §6.7; `q` also takes an underscore for a space (RFC 2047 §4.2).
std::string decode_quoted_printable(std::string_view text, bool q = false) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '_' && q) {
            out += ' ';
        } else if (text[i] == '=' && text.substr(i + 1, 2) == "\r\n") {
            i += 2;
        } else if (text[i] == '=' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                   hex_digit(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string decode_words(std::string text) {
    std::string out;
    for (;;) {
        const auto begin = text.find("=?UTF-8?");
        const auto end = begin == std::string::npos ? begin : text.find("?=", begin + 10);
        if (end == std::string::npos) return out + text;
        const std::string word = text.substr(begin + 10, end - begin - 10);
        std::string between = text.substr(0, begin);
        if (!(between == " " && !out.empty())) out += between;
        if (text[begin + 8] == 'B' || text[begin + 8] == 'b') {
            const auto decoded = base64_decode(word);
            out += decoded ? to_string(*decoded) : word;
        } else {
            out += decode_quoted_printable(word, true);
        }
        text.erase(0, end + 2);
    }
}

bool is_loopback_name(std::string_view host) {
    const std::string_view name = host.substr(0, host.rfind(':'));
    return name == "localhost" || name == "127.0.0.1";
}

bool is_mail_name(std::string_view name) {
    return name.size() < 100 && name.ends_with(".eml") &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '.' || c == '_';
           });
}

}  // namespace

Outbox::Outbox(Options options, FileSystem& files, Clock& clock)
    : options_(std::move(options)), files_(files), clock_(clock) {}

net::HttpResponse Outbox::handle(const net::HttpRequest& request) const {
    net::HttpResponse response;
    if (!is_loopback_name(request.headers.get("Host").value_or(""))) {
        // Another name that leads here is a page elsewhere that wants to read the demo's codes.
        response = net::HttpResponse::problem(421, "Misdirected request",
                                              "Open this page as localhost or 127.0.0.1.");
    } else if (request.method != "GET" && request.method != "HEAD") {
        response = net::HttpResponse::problem(405, "Method not allowed", "Only GET is answered.");
        response.headers.set("Allow", "GET");
    } else if (request.path == "/style.css") {
        response = net::HttpResponse::text(200, std::string(kStyle));
        response.headers.set("Content-Type", "text/css; charset=utf-8");
    } else if (request.path == "/") {
        response = net::HttpResponse::html(200, list_page());
    } else if (auto mail = mail_page(std::string_view(request.path).substr(1)); mail) {
        response = net::HttpResponse::html(200, *mail);
    } else {
        response = net::HttpResponse::html(
            404, page("Not found", "<p>There is no such mail. <a href=\"/\">All mails</a></p>"));
    }
    response.headers.set("Content-Security-Policy",
                         "default-src 'none'; style-src 'self'; frame-ancestors 'none'; "
                         "base-uri 'none'; form-action 'none'");
    response.headers.set("X-Content-Type-Options", "nosniff");
    response.headers.set("Referrer-Policy", "no-referrer");
    response.headers.set("Cache-Control", "no-store");
    return response;
}

std::string Outbox::list_page() const {
    std::string body =
        "<p>Mails that the demo would have sent, newest first. Reload the page to "
        "see new ones.</p>";
    auto names = files_.list(options_.directory);
    std::vector<std::string> mails;
    if (names) std::copy_if(names->begin(), names->end(), std::back_inserter(mails), is_mail_name);
    if (mails.empty()) {
        body += "<p>No mail yet.</p>";
    } else {
        std::sort(mails.rbegin(), mails.rend());
        body +=
            "<table><caption>" + std::to_string(mails.size()) +
            (mails.size() == 1 ? " mail" : " mails") +
            (mails.size() > kMailsShown ? ", the newest " + std::to_string(kMailsShown) + " shown"
                                        : "") +
            "</caption><thead><tr><th scope=\"col\">To</th><th scope=\"col\">Subject</th>"
            "<th scope=\"col\">Date</th></tr></thead><tbody>";
        mails.resize(std::min(mails.size(), kMailsShown));
        for (const auto& name : mails) {
            const auto bytes = files_.read_file(options_.directory / name, kMaxMailBytes);
            if (!bytes) continue;
            const std::string_view message = as_text(*bytes);
            body += "<tr><td>" + escape(header(message, "To")) + "</td><td><a href=\"/" + name +
                    "\">" + escape(decode_words(header(message, "Subject"))) + "</a></td><td>" +
                    escape(header(message, "Date")) + "</td></tr>";
        }
        body += "</tbody></table>";
    }
    return page("Outbox", body + sign_ins());
}

Result<std::string> Outbox::mail_page(std::string_view name) const {
    if (!is_mail_name(name)) return fail(ErrorCode::kNotFound, "No such mail.");
    CLOISON_TRY(auto bytes, files_.read_file(options_.directory / name, kMaxMailBytes));
    const std::string_view message = as_text(bytes);
    const auto end = message.find("\r\n\r\n");
    const std::string_view text = end == std::string_view::npos ? "" : message.substr(end + 4);
    return page(decode_words(header(message, "Subject")),
                "<p><a href=\"/\">All mails</a></p><p>From " + escape(header(message, "From")) +
                    "<br>To " + escape(header(message, "To")) + "<br>" +
                    escape(header(message, "Date")) + "</p><pre>" +
                    escape(decode_quoted_printable(text)) + "</pre>");
}

std::string Outbox::sign_ins() const {
    const auto demo = demo::load_accounts(files_, options_.demo_file);
    if (!demo) return "";
    std::string out = "<h2>Demo sign-ins</h2><p>Portal: <a href=\"" + options_.portal_address +
                      "\">" + options_.portal_address + "</a>. Desk: <a href=\"" +
                      options_.desk_address + "\">" + options_.desk_address +
                      "</a>. A code is good for half a minute, and once.</p>"
                      "<table><caption>Accounts</caption><thead><tr><th scope=\"col\">Role</th>"
                      "<th scope=\"col\">E-mail</th><th scope=\"col\">Password</th>"
                      "<th scope=\"col\">Code now</th></tr></thead><tbody>";
    for (const auto& account : demo->accounts) {
        const auto code = account.totp.empty()
                              ? Result<std::string>("none needed")
                              : demo::one_time_code(account.totp, demo::code_step(clock_.now()));
        out += "<tr><td>" + escape(account.role) + "</td><td><code>" + escape(account.email) +
               "</code></td><td><code>" + escape(account.password) + "</code></td><td><code>" +
               (code ? *code : "?") + "</code></td></tr>";
    }
    return out + "</tbody></table>";
}

}  // namespace cloison::cli
