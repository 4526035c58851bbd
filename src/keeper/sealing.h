#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/secret.h"
#include "keeper/key_ring.h"
#include "keeper/person_store.h"
#include "keeper/subject.h"

namespace cloison::keeper {

inline constexpr std::size_t kMaxItems = 200;  ///< Values in one Seal, or of one disclosure.

/// A value in clear, and where it belongs; views into the request.
struct PlainValue {
    std::string_view field;
    ByteView record;
    ByteView value;
    std::uint32_t schema_version = 0;
};
/// A sealed value, and where it was found; views into the request.
struct SealedValue {
    std::string_view field;
    ByteView record;
    ByteView sealed;
    std::uint32_t schema_version = 0;
};

/// Seals and opens the values of one person under the register: the field says the compartment, the
/// compartment the pseudonym. Any thread may call.
class Sealer {
  public:
    /// All must outlive it; `persons` says which epoch new values are labelled with.
    Sealer(const registry::Registry& registry, const KeyRing& keys, const PersonStore& persons,
           Random& random)
        : registry_(registry), keys_(keys), persons_(persons), random_(random) {}

    /// kInvalidArgument for no or too many values, an undeclared field, a record id that has not 16
    /// bytes or a value that is too long; kPermissionDenied for a field of another compartment than
    /// the writer may seal for. Nothing is sealed then.
    Result<std::vector<Bytes>> seal(const Subjects::Writer& writer,
                                    const std::vector<PlainValue>& values) const;

    /// kCorrupt unless it is exactly what was sealed for this person, field and place.
    Result<Secret> open(const Person& person, const crypto::PersonKey& key,
                        const SealedValue& value) const;

    /// The field that a value names; kInvalidArgument if it or the record id is malformed.
    Result<const registry::Field*> field(std::string_view name, ByteView record) const;

  private:
    const registry::Registry& registry_;
    const KeyRing& keys_;
    const PersonStore& persons_;
    Random& random_;
};

}  // namespace cloison::keeper
