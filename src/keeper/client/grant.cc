#include "keeper/client/grant.h"

#include <nlohmann/json.hpp>

#include "crypto/hash.h"
#include "crypto/paseto.h"
#include "keeper/client/claims.h"

namespace cloison::keeper {
namespace {

// Signed but not sent: a token of one kind is no token of the other, even under the same key.
constexpr std::string_view kGrantKind = "cloison/grant/v1";
constexpr std::string_view kTicketKind = "cloison/ticket/v1";
constexpr std::string_view kIdentity = "identity";
constexpr std::string_view kCasework = "casework";

constexpr std::uint8_t kHandleVersion = 1;
constexpr std::uint8_t kRenewedHandle = 2;
constexpr std::size_t kHandleContentSize = 2 + 16 + RequestId::kSize;

constexpr std::size_t kMaxTokenSize = 16 * 1024;
constexpr std::size_t kMaxHandleSize = 256;
constexpr std::size_t kMaxNameSize = 64;
constexpr std::size_t kMaxFields = 128;
constexpr std::size_t kMaxApprovers = 8;

tl::unexpected<Error> refuse(const char* why) {
    return fail(ErrorCode::kUnauthenticated, why);
}

std::string time_text(Time time) {
    return format_rfc3339(time, /*with_ms=*/true);
}

template <class Tag>
nlohmann::json hex_list(const std::vector<Id<Tag>>& ids) {
    auto list = nlohmann::json::array();
    for (const auto& id : ids) list.push_back(id.hex());
    return list;
}

Result<Claims> read_claims(const crypto::VerifyKey& key, std::string_view token,
                           std::string_view kind, std::string_view issuer) {
    if (token.size() > kMaxTokenSize) return refuse("A token is too long.");
    CLOISON_TRY(auto payload, crypto::paseto_verify(key, token, "", kind));
    CLOISON_TRY(auto claims, Claims::parse(payload));
    CLOISON_TRY(auto named, claims.text("iss", kMaxNameSize));
    if (named != issuer) return refuse("A token names another issuer.");
    return claims;
}

Status check_times(const Grant& grant, Time now) {
    if (grant.expires <= grant.issued || grant.expires - grant.issued > kMaxGrantLifetime)
        return refuse("A grant's lifetime is out of bounds.");
    if (grant.issued > now + kGrantClockTolerance) return refuse("A grant is not valid yet.");
    if (grant.expires <= now) return refuse("A grant has expired.");
    return {};
}

}  // namespace

Bytes make_handle(const crypto::SealedBoxPublicKey& keeper, const HandleContent& content) {
    Bytes plain{kHandleVersion, static_cast<std::uint8_t>(content.compartment)};
    plain.insert(plain.end(), content.pseudonym.begin(), content.pseudonym.end());
    const auto reference = content.case_reference.view();
    plain.insert(plain.end(), reference.begin(), reference.end());
    return crypto::sealed_box(keeper, plain);
}

Bytes renew_handle(const crypto::SealedBoxPublicKey& keeper, ByteView handle) {
    Bytes plain{kRenewedHandle};
    plain.insert(plain.end(), handle.begin(), handle.end());
    return crypto::sealed_box(keeper, plain);
}

Result<HandleContent> open_handle(const crypto::SealedBoxKeyPair& keeper, ByteView handle) {
    CLOISON_TRY(auto plain, keeper.open(handle));
    // Renewed once at most: what is inside must be a handle itself.
    if (!plain.view().empty() && plain.view()[0] == kRenewedHandle) {
        CLOISON_TRY(plain, keeper.open(plain.view().subspan(1)));
    }
    const ByteView view = plain.view();
    if (view.size() != kHandleContentSize || view[0] != kHandleVersion || view[1] < 1 ||
        view[1] > static_cast<std::uint8_t>(registry::Compartment::kDocuments))
        return fail(ErrorCode::kCorrupt, "A handle is malformed.");
    HandleContent content{static_cast<registry::Compartment>(view[1]), {}, {}};
    std::copy_n(view.begin() + 2, content.pseudonym.size(), content.pseudonym.begin());
    CLOISON_TRY(content.case_reference, RequestId::from_bytes(view.subspan(18)));
    return content;
}

std::string sign_grant(const crypto::SigningKey& identity, const Grant& grant) {
    const nlohmann::json claims = {
        {"iss", kIdentity},
        {"jti", grant.id},
        {"iat", time_text(grant.issued)},
        {"exp", time_text(grant.expires)},
        {"actor", grant.actor.hex()},
        {"role", registry::role_name(grant.role)},
        {"session", grant.session.hex()},
        {"door", grant.door},
        {"origin", grant.origin},
        {"purpose", grant.purpose},
        {"reason", grant.reason},
        {"fields", grant.fields},
        {"person", base64url_encode(grant.person)},
        {"case", base64url_encode(grant.case_handle)},
        {"approvers", hex_list(grant.approvers)},
        {"list", base64url_encode(grant.list)},
    };
    return crypto::paseto_sign(identity, claims.dump(), "", kGrantKind);
}

Result<Grant> verify_grant(const crypto::VerifyKey& identity, std::string_view token, Time now) {
    CLOISON_TRY(auto claims, read_claims(identity, token, kGrantKind, kIdentity));
    Grant grant;
    CLOISON_TRY(auto id, claims.id<Id<struct GrantTag>>("jti"));
    grant.id = id.hex();
    CLOISON_TRY(grant.issued, claims.time("iat"));
    CLOISON_TRY(grant.expires, claims.time("exp"));
    CLOISON_TRY(grant.actor, claims.id<ActorId>("actor"));
    CLOISON_TRY(auto role, claims.text("role", kMaxNameSize));
    auto known_role = registry::role_from_name(role);
    if (!known_role) return refuse("A grant names an unknown role.");
    grant.role = *known_role;
    CLOISON_TRY(grant.session, claims.id<SessionId>("session"));
    CLOISON_TRY(grant.door, claims.text("door", kMaxNameSize));
    CLOISON_TRY(grant.origin, claims.text("origin", kMaxNameSize));
    CLOISON_TRY(grant.purpose, claims.text("purpose", kMaxNameSize));
    CLOISON_TRY(grant.reason, claims.text("reason", kMaxNameSize));
    CLOISON_TRY(grant.fields, claims.texts("fields", kMaxFields, kMaxNameSize));
    CLOISON_TRY(grant.person, claims.bytes("person", kMaxHandleSize));
    CLOISON_TRY(grant.case_handle, claims.bytes("case", kMaxHandleSize));
    CLOISON_TRY(grant.approvers, claims.ids<ActorId>("approvers", kMaxApprovers));
    CLOISON_TRY(grant.list, claims.bytes("list", crypto::Hash{}.size()));
    if (!grant.list.empty() && grant.list.size() != crypto::Hash{}.size())
        return refuse("A grant's list is no digest.");
    CLOISON_TRY_STATUS(claims.finish());
    CLOISON_TRY_STATUS(check_times(grant, now));
    return grant;
}

std::string sign_ticket(const crypto::SigningKey& casework, const Ticket& ticket) {
    const nlohmann::json claims = {
        {"iss", kCasework},
        {"exp", time_text(ticket.expires)},
        {"handle", base64url_encode(ticket.handle)},
        {"actor", ticket.actor.hex()},
    };
    return crypto::paseto_sign(casework, claims.dump(), "", kTicketKind);
}

Result<Ticket> verify_ticket(const crypto::VerifyKey& casework, std::string_view token, Time now) {
    CLOISON_TRY(auto claims, read_claims(casework, token, kTicketKind, kCasework));
    Ticket ticket;
    CLOISON_TRY(ticket.expires, claims.time("exp"));
    CLOISON_TRY(ticket.handle, claims.bytes("handle", kMaxHandleSize));
    CLOISON_TRY(ticket.actor, claims.id<ActorId>("actor"));
    CLOISON_TRY_STATUS(claims.finish());
    if (ticket.expires <= now) return refuse("A ticket has expired.");
    return ticket;
}

}  // namespace cloison::keeper
