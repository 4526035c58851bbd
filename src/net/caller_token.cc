#include "net/caller_token.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "crypto/hash.h"
#include "crypto/paseto.h"

namespace cloison::net {
namespace {

constexpr std::string_view kHeader = "v4.public.";
/// Signed but not sent: a grant or another token of the same key is never taken for a caller token.
constexpr std::string_view kImplicit = "cloison-caller-v1";
constexpr std::string_view kTrustSuffix = ".pub";
constexpr std::size_t kMaxTrustFile = 512;
constexpr std::uint8_t kEd25519Algorithm = 1;
constexpr std::size_t kMaxAudiences = 64;

Result<std::string> string_claim(const nlohmann::json& claims, const char* name) {
    const auto found = claims.find(name);
    if (found == claims.end() || !found->is_string())
        return fail(ErrorCode::kUnauthenticated,
                    "The caller token has no claim " + std::string(name) + ".");
    return found->get<std::string>();
}

Result<Time> time_claim(const nlohmann::json& claims, const char* name) {
    CLOISON_TRY(const std::string text, string_claim(claims, name));
    auto time = parse_rfc3339(text);
    if (!time)
        return fail(ErrorCode::kUnauthenticated,
                    "The caller token's claim " + std::string(name) + " is no time.");
    return *time;
}

Result<std::string> footer_of(std::string_view token) {
    if (token.empty()) return fail(ErrorCode::kUnauthenticated, "The caller token is missing.");
    if (token.size() > kMaxCallerToken)
        return fail(ErrorCode::kUnauthenticated, "The caller token is too long.");
    if (token.substr(0, kHeader.size()) != kHeader)
        return fail(ErrorCode::kUnauthenticated, "The caller token is no v4.public token.");
    const auto dot = token.find('.', kHeader.size());
    if (dot == std::string_view::npos)
        return fail(ErrorCode::kUnauthenticated, "The caller token names no service.");
    auto footer = base64url_decode(token.substr(dot + 1));
    if (!footer || !is_service_name(as_text(*footer)))
        return fail(ErrorCode::kUnauthenticated, "The caller token names no service.");
    return to_string(ByteView(*footer));
}

/// The first four bytes of SHA-256(name ‖ "\n" ‖ algorithm ‖ key), C2SP signed-note.
std::string key_id(std::string_view name, ByteView algorithm_and_key) {
    const auto hash = crypto::sha256({as_bytes(name), as_bytes("\n"), algorithm_and_key});
    return hex_encode(ByteView(hash).first(4));
}

Bytes algorithm_and_key(const crypto::VerifyKey& key) {
    Bytes bytes{kEd25519Algorithm};
    bytes.insert(bytes.end(), key.bytes.begin(), key.bytes.end());
    return bytes;
}

Result<crypto::VerifyKey> parse_trust_line(std::string_view line, std::string_view service) {
    while (line.ends_with('\n')) line.remove_suffix(1);
    const auto first = line.find('+');
    const auto second = first == std::string_view::npos ? first : line.find('+', first + 1);
    if (second == std::string_view::npos)
        return fail(ErrorCode::kCorrupt, "it is no verifier key line");
    if (line.substr(0, first) != service)
        return fail(ErrorCode::kCorrupt, "it names another service than the file");
    auto bytes = base64_decode(line.substr(second + 1));
    if (!bytes || bytes->size() != 33 || bytes->front() != kEd25519Algorithm)
        return fail(ErrorCode::kCorrupt, "its key is no Ed25519 key");
    if (key_id(service, *bytes) != line.substr(first + 1, second - first - 1))
        return fail(ErrorCode::kCorrupt, "its key id does not fit the key");
    return crypto::VerifyKey::from_bytes(ByteView(*bytes).subspan(1));
}

}  // namespace

bool is_service_name(std::string_view name) {
    const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return !name.empty() && name.size() <= 32 && lower(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return lower(c) || digit(c) || c == '-'; });
}

