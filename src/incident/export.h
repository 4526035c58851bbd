#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "incident/scope_index.h"
#include "keeper/client/keeper_client.h"
#include "keeper/client/person_list.h"

namespace cloison::incident {

/// One person of an exported list. Personal: it goes to the person who asked, and is not kept.
struct ExportedPerson {
    std::uint32_t person = 0;  ///< Ordinal.
    bool erased = false;       ///< Their key was destroyed: there are no values any more.
    Secret email;
    Secret family_name;
    Secret given_names;
    std::vector<std::string> fields;  ///< Opened within the scope, names of the register.
    std::uint64_t lines = 0;
    Time first;
    Time last;
};

/// The most persons of one export: what the register's `investigate` budget lets one person open in
/// an hour; kTooLarge beyond.
inline constexpr std::size_t kMaxExportPersons = 20'000;

/// Sealed profile values as identity keeps them.
struct SealedProfile {
    struct Value {
        std::string field;
        std::string record;
        std::string sealed;
    };
    std::vector<Value> values;
};
/// Asks identity for the profiles behind handles (at most 1,000), in their order.
using ProfileSource =
    std::function<Result<std::vector<SealedProfile>>(const std::vector<std::string>& handles)>;

/// Everybody of a scope as the list that is approved; kTooLarge beyond kMaxExportPersons,
/// kInvalidArgument for nobody.
Result<keeper::PersonList> export_list(const std::vector<PersonExposure>& persons);

/// What the list is for: a digest over incident and canonical query.
crypto::Hash export_about(ByteView incident, std::string_view query);
/// What is approved by the second person: these fields of exactly the persons of `list` (its
/// digest), for this incident and query.
crypto::Hash export_digest(ByteView incident, std::string_view query, ByteView list);

/// The fields of a profile that an export opens.
const std::vector<std::string>& export_fields();

/// Opens e-mail and names of everybody in `persons`, who come back by ordinal. `grant` is an
/// `investigate` grant that two staff members approved for exactly these persons: for anybody else
/// the keeper makes no handle. It journals each person.
Result<std::vector<ExportedPerson>> export_persons(const keeper::KeeperClient& keeper,
                                                   const ProfileSource& profiles,
                                                   const std::string& grant,
                                                   std::vector<PersonExposure> persons,
                                                   const registry::Registry& registry);

/// RFC 4180 with a header line and CRLF, UTF-8. Every cell is quoted; one that a spreadsheet would
/// take for a formula (beginning with = + - @, tab or carriage return) begins with an apostrophe.
std::string export_csv(const std::vector<ExportedPerson>& persons);

}  // namespace cloison::incident
