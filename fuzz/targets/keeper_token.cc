// Enrolments and bulk handles: boxes that the keeper makes for itself, and the content behind them.
// The input says which, then the content, then changes to the box. Beyond not crashing: a changed
// box, one of the other kind, an expired one, or one for another actor, purpose or list does not
// open; one that opens gives the person that was put in.
#include "base/seeded_random.h"
#include "crypto/box.h"
#include "keeper/tokens.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

constexpr std::int64_t kNowMs = 1'776'000'000'000;
constexpr std::uint8_t kPurpose = 6;
const Bytes kList(32, 5);

const keeper::KeyRing& keys() {
    static const keeper::KeyRing ring = [] {
        crypto::initialize();
        return keeper::KeyRing(*crypto::RootKey::from_bytes(Bytes(32, 3)));
    }();
    return ring;
}

ActorId actor() {
    return *ActorId::from_bytes(Bytes(16, 4));
}

std::int64_t time_at(ByteView plain, std::size_t at) {
    return static_cast<std::int64_t>(get_u64(plain.subspan(at)));
}

bool run(ByteView input) {
    const Time now = from_unix_ms(kNowMs);
    require(!keeper::open_enrolment(keys(), input, now), "what nobody made is no enrolment");
    require(!keeper::open_bulk_handle(keys(), input, actor(), kPurpose, kList, now),
            "what nobody made is no bulk handle");
    Input in(input);
    const bool bulk = in.byte() == 'b';
    const ByteView plain = in.sized();
    SeededRandom random(1);
    Bytes box = crypto::box_encrypt(bulk ? keys().bulk_handle() : keys().enrolment(), plain,
                                    as_bytes(bulk ? "bulk-handle/v1" : "enrolment/v1"), random);
    const bool changed = alter(box, in);
    const auto open = [&](const ActorId& who, std::uint8_t purpose, ByteView list, Time at) {
        return bulk ? keeper::open_bulk_handle(keys(), box, who, purpose, list, at)
                    : keeper::open_enrolment(keys(), box, at);
    };
    const auto person = open(actor(), kPurpose, kList, now);
    require(!changed || !person, "a changed token does not open");
    if (!person) return false;
    require(plain.size() == (bulk ? 77u : 28u), "only the one form opens");
    require(person->ordinal == get_u32(plain) &&
                std::ranges::equal(person->root.view(), plain.subspan(4, 16)),
            "a token stands for the person that it was made for");
    const std::int64_t expires = time_at(plain, bulk ? 69 : 20);
    require(expires > kNowMs, "a token is valid now");
    require(!open(actor(), kPurpose, kList, from_unix_ms(expires)), "a token ends");
    if (bulk) {
        require(!open(ActorId{}, kPurpose, kList, now) &&
                    !open(actor(), kPurpose + 1, kList, now) &&
                    !open(actor(), kPurpose, Bytes(32), now),
                "a bulk handle is for one actor, purpose and list");
        require(!keeper::open_enrolment(keys(), box, now), "a bulk handle is no enrolment");
    } else {
        require(!keeper::open_bulk_handle(keys(), box, actor(), kPurpose, kList, now),
                "an enrolment is no bulk handle");
        require(!keeper::open_canary_enrolment(keys(), box, registry::Compartment::kIdentity, now),
                "an enrolment is no canary's");
    }
    return true;
}

std::vector<Seed> seeds() {
    const keeper::Person person{7, *keeper::RootId::from_bytes(Bytes(16, 0x11))};
    Bytes common;
    put_u32(common, person.ordinal);
    common.insert(common.end(), person.root.view().begin(), person.root.view().end());
    Bytes expires;
    put_u64(expires, kNowMs + 3'600'000);
    Bytes enrolment{'e'};
    put_sized(enrolment, join({common, expires}));
    Bytes bulk{'b'};
    put_sized(bulk, join({common, actor().view(), Bytes{kPurpose}, kList, expires}));
    return {{"enrolment", enrolment}, {"bulk-handle", bulk}};
}

const Registration registration({"keeper_token", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
