// The register of fields. Beyond not crashing: in a register that is read, numbers and names are
// unique and findable, every purpose that a field names exists, and budgets are set.
#include <algorithm>

#include "registry/registry.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

using registry::Registry;

bool run(ByteView input) {
    const auto parsed = Registry::parse(as_text(input), "input.toml");
    if (!parsed) {
        require(parsed.error().code == ErrorCode::kInvalidArgument, "a bad register is refused");
        return false;
    }
    const Registry& known = *parsed;
    for (const auto& field : known.fields()) {
        require(known.field(field.name) == &field && known.field(field.number) == &field,
                "a field is found by its name and number, and is alone");
        require(field.number < registry::FieldSet().size(), "a field fits the field set");
        for (const auto& name : field.purposes) {
            const auto* purpose = known.purpose(name);
            require(purpose && known.may_open(field, *purpose), "a field's purposes exist");
        }
        require(known.field_set({field.name})->count() == 1, "a field is one bit");
    }
    for (const auto& purpose : known.purposes())
        require(
            known.purpose(purpose.name) == &purpose && known.purpose(purpose.number) == &purpose,
            "a purpose is found by its name and number, and is alone");
    for (const auto& door : known.doors())
        require(known.door(door.name) == &door && known.door(door.number) == &door,
                "a door is found by its name and number, and is alone");
    return true;
}

std::vector<Seed> seeds() {
    return {{"small", to_bytes(R"(version = 1
[[field]]
number = 1
name = "email"
compartment = "identity"
category = "contact"
edpb_category = "contact_details"
sensitivity = 2
retention_days = 1095
purposes = ["self_service"]
label = { fr = "Adresse", en = "Address" }
[[purpose]]
number = 1
name = "self_service"
roles = ["resident"]
bulk = false
per_hour = 1
per_day = 1
label = { fr = "Soi", en = "Self" }
[[purpose]]
number = 6
name = "investigate"
roles = ["dpo"]
bulk = true
per_hour = 20000
per_day = 100000
label = { fr = "Enquête", en = "Investigating" }
reasons = [ { code = "incident", label = { fr = "Incident", en = "Incident" } } ]
[[door]]
number = 1
name = "portal"
per_hour = 200
per_day = 2000
label = { fr = "Portail", en = "Portal" }
)")}};
}

const Registration registration({"field_register", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
