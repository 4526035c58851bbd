#include "web/sign_in_pages.h"

#include <memory>

#include "web/qr.h"

namespace cloison::web {
namespace {

constexpr std::string_view kPendingCookie = "__Host-code";
constexpr std::string_view kSetUpCookie = "__Host-code-set-up";
constexpr Duration kPendingLifetime{5 * 60'000};
constexpr Duration kSetUpLifetime{10 * 60'000};
constexpr std::size_t kMaxEmail = 254;     // RFC 5321 §4.5.3.1
constexpr std::size_t kMaxPassword = 256;  // Characters, of at most four bytes.

struct Pages {
    identity::IdentityClient identity;
    keeper::KeeperClient keeper;
    SignInOptions options;

    Result<net::HttpResponse> ask(Context& context) const;
    Result<net::HttpResponse> sign_in(Context& context) const;
    Result<net::HttpResponse> ask_code(Context& context) const;
    Result<net::HttpResponse> check_code(Context& context) const;
    Result<net::HttpResponse> sign_out(Context& context) const;
    Result<net::HttpResponse> set_up(Context& context) const;
    Result<net::HttpResponse> confirm(Context& context) const;
    Result<net::HttpResponse> ask_remove(Context& context) const;
    Result<net::HttpResponse> remove(Context& context) const;

    net::HttpResponse sign_in_page(Context& context, const FormErrors& errors,
                                   int status = 0) const;
    net::HttpResponse code_page(Context& context, const FormErrors& errors) const;
    Result<net::HttpResponse> set_up_page(Context& context, std::string_view secret,
                                          std::string_view uri, const FormErrors& errors) const;
    net::HttpResponse remove_page(Context& context, const FormErrors& errors) const;
};

/// Six digits, however they were grouped; empty if it is no code.
std::string read_code(std::string_view typed) {
    std::string digits;
    for (const char c : typed) {
        if (c >= '0' && c <= '9')
            digits += c;
        else if (c != ' ' && c != '-')
            return {};
    }
    return digits.size() == 6 ? digits : std::string();
}

/// Secrets are typed by hand where no camera is: groups of four.
std::string in_groups(std::string_view secret) {
    std::string out;
    for (std::size_t i = 0; i < secret.size(); ++i) {
        if (i > 0 && i % 4 == 0) out += ' ';
        out += secret[i];
    }
    return out;
}

Json code_question(Context& context, const FormErrors& errors) {
    return text_input({.name = "code",
                       .label = context.text("web.sign_in.code"),
                       .hint = context.text("web.sign_in.code_hint"),
                       .autocomplete = "one-time-code",
                       .input_mode = "numeric",
                       .width = "10",
                       .max_length = 12,
                       .spellcheck = false},
                      errors);
}

Json password_question(Context& context, const FormErrors& errors) {
    return password_input({.name = "password",
                           .label = context.text("web.sign_in.password"),
                           .autocomplete = "current-password",
                           .max_length = kMaxPassword},
                          errors);
}

net::HttpResponse Pages::sign_in_page(Context& context, const FormErrors& errors,
                                      int status) const {
    const auto next =
        context.form.has("next") ? context.form.get("next") : context.query.get("next");
    return context.page("pages/sign-in",
                        {{"title", context.text("web.sign_in.title")},
                         {"errors", errors.summary()},
                         {"email", text_input({.name = "email",
                                               .label = context.text("web.sign_in.email"),
                                               .value = std::string(context.form.get("email")),
                                               .autocomplete = "username",
                                               .type = "email",
                                               .max_length = kMaxEmail,
                                               .spellcheck = false},
                                              errors)},
                         {"password", password_question(context, errors)},
                         {"next", std::string(next)},
                         {"sign_up", options.sign_up_path}},
                        status);
}

Result<net::HttpResponse> Pages::ask(Context& context) const {
    if (context.session) return context.redirect(options.home_path);
    return sign_in_page(context, {});
}

Result<net::HttpResponse> Pages::sign_in(Context& context) const {
    const std::string_view email = context.form.get("email");
    const std::string_view password = context.form.get("password");
    FormErrors errors;
    if (email.empty()) errors.add("email", context.text("web.sign_in.email_missing"));
    if (email.size() > kMaxEmail) errors.add("email", context.text("web.sign_in.email_malformed"));
    if (password.empty()) errors.add("password", context.text("web.sign_in.password_missing"));
    if (password.size() > 4 * kMaxPassword)
        errors.add("password", context.text("web.sign_in.password_too_long"));
    if (!errors.empty()) return sign_in_page(context, errors);

    keeper::v1::BlindIndexRequest look_up;
    look_up.set_field("email");
    look_up.set_value(std::string(email));
    const auto index = keeper.blind_index(look_up);
    if (!index && index.error().code == ErrorCode::kInvalidArgument) {
        errors.add("email", context.text("web.sign_in.email_malformed"));
        return sign_in_page(context, errors);
    }
    if (!index) return fail(index.error());

    identity::v1::SignInRequest request;
    request.set_email_index(index->index());
    request.set_password(std::string(password));
    *request.mutable_client() = context.client();
    const auto answer = identity.sign_in(request);
    if (!answer && answer.error().code == ErrorCode::kUnauthenticated) {
        errors.add("email", context.text("web.sign_in.wrong"));
        return sign_in_page(context, errors);
    }
    if (!answer && answer.error().code == ErrorCode::kExhausted) {
        errors.add("email", context.text("web.sign_in.too_many"));
        return sign_in_page(context, errors, 429);
    }
    if (!answer) return fail(answer.error());
    const std::string next(context.form.get("next"));
    if (!answer->totp_pending().empty()) {
        context.set_sealed_cookie(kPendingCookie, answer->totp_pending() + "\n" + next,
                                  kPendingLifetime);
        return context.redirect("/sign-in/code");
    }
    context.start_session(answer->token());
    return context.redirect(next.empty() ? options.home_path : next);
}

net::HttpResponse Pages::code_page(Context& context, const FormErrors& errors) const {
    return context.page("pages/sign-in-code", {{"title", context.text("web.sign_in.code_title")},
                                               {"errors", errors.summary()},
                                               {"code", code_question(context, errors)}});
}

Result<net::HttpResponse> Pages::ask_code(Context& context) const {
    if (!context.sealed_cookie(kPendingCookie)) return context.redirect("/sign-in");
    return code_page(context, {});
}

Result<net::HttpResponse> Pages::check_code(Context& context) const {
    const auto pending = context.sealed_cookie(kPendingCookie);
    if (!pending) return context.redirect_with_notice("/sign-in", "web.sign_in.code_expired");
    const std::string_view kept = pending->text();
    const auto line = kept.find('\n');
    const std::string code = read_code(context.form.get("code"));
    FormErrors errors;
    if (code.empty()) {
        errors.add("code", context.text("web.sign_in.code_malformed"));
        return code_page(context, errors);
    }
    identity::v1::SignInTotpRequest request;
    request.set_totp_pending(std::string(kept.substr(0, line)));
    request.set_code(code);
    *request.mutable_client() = context.client();
    const auto answer = identity.sign_in_totp(request);
    if (!answer && answer.error().code == ErrorCode::kUnauthenticated) {
        errors.add("code", context.text("web.sign_in.code_wrong"));
        return code_page(context, errors);
    }
    if (!answer && answer.error().code == ErrorCode::kExhausted) {
        context.set_sealed_cookie(kPendingCookie, "", kPendingLifetime);
        return context.redirect_with_notice("/sign-in", "web.sign_in.too_many");
    }
    if (!answer) return fail(answer.error());
    context.set_sealed_cookie(kPendingCookie, "", kPendingLifetime);
    context.start_session(answer->token());
    const std::string next(kept.substr(line + 1));
    return context.redirect(next.empty() ? options.home_path : next);
}

Result<net::HttpResponse> Pages::sign_out(Context& context) const {
    identity::v1::SignOutRequest request;
    request.set_token(context.session->token);
    CLOISON_TRY_STATUS(identity.sign_out(request));
    context.end_session();
    return context.redirect_with_notice("/sign-in", "web.sign_in.signed_out");
}

Result<net::HttpResponse> Pages::set_up_page(Context& context, std::string_view secret,
                                             std::string_view uri, const FormErrors& errors) const {
    CLOISON_TRY(auto qr, qr_code(uri, context.text("web.one_time_code.qr_label")));
    return context.page("pages/one-time-code", {{"title", context.text("web.one_time_code.title")},
                                                {"errors", errors.summary()},
                                                {"required", context.session->totp_required},
                                                {"qr", std::move(qr)},
                                                {"secret", in_groups(secret)},
                                                {"code", code_question(context, errors)}});
}

Result<net::HttpResponse> Pages::set_up(Context& context) const {
    if (context.session->has_totp)
        return context.page("pages/one-time-code-active",
                            {{"title", context.text("web.one_time_code.active_title")}});
    identity::v1::BeginTotpRequest request;
    request.set_token(context.session->token);
    CLOISON_TRY(const auto answer, identity.begin_totp(request));
    context.set_sealed_cookie(kSetUpCookie, answer.secret() + "\n" + answer.uri(), kSetUpLifetime);
    return set_up_page(context, answer.secret(), answer.uri(), {});
}

Result<net::HttpResponse> Pages::confirm(Context& context) const {
    const auto kept = context.sealed_cookie(kSetUpCookie);
    if (context.session->has_totp || !kept) return context.redirect("/one-time-code");
    const auto line = kept->text().find('\n');
    const std::string_view secret = kept->text().substr(0, line);
    const std::string_view uri = kept->text().substr(line + 1);
    const std::string code = read_code(context.form.get("code"));
    FormErrors errors;
    if (code.empty()) {
        errors.add("code", context.text("web.sign_in.code_malformed"));
        return set_up_page(context, secret, uri, errors);
    }
    identity::v1::ConfirmTotpRequest request;
    request.set_token(context.session->token);
    request.set_code(code);
    const auto answer = identity.confirm_totp(request);
    if (!answer && answer.error().code == ErrorCode::kUnauthenticated) {
        errors.add("code", context.text("web.sign_in.code_wrong"));
        return set_up_page(context, secret, uri, errors);
    }
    // Begun again elsewhere, or too long ago: a fresh secret is shown.
    if (!answer && answer.error().code == ErrorCode::kConflict)
        return context.redirect("/one-time-code");
    if (!answer) return fail(answer.error());
    context.set_sealed_cookie(kSetUpCookie, "", kSetUpLifetime);
    return context.redirect_with_notice(options.home_path, "web.one_time_code.done");
}

net::HttpResponse Pages::remove_page(Context& context, const FormErrors& errors) const {
    return context.page("pages/one-time-code-remove",
                        {{"title", context.text("web.one_time_code.remove_title")},
                         {"errors", errors.summary()},
                         {"password", password_question(context, errors)}});
}

Result<net::HttpResponse> Pages::ask_remove(Context& context) const {
    if (!context.session->has_totp) return context.redirect("/one-time-code");
    return remove_page(context, {});
}

Result<net::HttpResponse> Pages::remove(Context& context) const {
    const std::string_view password = context.form.get("password");
    FormErrors errors;
    if (password.empty()) errors.add("password", context.text("web.sign_in.password_missing"));
    if (password.size() > 4 * kMaxPassword)
        errors.add("password", context.text("web.sign_in.password_too_long"));
    if (!errors.empty()) return remove_page(context, errors);
    identity::v1::RemoveTotpRequest request;
    request.set_token(context.session->token);
    request.set_password(std::string(password));
    const auto answer = identity.remove_totp(request);
    if (!answer && answer.error().code == ErrorCode::kUnauthenticated) {
        errors.add("password", context.text("web.one_time_code.password_wrong"));
        return remove_page(context, errors);
    }
    if (!answer) return fail(answer.error());
    return context.redirect_with_notice(options.home_path, "web.one_time_code.removed");
}

}  // namespace

void add_sign_in_pages(Site& site, identity::IdentityClient identity, keeper::KeeperClient keeper,
                       SignInOptions options) {
    const auto pages = std::make_shared<const Pages>(
        Pages{std::move(identity), std::move(keeper), std::move(options)});
    const auto on = [&pages](Result<net::HttpResponse> (Pages::*handler)(Context&) const) {
        return [pages, handler](Context& context) { return ((*pages).*handler)(context); };
    };
    site.get("/sign-in", Access::kPublic, on(&Pages::ask));
    site.post("/sign-in", Access::kPublic, on(&Pages::sign_in));
    site.get("/sign-in/code", Access::kPublic, on(&Pages::ask_code));
    site.post("/sign-in/code", Access::kPublic, on(&Pages::check_code));
    site.post("/sign-out", Access::kSignedIn, on(&Pages::sign_out));
    site.get("/one-time-code", Access::kSignedIn, on(&Pages::set_up));
    site.post("/one-time-code", Access::kSignedIn, on(&Pages::confirm));
    site.get("/one-time-code/remove", Access::kSignedIn, on(&Pages::ask_remove));
    site.post("/one-time-code/remove", Access::kSignedIn, on(&Pages::remove));
}

}  // namespace cloison::web
