#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace cloison::fuzz {

/// A valid sample of what a target parses.
struct Seed {
    std::string name;
    Bytes bytes;
};

/// One thing that the keeper or a verifier parses. `run` must not depend on earlier inputs but
/// where its comment says so; it aborts, by require(), where a property does not hold, and returns
/// whether the input was taken as valid: a target whose own seeds are refused tests nothing.
struct Target {
    const char* name;
    bool (*run)(ByteView input);
    std::vector<Seed> (*seeds)();
    void (*finish)() = nullptr;  ///< Removes what stays from one input to the next.
};

/// Registers the target of a source file, as a static object of it.
struct Registration {
    explicit Registration(Target target);
};
const std::vector<Target>& targets();

/// Aborts with the sentence if the property does not hold.
void require(bool holds, const char* property);

/// Takes an input apart from front to back; what is beyond its end reads as zero or as empty.
class Input {
  public:
    explicit Input(ByteView bytes) : rest_(bytes) {}
    bool empty() const { return rest_.empty(); }
    std::uint8_t byte();
    std::uint16_t u16();
    std::uint32_t u32();
    std::uint64_t u64();
    ByteView take(std::size_t count);  ///< Fewer at the end.
    ByteView sized();                  ///< As put_sized wrote it.
    ByteView rest();

  private:
    ByteView rest_;
};

/// A u16 of the length, then the bytes; Input::sized reads it.
void put_sized(Bytes& out, ByteView bytes);
inline void put_sized(Bytes& out, std::string_view text) {
    put_sized(out, as_bytes(text));
}
/// A seed of these pieces one after another.
Bytes join(std::initializer_list<ByteView> pieces);

/// Changes bytes as the rest of an input says: a position (u16, modulo the size) and what to xor.
/// Returns whether anything differs afterwards.
bool alter(Bytes& bytes, Input& input);

}  // namespace cloison::fuzz
