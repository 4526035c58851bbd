#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/time.h"
#include "demo/accounts.h"
#include "net/http_client.h"

namespace cloison::drill {

/// A browser at one door: keeps cookies and the last page's form token. One thread at a time.
class Browser {
  public:
    static Result<Browser> open(const std::string& base);

    Result<net::HttpResponse> get(const std::string& target);
    Result<net::HttpResponse> get_json(const std::string& target);
    /// The form, with the token of the last page that had one.
    Result<net::HttpResponse> post(const std::string& target, net::Form form);
    Result<net::HttpResponse> post_json(const std::string& target, net::Form form);
    /// As it is, also with methods that no form has.
    Result<net::HttpResponse> send(const std::string& method, const std::string& target,
                                   const std::string& body, const std::string& content_type);
    Result<net::HttpResponse> upload(const std::string& target, const std::string& content);
    const std::string& token() const { return token_; }

  private:
    explicit Browser(std::unique_ptr<net::HttpClient> client) : client_(std::move(client)) {}
    Result<net::HttpResponse> keep_token(Result<net::HttpResponse> response);

    std::unique_ptr<net::HttpClient> client_;
    std::string token_;
};

/// Signs in as a person would: form, password, one-time code. A code is good once, so this one or
/// the next is tried; if both are used up, the next half minute is waited for, which `on_note`
/// says. Leaves the browser on a page with a form token.
Status sign_in(Browser& browser, const demo::Account& account, Clock& clock,
               const std::function<void(const std::string&)>& on_note);

/// kUnavailable naming door and status if the page is not there; else its body.
Result<std::string> page(Browser& browser, const std::string& target);

/// One of a list that begins elsewhere every second: drills that follow each other use
/// different accounts, whose codes are not used up.
std::size_t rotate(std::size_t count, Time now);

}  // namespace cloison::drill
