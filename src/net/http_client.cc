#include "net/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <mutex>

namespace cloison::net {
namespace {

constexpr long kConnectTimeoutMs = 5'000;

struct FreeCurl {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
    void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' ||
                             text.back() == '\n'))
        text.remove_suffix(1);
    return text;
}

bool equal_without_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

/// Max-Age of a Set-Cookie header that is zero or less asks for the cookie to be deleted.
bool deletes_cookie(std::string_view attributes) {
    while (!attributes.empty()) {
        const auto end = attributes.find(';');
        const std::string_view attribute = trim(attributes.substr(0, end));
        attributes =
            end == std::string_view::npos ? std::string_view() : attributes.substr(end + 1);
        const auto equals = attribute.find('=');
        if (equals == std::string_view::npos ||
            !equal_without_case(trim(attribute.substr(0, equals)), "Max-Age"))
            continue;
        const std::string_view seconds = trim(attribute.substr(equals + 1));
        long long age = 1;
        std::from_chars(seconds.data(), seconds.data() + seconds.size(), age);
        return age <= 0;
    }
    return false;
}

/// Where libcurl's callbacks put what arrives.
struct Arrival {
    std::size_t max_bytes;
    HttpResponse response = {};
    bool too_large = false;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* arrival_pointer) {
    auto& arrival = *static_cast<Arrival*>(arrival_pointer);
    arrival.too_large = arrival.response.body.size() + size > arrival.max_bytes;
    if (arrival.too_large) return 0;
    arrival.response.body.append(data, size);
    return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* arrival_pointer) {
    auto& arrival = *static_cast<Arrival*>(arrival_pointer);
    const std::string_view line = trim({data, size});
    // An interim response (100 Continue) comes before the one that counts.
    if (line.starts_with("HTTP/")) arrival.response.headers = HttpHeaders();
    const auto colon = line.find(':');
    if (colon != std::string_view::npos)
        arrival.response.headers.add(std::string(line.substr(0, colon)),
                                     std::string(trim(line.substr(colon + 1))));
    return size;
}

class CurlClient final : public HttpClient {
  public:
    CurlClient(std::string base, const HttpClientLimits& limits, CURL* curl)
        : base_(std::move(base)), limits_(limits), curl_(curl) {}

    Result<HttpResponse> get(std::string_view target) override {
        return request("GET", target, std::nullopt, "", nullptr);
    }

