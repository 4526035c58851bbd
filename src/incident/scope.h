#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "incident/scope_index.h"
#include "registry/registry.h"

namespace cloison::incident {

/// What became of a field within a scope.
enum class Verdict {
    kOpened,     ///< Plaintext was released, with lines that prove it.
    kReachable,  ///< The register lets those concerned open it; no line says that they did.
    kSealed,     ///< Only ciphertext was within reach.
};
std::string_view verdict_code(Verdict verdict);  ///< opened, reachable, sealed

struct FieldVerdict {
    std::uint8_t field;  ///< registry::Field::number
    Verdict verdict;
    std::uint64_t lines;
    std::uint64_t persons;
};

/// What an answer rests on: a checkpoint that the keeper signed and that the entries read give
/// again.
struct Coverage {
    std::uint64_t size = 0;
    crypto::Hash root{};
    std::string note;  ///< The signed checkpoint.
};

struct ScopeAnswer {
    ScopeQuery query;
    ScopeCounts counts;
    std::vector<FieldVerdict> fields;  ///< By field number; only the query's field if it names one.
    Coverage covered;
    double seconds = 0;  ///< From the question to this answer, reading the journal included.
};

/// The verdict of every field. A field without a line is reachable if a purpose that the query lets
/// pass may open it and is open to a role that it lets pass: `roles` if there are any (what is
/// known of the actor, session or origin named), otherwise those that sign in at the query's door,
/// or all. Reading one's own data makes nothing reachable unless the query counts it.
std::vector<FieldVerdict> judge_fields(const ScopeQuery& query, const ScopeCounts& counts,
                                       const std::vector<registry::Role>& roles,
                                       const registry::Registry& registry);

/// Who signs in at a door: residents and professionals at the portal, staff at the desk.
bool signs_in_at(registry::Role role, std::string_view door);

}  // namespace cloison::incident
