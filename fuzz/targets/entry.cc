// A line of the journal. Beyond not crashing: a line that is read is written again byte for byte,
// so that no two byte strings are the same line, and its reason is within its bound.
#include "journal/entry.h"

#include "target.h"

namespace cloison::fuzz {
namespace {

bool run(ByteView input) {
    const auto entry = journal::decode_entry(input);
    if (!entry) {
        require(entry.error().code == ErrorCode::kCorrupt, "a bad line is corrupt");
        return false;
    }
    require(std::ranges::equal(journal::encode_entry(*entry), input), "a line has one form");
    require(entry->reason.size() <= journal::kMaxReasonBytes, "a reason is short");
    const std::string origin = journal::format_origin(entry->origin);
    require(journal::parse_origin(origin) == entry->origin, "an origin is written and read");
    return true;
}

std::vector<Seed> seeds() {
    journal::Entry entry;
    entry.time = from_unix_ms(1'776'000'000'000);
    entry.door = 1;
    entry.purpose = 1;
    entry.actor = *ActorId::from_bytes(Bytes(16, 1));
    entry.session = *SessionId::from_bytes(Bytes(16, 2));
    entry.origin = journal::parse_origin("203.0.113.5");
    entry.person = 12'345;
    entry.fields.set(3).set(127);
    entry.request = *Id<struct journal::RpcTag>::from_bytes(Bytes(16, 3));
    entry.salt.fill(9);
    std::vector<Seed> seeds{{"disclosed", journal::encode_entry(entry)}};
    entry.kind = journal::EntryKind::kRefused;
    entry.role = registry::Role::kOfficer;
    entry.case_reference = *RequestId::from_bytes(Bytes(16, 4));
    entry.origin = journal::parse_origin("2001:db8::1");
    entry.reason = "examine é";
    seeds.push_back({"refused", journal::encode_entry(entry)});
    entry = {};
    entry.kind = journal::EntryKind::kConfigured;
    entry.role = registry::Role::kAdministrator;
    entry.reason = std::string(journal::kMaxReasonBytes, 'r');
    seeds.push_back({"configured", journal::encode_entry(entry)});
    return seeds;
}

const Registration registration({"entry", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
