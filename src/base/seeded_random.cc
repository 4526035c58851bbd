#include "base/seeded_random.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"

namespace cloison {
namespace {

/// The finalizer of SplitMix64: a bijection of 64-bit words.
std::uint64_t mix(std::uint64_t word) {
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
    word = (word ^ word >> 27) * 0x94d049bb133111eb;
    return word ^ word >> 31;
}

constexpr std::uint64_t kGoldenGamma = 0x9e3779b97f4a7c15;

std::array<std::uint64_t, 4> expand(std::uint64_t seed) {
    std::array<std::uint64_t, 4> state;
    for (auto& word : state) word = mix(seed += kGoldenGamma);
    return state;
}

}  // namespace

SeededRandom::SeededRandom(std::uint64_t seed) : SeededRandom(expand(seed)) {}

SeededRandom::SeededRandom(const SeededRandom& other) : SeededRandom(other.origin_) {}

SeededRandom::SeededRandom(const State& origin) : origin_(origin), state_(origin) {}

void SeededRandom::fill(std::span<std::uint8_t> out) {
    const std::lock_guard lock(mutex_);
    while (!out.empty()) {
        const std::uint64_t word = next();
        const std::size_t size = std::min(out.size(), sizeof word);
        for (std::size_t i = 0; i < size; ++i)
            out[i] = static_cast<std::uint8_t>(word >> (56 - 8 * i));
        out = out.subspan(size);
    }
}

SeededRandom SeededRandom::split(std::string_view label) const {
    State child = origin_;
    for (std::size_t i = 0; i < child.size(); ++i) {
        child[i] = mix(child[i] + kGoldenGamma * (i + 1));
        for (const std::uint8_t byte : as_bytes(label)) child[i] = mix(child[i] ^ byte) + i;
    }
    return SeededRandom(child);
}

SeededRandom SeededRandom::split(std::uint64_t number) const {
    Bytes label;
    put_u64(label, number);
    return split(as_text(label));
}

/// xoshiro256** 1.0 by Blackman and Vigna, https://prng.di.unimi.it/
std::uint64_t SeededRandom::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

}  // namespace cloison
