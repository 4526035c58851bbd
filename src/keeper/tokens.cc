#include "keeper/tokens.h"

#include "crypto/box.h"
#include "crypto/hash.h"

namespace cloison::keeper {
namespace {

constexpr std::string_view kEnrolmentContext = "enrolment/v1";
constexpr std::string_view kBulkHandleContext = "bulk-handle/v1";
constexpr std::size_t kPersonSize = 4 + RootId::kSize;
constexpr std::size_t kListSize = crypto::Hash{}.size();

void put(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_person(Bytes& out, const Person& person) {
    put_u32(out, person.ordinal);
    put(out, person.root.view());
}

Person get_person(ByteView in) {
    return {get_u32(in), *RootId::from_bytes(in.subspan(4, RootId::kSize))};
}

Time get_time(ByteView in) {
    return from_unix_ms(static_cast<std::int64_t>(get_u64(in)));
}

Bytes make_enrolment(const KeyRing& keys, const Person& person, Time now, std::string_view context,
                     Random& random) {
    Bytes plain;
    put_person(plain, person);
    put_u64(plain, static_cast<std::uint64_t>(to_unix_ms(now + kEnrolmentLifetime)));
    return crypto::box_encrypt(keys.enrolment(), plain, as_bytes(context), random);
}

Result<Person> open_enrolment(const KeyRing& keys, ByteView token, Time now,
                              std::string_view context) {
    const auto plain = crypto::box_decrypt(keys.enrolment(), token, as_bytes(context));
    if (!plain || plain->size() != kPersonSize + 8 ||
        get_time(plain->view().subspan(kPersonSize)) <= now)
        return fail(ErrorCode::kUnauthenticated, "An enrolment is not valid, or no longer.");
    return get_person(plain->view());
}

std::string canary_context(registry::Compartment compartment) {
    return "canary-enrolment/v1/" + std::string(registry::compartment_name(compartment));
}

tl::unexpected<Error> bad_handle() {
    return fail(ErrorCode::kPermissionDenied,
                "A handle is not valid for this grant, or no longer.");
}

}  // namespace

Bytes make_enrolment(const KeyRing& keys, const Person& person, Time now, Random& random) {
    return make_enrolment(keys, person, now, kEnrolmentContext, random);
}

Result<Person> open_enrolment(const KeyRing& keys, ByteView token, Time now) {
    return open_enrolment(keys, token, now, kEnrolmentContext);
}

Bytes make_canary_enrolment(const KeyRing& keys, const Person& person,
                            registry::Compartment compartment, Time now, Random& random) {
    return make_enrolment(keys, person, now, canary_context(compartment), random);
}

Result<Person> open_canary_enrolment(const KeyRing& keys, ByteView token,
                                     registry::Compartment compartment, Time now) {
    return open_enrolment(keys, token, now, canary_context(compartment));
}

Bytes make_bulk_handle(const KeyRing& keys, const BulkHandle& handle, Random& random) {
    Bytes plain;
    put_person(plain, handle.person);
    put(plain, handle.actor.view());
    plain.push_back(handle.purpose);
    put(plain, handle.list);
    put_u64(plain, static_cast<std::uint64_t>(to_unix_ms(handle.expires)));
    return crypto::box_encrypt(keys.bulk_handle(), plain, as_bytes(kBulkHandleContext), random);
}

Result<Person> open_bulk_handle(const KeyRing& keys, ByteView token, const ActorId& actor,
                                std::uint8_t purpose, ByteView list, Time now) {
    const auto plain = crypto::box_decrypt(keys.bulk_handle(), token, as_bytes(kBulkHandleContext));
    if (!plain || plain->size() != kPersonSize + ActorId::kSize + 1 + kListSize + 8)
        return bad_handle();
    const ByteView rest = plain->view().subspan(kPersonSize);
    const ByteView listed = rest.subspan(ActorId::kSize + 1);
    if (!equal_constant_time(rest.first(ActorId::kSize), actor.view()) ||
        rest[ActorId::kSize] != purpose || !equal_constant_time(listed.first(kListSize), list) ||
        get_time(listed.subspan(kListSize)) <= now)
        return bad_handle();
    return get_person(plain->view());
}

}  // namespace cloison::keeper
