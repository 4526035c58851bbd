#include "keeper/generations.h"

#include <algorithm>

#include "base/log.h"
#include "crypto/box.h"
#include "crypto/pae.h"

namespace cloison::keeper {
namespace {

constexpr std::size_t kKnownSize = 16;

std::string setting_of(std::string_view compartment) {
    return "generation " + std::string(compartment);
}

Bytes context_of(std::string_view compartment) {
    return crypto::pre_auth_encode({as_bytes("generation/v1"), as_bytes(compartment)});
}

}  // namespace

/// Nothing known: zeros. kCorrupt if what is there was not written by this keeper for it.
Result<Generations::Known> Generations::recall(std::string_view compartment) const {
    CLOISON_TRY(const auto box, parts_.persons.setting(setting_of(compartment)));
    if (box.empty()) return Known{};
    CLOISON_TRY(const auto plain,
                crypto::box_decrypt(parts_.keys.generations(), box, context_of(compartment)));
    if (plain.view().size() != kKnownSize)
        return fail(ErrorCode::kCorrupt, "A generation has another length.");
    return Known{get_u64(plain.view()), get_u64(plain.view().subspan(kKnownSize / 2))};
}

Status Generations::remember(std::string_view compartment, const Known& known) {
    Bytes plain;
    put_u64(plain, known.last);
    put_u64(plain, known.highest);
    return parts_.persons.set_setting(setting_of(compartment),
                                      crypto::box_encrypt(parts_.keys.generations(), plain,
                                                          context_of(compartment), parts_.random));
}

Result<Generations::Answer> Generations::report(std::string_view compartment,
                                                std::uint64_t generation) {
    if (generation > kMaxGeneration)
        return fail(ErrorCode::kInvalidArgument, "A generation is at most 2^62.");
    const std::lock_guard lock(mutex_);
    auto known = recall(compartment);
    const bool changed = !known && known.error().code == ErrorCode::kCorrupt;
    if (!known && !changed) return fail(known.error());
    if (changed)
        log_warning("What persons.sqlite says of the generations of " + std::string(compartment) +
                    " was changed.");
    const Known before = changed ? Known{} : *known;
    const Known after{generation, std::max(before.highest, generation)};
    const bool put_back = changed || generation < before.last;
    // First the line: a crash in between raises it twice, never not at all.
    if (put_back)
        CLOISON_TRY_STATUS(parts_.alarms.raise(std::string(compartment) + " store put back"));
    if (changed || after != before) CLOISON_TRY_STATUS(remember(compartment, after));
    return Answer{put_back, after.highest};
}

}  // namespace cloison::keeper