Result<VerifiedCaller> verify_caller_token(const TrustStore& trust, std::string_view token,
                                           std::string_view audience, Time now) {
    CLOISON_TRY(const std::string service, footer_of(token));
    const auto key = trust.key(service);
    if (!key)
        return fail(ErrorCode::kUnauthenticated,
                    "The caller token is of the unknown service " + service + ".");
    auto payload = crypto::paseto_verify(*key, token, service, kImplicit);
    if (!payload)
        return fail(ErrorCode::kUnauthenticated,
                    "The caller token's signature is not the one of " + service + ".");
    const auto claims = nlohmann::json::parse(*payload, nullptr, false);
    if (!claims.is_object())
        return fail(ErrorCode::kUnauthenticated, "The caller token has no claims.");
    CLOISON_TRY(const std::string issuer, string_claim(claims, "iss"));
    CLOISON_TRY(const std::string named, string_claim(claims, "aud"));
    CLOISON_TRY(const Time issued, time_claim(claims, "iat"));
    CLOISON_TRY(const Time expires, time_claim(claims, "exp"));
    if (issuer != service)
        return fail(ErrorCode::kUnauthenticated, "The caller token has two issuers.");
    if (named != audience)
        return fail(ErrorCode::kUnauthenticated,
                    "The caller token is for another service than " + std::string(audience) + ".");
    if (issued > now + kMaxClockSkew)
        return fail(ErrorCode::kUnauthenticated, "The caller token is from the future.");
    if (expires <= now) return fail(ErrorCode::kUnauthenticated, "The caller token has expired.");
    if (expires - issued > kMaxCallerTokenLifetime)
        return fail(ErrorCode::kUnauthenticated, "The caller token lives too long.");
    return VerifiedCaller{Caller{service}, expires};
}

struct CallerIdentity::State {
    struct Issued {
        std::string token;
        Time issued;
    };

    State(crypto::SigningKey signing_key, Clock& time) : key(std::move(signing_key)), clock(time) {}

    const crypto::SigningKey key;
    Clock& clock;
    std::mutex mutex;
    std::map<std::string, Issued, std::less<>> tokens;  ///< By audience.
};

CallerIdentity::CallerIdentity(std::string service, crypto::SigningKey key, Clock& clock)
    : service_(std::move(service)), state_(std::make_shared<State>(std::move(key), clock)) {
    if (!is_service_name(service_)) {
        log_error("A service cannot be named \"" + service_ + "\".");
        std::abort();
    }
}

std::string CallerIdentity::token(std::string_view audience) const {
    const std::lock_guard lock(state_->mutex);
    const Time now = state_->clock.now();
    const auto found = state_->tokens.find(audience);
    if (found != state_->tokens.end()) {
        const Duration age = now - found->second.issued;
        if (age >= Duration::zero() && age <= kCallerTokenLifetime - kCallerTokenRenewal)
            return found->second.token;
    }
    const nlohmann::json claims = {{"iss", service_},
                                   {"aud", audience},
                                   {"iat", format_rfc3339(now, true)},
                                   {"exp", format_rfc3339(now + kCallerTokenLifetime, true)}};
    std::string token = crypto::paseto_sign(state_->key, claims.dump(), service_, kImplicit);
    if (state_->tokens.size() >= kMaxAudiences) state_->tokens.clear();
    state_->tokens.insert_or_assign(std::string(audience), State::Issued{token, now});
    return token;
}

Result<TrustStore> TrustStore::load(FileSystem& files, const Path& directory) {
    TrustStore store;
    CLOISON_TRY(const auto names, files.list(directory));
    for (const std::string& name : names) {
        if (!name.ends_with(kTrustSuffix)) continue;
        const std::string service = name.substr(0, name.size() - kTrustSuffix.size());
        const std::string path = (directory / name).string();
        if (!is_service_name(service))
            return fail(ErrorCode::kCorrupt, path + " is not named after a service.");
        CLOISON_TRY(const Bytes content, files.read_file(directory / name, kMaxTrustFile));
        auto key = parse_trust_line(as_text(content), service);
        if (!key)
            return fail(ErrorCode::kCorrupt,
                        path + " is not to be trusted: " + key.error().message + ".");
        store.add(service, *key);
    }
    return store;
}

void TrustStore::add(std::string service, crypto::VerifyKey key) {
    for (auto& [name, known] : keys_) {
        if (name == service) {
            known = key;
            return;
        }
    }
    keys_.emplace_back(std::move(service), key);
}

Result<crypto::VerifyKey> TrustStore::key(std::string_view service) const {
    for (const auto& [name, key] : keys_) {
        if (name == service) return key;
    }
    return fail(ErrorCode::kNotFound,
                "No key is trusted for the service " + std::string(service) + ".");
}

Result<Caller> TrustStore::verify(std::string_view token, std::string_view audience,
                                  Time now) const {
    CLOISON_TRY(auto verified, verify_caller_token(*this, token, audience, now));
    return std::move(verified.caller);
}

Status write_trust_file(FileSystem& files, const Path& directory, std::string_view service,
                        const crypto::VerifyKey& key) {
    if (!is_service_name(service))
        return fail(ErrorCode::kInvalidArgument, "A service has a short lower-case name.");
    const Bytes bytes = algorithm_and_key(key);
    const std::string line =
        std::string(service) + "+" + key_id(service, bytes) + "+" + base64_encode(bytes) + "\n";
    return files.write_file_atomically(
        directory / (std::string(service) + std::string(kTrustSuffix)), as_bytes(line), 0644);
}

}  // namespace cloison::net
