// A handle: a box to the keeper's key, and the content behind it. The input is the content, then
// changes to the box. Beyond not crashing: a box that was changed does not open; one that opens
// gives the content that was put in, and makes a handle of the same content again.
#include "keeper/client/grant.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

using keeper::HandleContent;

const crypto::SealedBoxKeyPair& keeper_keys() {
    static const auto keys = [] {
        crypto::initialize();
        return crypto::SealedBoxKeyPair::from_seed(Bytes(32, 9));
    }();
    return keys;
}

bool same(const HandleContent& a, const HandleContent& b) {
    return a.compartment == b.compartment && a.pseudonym == b.pseudonym &&
           a.case_reference == b.case_reference;
}

bool run(ByteView input) {
    const auto& keys = keeper_keys();
    require(!keeper::open_handle(keys, input), "what nobody sealed does not open");
    Input in(input);
    const ByteView plain = in.sized();
    Bytes box = crypto::sealed_box(keys.public_key(), plain);
    const bool changed = alter(box, in);
    const auto content = keeper::open_handle(keys, box);
    require(!changed || !content, "a changed handle does not open");
    if (!content) {
        require(content.error().code == ErrorCode::kCorrupt, "a bad handle is corrupt");
        return false;
    }
    // A renewed handle is a handle in one more box.
    const bool renewed = plain[0] == 2;
    const auto inner = renewed ? keys.open(plain.subspan(1)) : Result<Secret>(Secret(plain));
    require(inner.has_value(), "what is in a renewed handle is a handle");
    const ByteView form = inner->view();
    require(form.size() == 34 && form[0] == 1 &&
                form[1] == static_cast<std::uint8_t>(content->compartment),
            "only the one form of a handle opens");
    require(std::ranges::equal(form.subspan(2, 16), content->pseudonym) &&
                std::ranges::equal(form.subspan(18), content->case_reference.view()),
            "a handle holds what was put in");
    const auto boxed = keeper::open_handle(keys, keeper::renew_handle(keys.public_key(), box));
    require(renewed != boxed.has_value(), "a handle is renewed once, not twice");
    const auto again = keeper::open_handle(keys, keeper::make_handle(keys.public_key(), *content));
    require(again && same(*again, *content), "a handle is made and read the same again");
    return true;
}

std::vector<Seed> seeds() {
    std::vector<Seed> seeds;
    for (std::uint8_t compartment = 1; compartment <= 3; ++compartment) {
        Bytes plain{1, compartment};
        plain.resize(34, static_cast<std::uint8_t>(0x40 + compartment));
        Bytes seed;
        put_sized(seed, plain);
        seeds.push_back({"compartment-" + std::to_string(compartment), seed});
    }
    return seeds;
}

const Registration registration({"handle", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
