#include "keeper/sealing.h"

#include "crypto/seal.h"

namespace cloison::keeper {
namespace {

constexpr std::size_t kRecordSize = 16;

}  // namespace

Result<const registry::Field*> Sealer::field(std::string_view name, ByteView record) const {
    const registry::Field* field = registry_.field(name);
    if (!field) return fail(ErrorCode::kInvalidArgument, "A field is not in the register.");
    if (record.size() != kRecordSize)
        return fail(ErrorCode::kInvalidArgument, "A record id has 16 bytes.");
    return field;
}

Result<std::vector<Bytes>> Sealer::seal(const Subjects::Writer& writer,
                                        const std::vector<PlainValue>& values) const {
    if (values.empty() || values.size() > kMaxItems)
        return fail(ErrorCode::kInvalidArgument, "A call seals 1 to 200 values.");
    std::vector<Bytes> sealed;
    for (const auto& value : values) {
        CLOISON_TRY(const auto* declared, field(value.field, value.record));
        if (writer.only && *writer.only != declared->compartment)
            return fail(ErrorCode::kPermissionDenied,
                        "A compartment may seal its own fields only.");
        if (value.value.size() > crypto::kMaxSealedPlaintext)
            return fail(ErrorCode::kInvalidArgument, "A value has at most 65,536 bytes.");
        const auto pseudonym = keys_.pseudonym(declared->compartment, writer.subject.person);
        const crypto::SealContext context{registry::compartment_name(declared->compartment),
                                          pseudonym,
                                          declared->name,
                                          value.record,
                                          value.schema_version,
                                          persons_.epoch()};
        CLOISON_TRY(auto bytes, crypto::seal_field(writer.key, context, value.value, random_));
        sealed.push_back(std::move(bytes));
    }
    return sealed;
}

Result<Secret> Sealer::open(const Person& person, const crypto::PersonKey& key,
                            const SealedValue& value) const {
    CLOISON_TRY(const auto* declared, field(value.field, value.record));
    CLOISON_TRY(auto epoch, crypto::sealed_epoch(value.sealed));
    const auto pseudonym = keys_.pseudonym(declared->compartment, person);
    const crypto::SealContext context{registry::compartment_name(declared->compartment),
                                      pseudonym,
                                      declared->name,
                                      value.record,
                                      value.schema_version,
                                      epoch};
    return crypto::open_field(key, context, value.sealed);
}

}  // namespace cloison::keeper
