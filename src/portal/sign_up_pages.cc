#include "portal/values.h"
#include "web/language.h"

namespace cloison::portal {
namespace {

using web::Context, web::FormErrors, web::Json;

/// The address lives in this sealed cookie alone until the account exists.
constexpr std::string_view kCookie = "__Host-sign-up";
constexpr Duration kLifetime{24 * 3'600'000};
constexpr std::size_t kMinPassword = 15;   // NIST SP 800-63B-4 §3.1.1.2
constexpr std::size_t kMaxPassword = 256;  // Characters.

struct Pending {
    std::string attempt;  ///< 16 bytes.
    std::string email;
    bool confirmed = false;
};

void keep(Context& context, const Pending& pending) {
    const Json json{{"a", hex_encode(as_bytes(pending.attempt))},
                    {"e", pending.email},
                    {"c", pending.confirmed}};
    context.set_sealed_cookie(kCookie, json.dump(), kLifetime);
}

std::optional<Pending> pending_of(const Context& context) {
    const auto kept = context.sealed_cookie(kCookie);
    if (!kept) return std::nullopt;
    const auto json = Json::parse(kept->text(), nullptr, false);
    if (!json.is_object()) return std::nullopt;
    const auto attempt = hex_decode(json.value("a", ""));
    if (!attempt) return std::nullopt;
    return Pending{to_string(*attempt), json.value("e", ""), json.value("c", false)};
}

net::HttpResponse email_page(Context& context, const FormErrors& errors) {
    return context.page(
        "portal/sign-up",
        {{"title", context.text("portal.sign_up.title")},
         {"errors", errors.summary()},
         {"email", web::text_input({.name = "email",
                                    .label = context.text("web.sign_in.email"),
                                    .hint = context.text("portal.sign_up.email_hint"),
                                    .value = std::string(context.form.get("email")),
                                    .autocomplete = "email",
                                    .type = "email",
                                    .max_length = 254,
                                    .spellcheck = false},
                                   errors)}});
}

Result<net::HttpResponse> ask_email(const Shared&, Context& context) {
    if (context.session) return context.redirect("/");
    return email_page(context, {});
}

net::Mail sign_up_mail(const Context& context, const std::string& email, const std::string& code) {
    if (code.empty())
        return {email, context.text("portal.sign_up.mail_exists_subject"),
                context.text("portal.sign_up.mail_exists_text")};
    return {email, context.text("portal.sign_up.mail_code_subject"),
            context.text("portal.sign_up.mail_code_text", {{"code", code}})};
}

Result<net::HttpResponse> begin(const Shared& shared, Context& context) {
    FormErrors errors;
    casework::InputField field;
    field.name = "email";
    field.kind = casework::InputKind::kEmail;
    field.max_length = 254;
    const std::string typed(context.form.get("email"));
    const auto email = casework::read_input(field, {{"email", typed}}, context.now);
    if (typed.empty())
        errors.add("email", context.text("web.sign_in.email_missing"));
    else if (!email)
        errors.add("email", context.text("web.sign_in.email_malformed"));
    if (!errors.empty()) return email_page(context, errors);

    keeper::v1::BlindIndexRequest look_up;
    look_up.set_field("email");
    look_up.set_value(*email);
    const auto index = shared.services.keeper.blind_index(look_up);
    if (!index && index.error().code == ErrorCode::kInvalidArgument) {
        errors.add("email", context.text("web.sign_in.email_malformed"));
        return email_page(context, errors);
    }
    if (!index) return fail(index.error());
    identity::v1::BeginSignUpRequest request;
    request.set_email_index(index->index());
    request.set_language(std::string(web::language_code(context.language)));
    CLOISON_TRY(const auto begun, shared.services.identity.begin_sign_up(request));
    CLOISON_TRY_STATUS(shared.services.mail->send(
        sign_up_mail(context, *email, begun.account_exists() ? std::string() : begun.code())));
    keep(context, {begun.sign_up(), *email, false});
    return context.redirect("/sign-up/code");
}

net::HttpResponse code_page(Context& context, const Pending& pending, const FormErrors& errors) {
    return context.page(
        "portal/sign-up-code",
        {{"title", context.text("portal.sign_up.code_title")},
         {"back", "/sign-up"},
         {"errors", errors.summary()},
         {"email", pending.email},
         {"code", web::text_input({.name = "code",
                                   .label = context.text("portal.sign_up.code"),
                                   .hint = context.text("web.sign_in.code_hint"),
                                   .value = std::string(context.form.get("code").substr(0, 20)),
                                   .autocomplete = "one-time-code",
                                   .input_mode = "numeric",
                                   .width = "10",
                                   .max_length = 12,
                                   .spellcheck = false},
                                  errors)}});
}

Result<net::HttpResponse> ask_code(const Shared&, Context& context) {
    const auto pending = pending_of(context);
    if (!pending) return context.redirect("/sign-up");
    return code_page(context, *pending, {});
}

Result<net::HttpResponse> confirm(const Shared& shared, Context& context) {
    auto pending = pending_of(context);
    if (!pending) return context.redirect("/sign-up");
    std::string code;
    for (const char c : context.form.get("code")) {
        if (c != ' ') code += c;
    }
    FormErrors errors;
    if (code.size() != 6 || code.find_first_not_of("0123456789") != std::string::npos) {
        errors.add("code", context.text("web.sign_in.code_malformed"));
        return code_page(context, *pending, errors);
    }
    identity::v1::ConfirmSignUpRequest request;
    request.set_sign_up(pending->attempt);
    request.set_code(code);
    const auto answer = shared.services.identity.confirm_sign_up(request);
    if (!answer) {
        switch (answer.error().code) {
            case ErrorCode::kUnauthenticated:
            case ErrorCode::kNotFound:
                errors.add("code", context.text("portal.sign_up.code_wrong"));
                return code_page(context, *pending, errors);
            case ErrorCode::kExhausted:
                context.set_sealed_cookie(kCookie, "", kLifetime);
                return context.redirect_with_notice("/sign-up", "portal.sign_up.too_many");
            default:
                return fail(answer.error());
        }
    }
    pending->confirmed = true;
    keep(context, *pending);
    return context.redirect("/sign-up/password");
}

net::HttpResponse password_page(Context& context, const Pending& pending,
                                const FormErrors& errors) {
    return context.page(
        "portal/sign-up-password",
        {{"title", context.text("portal.sign_up.password_title")},
         {"errors", errors.summary()},
         {"email", pending.email},
         {"password", web::password_input({.name = "password",
                                           .label = context.text("web.sign_in.password"),
                                           .hint = context.text("portal.sign_up.password_hint"),
                                           .autocomplete = "new-password"},
                                          errors)}});
}

Result<net::HttpResponse> ask_password(const Shared&, Context& context) {
    const auto pending = pending_of(context);
    if (!pending || !pending->confirmed) return context.redirect("/sign-up");
    return password_page(context, *pending, {});
}

std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
}

/// Makes the person in the keeper, seals the address for it and hands both to identity.
Result<std::string> make_account(const Shared& shared, const Context& context,
                                 const Pending& pending, std::string_view password) {
    keeper::v1::BlindIndexRequest look_up;
    look_up.set_field("email");
    look_up.set_value(pending.email);
    CLOISON_TRY(const auto index, shared.services.keeper.blind_index(look_up));
    keeper::v1::EnrollRequest enroll;
    enroll.set_count(1);
    CLOISON_TRY(const auto enrolled, shared.services.keeper.enroll(enroll));
    if (enrolled.enrolments_size() != 1)
        return fail(ErrorCode::kInternal, "The keeper did not enrol one person.");
    const std::string record = AccountId::random(shared.random).bytes();
    keeper::v1::Subject subject;
    subject.set_enrolment(enrolled.enrolments(0));
    CLOISON_TRY(const auto sealed,
                seal_values(shared, subject, {{"email", record, pending.email}}));
    identity::v1::CompleteSignUpRequest request;
    request.set_sign_up(pending.attempt);
    request.set_enrolment(enrolled.enrolments(0));
    request.set_email_index(index.index());
    request.set_record(record);
    request.set_sealed_email(sealed[0]);
    request.set_password(std::string(password));
    request.set_language(std::string(web::language_code(context.language)));
    *request.mutable_client() = context.client();
    CLOISON_TRY(auto answer, shared.services.identity.complete_sign_up(request));
    return std::move(*answer.mutable_token());
}

Result<net::HttpResponse> complete(const Shared& shared, Context& context) {
    const auto pending = pending_of(context);
    if (!pending || !pending->confirmed) return context.redirect("/sign-up");
    const std::string_view password = context.form.get("password");
    FormErrors errors;
    if (characters(password) < kMinPassword)
        errors.add("password", context.text("portal.sign_up.password_short"));
    if (characters(password) > kMaxPassword)
        errors.add("password", context.text("web.sign_in.password_too_long"));
    if (!errors.empty()) return password_page(context, *pending, errors);
    auto token = make_account(shared, context, *pending, password);
    if (!token && token.error().code == ErrorCode::kInvalidArgument) {
        errors.add("password", context.text("portal.sign_up.password_refused"));
        return password_page(context, *pending, errors);
    }
    if (!token && token.error().code == ErrorCode::kNotFound) {
        context.set_sealed_cookie(kCookie, "", kLifetime);
        return context.redirect_with_notice("/sign-up", "portal.sign_up.expired");
    }
    if (!token) return fail(std::move(token).error());
    context.set_sealed_cookie(kCookie, "", kLifetime);
    context.start_session(*token);
    return context.redirect_with_notice("/one-time-code", "portal.sign_up.done");
}

}  // namespace

void add_sign_up_pages(Routes& routes) {
    routes.get("/sign-up", web::Access::kPublic, ask_email);
    routes.post("/sign-up", web::Access::kPublic, begin);
    routes.get("/sign-up/code", web::Access::kPublic, ask_code);
    routes.post("/sign-up/code", web::Access::kPublic, confirm);
    routes.get("/sign-up/password", web::Access::kPublic, ask_password);
    routes.post("/sign-up/password", web::Access::kPublic, complete);
}

}  // namespace cloison::portal
