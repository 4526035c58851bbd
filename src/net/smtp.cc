#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/file_system.h"
#include "base/secret.h"
#include "net/mail.h"

namespace cloison::net {
namespace {

constexpr std::size_t kMaxPasswordFile = 4096;
constexpr long kConnectTimeoutMs = 10'000;
constexpr long kTimeoutMs = 30'000;

struct FreeCurl {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

struct Upload {
    std::string_view rest;
};

std::size_t give(char* buffer, std::size_t size, std::size_t count, void* upload_pointer) {
    auto& rest = static_cast<Upload*>(upload_pointer)->rest;
    const std::size_t length = std::min(size * count, rest.size());
    std::memcpy(buffer, rest.data(), length);
    rest.remove_prefix(length);
    return length;
}

std::size_t drop(char*, std::size_t size, std::size_t count, void*) {
    return size * count;
}

struct ServerUrl {
    std::string scheme;
    std::string host;
};

Result<ServerUrl> parse_url(const std::string& url) {
    const std::unique_ptr<CURLU, FreeCurl> parsed(curl_url());
    if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(),
                                          CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return fail(ErrorCode::kInvalidArgument, "The mail server's address is no URL.");
    const auto part = [&](CURLUPart which) {
        char* text = nullptr;
        std::string value;
        if (curl_url_get(parsed.get(), which, &text, 0) == CURLUE_OK) value = text;
        curl_free(text);
        return value;
    };
    if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty())
        return fail(ErrorCode::kInvalidArgument,
                    "The mail server's address holds a password; name a file for it.");
    const std::string path = part(CURLUPART_PATH);
    if (!path.empty() && path != "/")
        return fail(ErrorCode::kInvalidArgument, "The mail server's address ends with its port.");
    return ServerUrl{part(CURLUPART_SCHEME), part(CURLUPART_HOST)};
}

bool is_loopback(std::string_view host) {
    const bool digits = std::all_of(host.begin(), host.end(),
                                    [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
    return host == "localhost" || host == "[::1]" || (digits && host.starts_with("127."));
}

class SmtpTransport final : public MailTransport {
  public:
    SmtpTransport(SmtpOptions options, std::string sender, Clock& clock, Random& random)
        : options_(std::move(options)),
          sender_("<" + sender + ">"),
          hello_(sender.substr(sender.rfind('@') + 1)),
          clock_(clock),
          random_(random) {}

    Status send(const Mail& mail) override {
        CLOISON_TRY(const std::string message,
                    render_mail(mail, options_.from, clock_.now(), random_));
        const std::unique_ptr<CURL, FreeCurl> curl(curl_easy_init());
        if (curl == nullptr) return fail(ErrorCode::kInternal, "libcurl cannot start.");
        const std::string recipient = "<" + mail.to + ">";
        const std::unique_ptr<curl_slist, FreeCurl> recipients(
            curl_slist_append(nullptr, recipient.c_str()));
        Upload upload{message};
        CLOISON_TRY_STATUS(set_options(curl.get(), recipients.get(), &upload));
        return outcome(curl.get(), curl_easy_perform(curl.get()));
    }

  private:
    Status set_options(CURL* curl, curl_slist* recipients, Upload* upload) const {
        // What stands after the port is the name for EHLO.
        const std::string url = options_.url + "/" + hello_;
        curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kTimeoutMs);
        curl_easy_setopt(curl, CURLOPT_USE_SSL,
                         static_cast<long>(options_.require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
        curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender_.c_str());
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
        curl_easy_setopt(curl, CURLOPT_READDATA, upload);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
        if (options_.user.empty()) return {};
        CLOISON_TRY(Bytes password,
                    local_file_system().read_file(options_.password_file, kMaxPasswordFile));
        while (!password.empty() && (password.back() == '\n' || password.back() == '\r'))
            password.pop_back();
        std::string text = to_string(ByteView(password));
        curl_easy_setopt(curl, CURLOPT_USERNAME, options_.user.c_str());
        curl_easy_setopt(curl, CURLOPT_PASSWORD, text.c_str());
        wipe(password);
        wipe(text);
        return {};
    }

    /// Addresses and the server's own words stay out of the message: both can be personal.
    static Status outcome(CURL* curl, CURLcode code) {
        if (code == CURLE_OK) return {};
        long reply = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
        switch (code) {
            case CURLE_LOGIN_DENIED:
                return fail(ErrorCode::kUnauthenticated,
                            "The mail server refuses the user or the password.");
            case CURLE_USE_SSL_FAILED:
                return fail(ErrorCode::kPermissionDenied,
                            "The mail server offers no TLS, which is required.");
            case CURLE_PEER_FAILED_VERIFICATION:
            case CURLE_SSL_CONNECT_ERROR:
                return fail(ErrorCode::kPermissionDenied,
                            "The mail server's certificate is not to be trusted.");
            default:
                break;
        }
        if (reply >= 500)
            return fail(ErrorCode::kInvalidArgument,
                        "The mail server refuses the mail (" + std::to_string(reply) + ").");
        return fail(ErrorCode::kUnavailable,
                    std::string("The mail server does not take the mail: ") +
                        curl_easy_strerror(code) + ".");
    }

    const SmtpOptions options_;
    const std::string sender_;
    const std::string hello_;
    Clock& clock_;
    Random& random_;
};

}  // namespace

Result<std::unique_ptr<MailTransport>> smtp_transport(SmtpOptions options, Clock& clock,
                                                      Random& random) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    CLOISON_TRY(const ServerUrl url, parse_url(options.url));
    if (url.scheme != "smtp" && url.scheme != "smtps")
        return fail(ErrorCode::kInvalidArgument,
                    "The mail server's address begins with smtp:// or smtps://.");
    if (!options.require_tls && !is_loopback(url.host))
        return fail(ErrorCode::kInvalidArgument,
                    "Mail goes without TLS to this machine only; require_tls must be on.");
    if (!options.user.empty() && options.password_file.empty())
        return fail(ErrorCode::kInvalidArgument, "The mail user has no password file.");
    while (options.url.ends_with('/')) options.url.pop_back();
    CLOISON_TRY(std::string sender, sender_address(options.from));
    return std::make_unique<SmtpTransport>(std::move(options), std::move(sender), clock, random);
}

}  // namespace cloison::net
