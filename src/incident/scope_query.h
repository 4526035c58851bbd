#pragma once

#include <optional>
#include <string>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "journal/entry.h"
#include "net/http.h"
#include "registry/registry.h"

namespace cloison::incident {

/// Which lines of the journal a question is about. Every condition that is set must hold; it names
/// no resident, so its text form may stand in a URL and in an approval.
struct ScopeQuery {
    std::optional<Time> from;  ///< Inclusive, to the millisecond.
    std::optional<Time> to;    ///< Exclusive, to the millisecond.
    std::optional<std::uint8_t> door;
    std::optional<ActorId> actor;
    std::optional<SessionId> session;
    std::optional<journal::Origin> origin;
    std::optional<std::uint8_t> purpose;
    std::optional<std::uint8_t> field;
    /// Counts people who read their own data even where the question names nobody (see below).
    bool include_self = false;
    /// Only the first so many entries: freezes an answer while the journal grows.
    std::optional<std::uint64_t> up_to;

    /// A resident who reads their own data is no leak, so `self_service` lines are left out of
    /// questions by period, door and field. They count as soon as the question names who is
    /// suspected (actor, session or origin: a taken-over account reads "its own" data too) or the
    /// purpose itself, or when `include_self` says so.
    bool counts_self() const;
    bool operator==(const ScopeQuery&) const = default;
};

/// The name of the purpose for which residents read their own data.
inline constexpr std::string_view kSelfService = "self_service";

/// Canonical text, "door=desk&from=2026-04-13T09:30:00.000Z": keys in alphabetical order, names
/// from the register. Equal queries give equal text.
std::string format_scope_query(const ScopeQuery& query, const registry::Registry& registry);

/// Reads what format_scope_query writes; empty values are conditions that are not set. Times are
/// RFC 3339 with any offset. kInvalidArgument names the key that is wrong, or says that `from` is
/// not before `to`. Unknown keys are ignored: pages carry others beside.
Result<ScopeQuery> parse_scope_query(const net::Form& form, const registry::Registry& registry);

}  // namespace cloison::incident
