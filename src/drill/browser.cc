#include "drill/browser.h"

#include <map>
#include <thread>

#include "drill/html.h"

namespace cloison::drill {
namespace {

constexpr int kRounds = 3;  ///< Of codes, each half a minute.

/// The last step of each account whose code this process has used.
std::int64_t& last_step(const std::string& email) {
    static std::map<std::string, std::int64_t> steps;
    return steps[email];
}

bool is_redirect(const net::HttpResponse& response) {
    return response.status >= 300 && response.status < 400;
}

std::string location(const net::HttpResponse& response) {
    return std::string(response.headers.get("Location").value_or(""));
}

Result<bool> try_code(Browser& browser, const demo::Account& account, std::int64_t step) {
    last_step(account.email) = step;
    net::Form form;
    CLOISON_TRY(auto code, demo::one_time_code(account.totp, step));
    form.add("code", std::move(code));
    CLOISON_TRY(const auto response, browser.post("/sign-in/code", std::move(form)));
    return is_redirect(response);
}

}  // namespace

Result<Browser> Browser::open(const std::string& base) {
    CLOISON_TRY(auto client, net::HttpClient::create(base));
    client->set_header("User-Agent", "cloison-drill");
    return Browser(std::move(client));
}

Result<net::HttpResponse> Browser::keep_token(Result<net::HttpResponse> response) {
    if (!response) return response;
    auto token = input_value(response->body, "csrf");
    if (!token.empty()) token_ = std::move(token);
    return response;
}

Result<net::HttpResponse> Browser::get(const std::string& target) {
    client_->set_header("Accept", "text/html");
    return keep_token(client_->get(target));
}

Result<net::HttpResponse> Browser::get_json(const std::string& target) {
    client_->set_header("Accept", "application/json");
    return client_->get(target);
}

Result<net::HttpResponse> Browser::post(const std::string& target, net::Form form) {
    client_->set_header("Accept", "text/html");
    form.add("csrf", token_);
    return keep_token(client_->post_form(target, form));
}

Result<net::HttpResponse> Browser::post_json(const std::string& target, net::Form form) {
    client_->set_header("Accept", "application/json");
    form.add("csrf", token_);
    return client_->post_form(target, form);
}

Result<net::HttpResponse> Browser::send(const std::string& method, const std::string& target,
                                        const std::string& body, const std::string& content_type) {
    client_->set_header("Accept", "text/html");
    return keep_token(client_->send(method, target, body, content_type));
}

Result<net::HttpResponse> Browser::upload(const std::string& target, const std::string& content) {
    client_->set_header("Accept", "text/html");
    return keep_token(client_->post_parts(
        target, {{"csrf", "", "", token_}, {"file", "piece.pdf", "application/pdf", content}}));
}

Status sign_in(Browser& browser, const demo::Account& account, Clock& clock,
               const std::function<void(const std::string&)>& on_note) {
    CLOISON_TRY_STATUS(page(browser, "/sign-in"));
    net::Form form;
    form.add("email", account.email);
    form.add("password", account.password);
    CLOISON_TRY(const auto answer, browser.post("/sign-in", std::move(form)));
    if (!is_redirect(answer))
        return fail(ErrorCode::kUnauthenticated, "The sign-in of a demo " + account.role +
                                                     " was answered with status " +
                                                     std::to_string(answer.status) + ".");
    if (location(answer).find("/sign-in/code") != std::string::npos) {
        CLOISON_TRY_STATUS(page(browser, "/sign-in/code"));
        bool in = false;
        for (int round = 0; round < kRounds && !in; ++round) {
            const std::int64_t now = demo::code_step(clock.now());
            for (const std::int64_t step : {now, now + 1}) {
                if (in || step <= last_step(account.email)) continue;
                CLOISON_TRY(in, try_code(browser, account, step));
            }
            if (in) break;
            if (on_note) on_note("Every code of the moment is used up; waits for the next one.");
            while (demo::code_step(clock.now()) == now)
                std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
        if (!in)
            return fail(ErrorCode::kUnauthenticated,
                        "No one-time code of a demo " + account.role + " is accepted.");
    }
    // The token of the pages before the sign-in is no good behind it.
    CLOISON_TRY_STATUS(page(browser, "/help"));
    return {};
}

Result<std::string> page(Browser& browser, const std::string& target) {
    CLOISON_TRY(auto response, browser.get(target));
    if (response.status == 200) return std::move(response.body);
    const ErrorCode code = response.status == 429 ? ErrorCode::kExhausted : ErrorCode::kUnavailable;
    // Without what follows a question mark: it may hold ids.
    return fail(code, "The page " + target.substr(0, target.find('?')) +
                          " was answered with status " + std::to_string(response.status) + ".");
}

std::size_t rotate(std::size_t count, Time now) {
    return count == 0 ? 0 : static_cast<std::size_t>(to_unix_seconds(now)) % count;
}

}  // namespace cloison::drill