    Result<HttpResponse> post_form(std::string_view target, const Form& form) override {
        std::string body;
        for (const auto& [name, value] : form.fields())
            body += (body.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
        return request("POST", target, std::move(body), "application/x-www-form-urlencoded",
                       nullptr);
    }

    Result<HttpResponse> post_parts(std::string_view target,
                                    const std::vector<Part>& parts) override {
        const std::unique_ptr<curl_mime, FreeCurl> mime(curl_mime_init(curl_.get()));
        for (const Part& part : parts) {
            curl_mimepart* each = curl_mime_addpart(mime.get());
            curl_mime_name(each, part.name.c_str());
            curl_mime_data(each, part.content.data(), part.content.size());
            if (!part.file_name.empty()) curl_mime_filename(each, part.file_name.c_str());
            if (!part.content_type.empty()) curl_mime_type(each, part.content_type.c_str());
        }
        return request("POST", target, std::nullopt, "", mime.get());
    }

    Result<HttpResponse> send(std::string_view method, std::string_view target, std::string body,
                              std::string_view content_type) override {
        if (body.empty() && content_type.empty() && method != "POST" && method != "PUT")
            return request(method, target, std::nullopt, "", nullptr);
        return request(method, target, std::move(body), content_type, nullptr);
    }

    std::map<std::string, std::string>& cookies() override { return cookies_; }

    void set_header(std::string name, std::string value) override {
        headers_.set(std::move(name), std::move(value));
    }

  private:
    Result<HttpResponse> request(std::string_view method, std::string_view target,
                                 std::optional<std::string> body, std::string_view content_type,
                                 curl_mime* mime) {
        CURL* curl = curl_.get();
        // Keeps the connection, forgets the options of the request before.
        curl_easy_reset(curl);
        const std::string url = base_ + std::string(target);
        const std::string verb(method);
        Arrival arrival{limits_.max_response_bytes};
        const auto headers = request_headers(content_type, body.has_value());
        curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
        curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        if (!limits_.ca_file.empty())
            curl_easy_setopt(curl, CURLOPT_CAINFO, limits_.ca_file.c_str());
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                         std::min(kConnectTimeoutMs, static_cast<long>(limits_.timeout.count())));
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limits_.timeout.count()));
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &arrival);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, &arrival);
        if (mime != nullptr) {
            curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime);
        } else if (body) {
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                             static_cast<curl_off_t>(body->size()));
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data());
        }
        if (verb == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, verb.c_str());

        const CURLcode code = curl_easy_perform(curl);
        if (code != CURLE_OK) return failure(code, arrival);
        long status = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        arrival.response.status = static_cast<int>(status);
        remember_cookies(arrival.response.headers);
        return std::move(arrival.response);
    }

    std::unique_ptr<curl_slist, FreeCurl> request_headers(std::string_view content_type,
                                                          bool has_body) const {
        curl_slist* list = nullptr;
        const auto add = [&list](const std::string& line) {
            list = curl_slist_append(list, line.c_str());
        };
        for (const auto& [name, value] : headers_.all()) add(name + ": " + value);
        if (!content_type.empty()) add("Content-Type: " + std::string(content_type));
        if (has_body && content_type.empty()) add("Content-Type:");
        std::string line;
        for (const auto& [name, value] : cookies_)
            line += (line.empty() ? "Cookie: " : "; ") + name + "=" + value;
        if (!line.empty()) add(line);
        return std::unique_ptr<curl_slist, FreeCurl>(list);
    }

    /// libcurl's own cookie engine drops Secure cookies that arrive over plain HTTP, which the
    /// doors send on loopback; browsers take loopback for secure.
    void remember_cookies(const HttpHeaders& headers) {
        for (const auto& [name, line] : headers.all()) {
            if (!equal_without_case(name, "Set-Cookie")) continue;
            const std::string_view whole = line;
            const auto end = whole.find(';');
            const std::string_view pair = whole.substr(0, end);
            const auto equals = pair.find('=');
            if (equals == std::string_view::npos || equals == 0) continue;
            const std::string key(trim(pair.substr(0, equals)));
            if (end != std::string_view::npos && deletes_cookie(whole.substr(end + 1))) {
                cookies_.erase(key);
            } else {
                cookies_.insert_or_assign(key, std::string(trim(pair.substr(equals + 1))));
            }
        }
    }

    Result<HttpResponse> failure(CURLcode code, const Arrival& arrival) const {
        if (arrival.too_large)
            return fail(ErrorCode::kTooLarge, "The response of " + base_ + " is too large.");
        switch (code) {
            case CURLE_COULDNT_CONNECT:
            case CURLE_COULDNT_RESOLVE_HOST:
                return fail(ErrorCode::kUnavailable, base_ + " cannot be reached.");
            case CURLE_OPERATION_TIMEDOUT:
                return fail(ErrorCode::kDeadline, base_ + " did not answer in time.");
            case CURLE_URL_MALFORMAT:
            case CURLE_UNSUPPORTED_PROTOCOL:
                return fail(ErrorCode::kInvalidArgument, base_ + " is no address of a web site.");
            case CURLE_PEER_FAILED_VERIFICATION:
                return fail(ErrorCode::kUnauthenticated,
                            "The certificate of " + base_ + " is not trusted.");
            case CURLE_SSL_CACERT_BADFILE:
                return fail(ErrorCode::kInvalidArgument,
                            limits_.ca_file + " holds no certificates that can be read.");
            default:
                return fail(ErrorCode::kIo, "The exchange with " + base_ +
                                                " failed: " + curl_easy_strerror(code) + ".");
        }
    }

    const std::string base_;
    const HttpClientLimits limits_;
    const std::unique_ptr<CURL, FreeCurl> curl_;
    std::map<std::string, std::string> cookies_;
    HttpHeaders headers_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::create(std::string base, HttpClientLimits limits) {
    if (!base.starts_with("http://") && !base.starts_with("https://"))
        return fail(ErrorCode::kInvalidArgument, "The address of a web site begins with http.");
    while (base.ends_with('/')) base.pop_back();
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    CURL* curl = curl_easy_init();
    if (curl == nullptr) return fail(ErrorCode::kInternal, "libcurl cannot start.");
    return std::make_unique<CurlClient>(std::move(base), limits, curl);
}

}  // namespace cloison::net
