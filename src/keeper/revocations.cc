#include "keeper/revocations.h"

#include <algorithm>
#include <mutex>

namespace cloison::keeper {
namespace {

constexpr std::string_view kUntil = "issued until ";
constexpr Duration kSweepEvery{60'000};

/// A line's reason says until when the grants were issued that it ends.
std::string reason_of(Time until) {
    return std::string(kUntil) + format_rfc3339(until, /*with_ms=*/true);
}

Result<Time> until_of(const journal::Entry& entry) {
    std::string_view reason = entry.reason;
    if (reason.starts_with(kUntil)) {
        reason.remove_prefix(kUntil.size());
        if (auto until = parse_rfc3339(reason)) return *until;
    }
    return fail(ErrorCode::kCorrupt, "A line of a revocation does not say until when.");
}

tl::unexpected<Error> ended() {
    return fail(ErrorCode::kUnauthenticated, "A grant was ended before its time.");
}

tl::unexpected<Error> names_nobody() {
    return fail(ErrorCode::kInvalidArgument, "A revocation names a session or an actor.");
}

Status require_past(Time until, Time now) {
    if (until > now + Revocations::kMaxAhead)
        return fail(ErrorCode::kInvalidArgument, "A revocation is ahead of the keeper's clock.");
    if (until < Time{})
        return fail(ErrorCode::kInvalidArgument, "A revocation is of a time before 1970.");
    return {};
}

}  // namespace

Status Revocations::revoke(const SessionId& session, std::optional<Time> until, Recorder& recorder,
                           Alarms& alarms) {
    if (session.is_none()) return names_nobody();
    journal::Entry entry;
    entry.session = session;
    const Time now = recorder.now();
    CLOISON_TRY_STATUS(require_past(until.value_or(now), now));
    entry.reason = reason_of(until.value_or(now));
    return write(std::move(entry), recorder, alarms);
}

Status Revocations::revoke(const ActorId& actor, Time until, Recorder& recorder, Alarms& alarms) {
    if (actor.is_none()) return names_nobody();
    CLOISON_TRY_STATUS(require_past(until, recorder.now()));
    journal::Entry entry;
    entry.actor = actor;
    entry.reason = reason_of(until);
    return write(std::move(entry), recorder, alarms);
}

Status Revocations::write(journal::Entry entry, Recorder& recorder, Alarms& alarms) {
    entry.kind = journal::EntryKind::kRevoked;
    entry.role = registry::Role::kAdministrator;
    CLOISON_TRY(const auto until, until_of(entry));
    // It takes effect before the line is durable, and between the lines of the disclosures where it
    // stands: behind it there is none under a grant that it ends.
    CLOISON_TRY(auto pending, recorder.queue(2, [&](Time at) {
        std::vector<journal::Entry> lines{entry};
        if (apply(entry, until, at)) {
            if (auto alarm = alarms.compose("revocations", {}, at))
                lines.push_back(std::move(*alarm));
        }
        return lines;
    }));
    CLOISON_TRY_STATUS(recorder.wait(std::move(pending)));
    return {};
}

Status Revocations::replay(const journal::Entry& entry) {
    CLOISON_TRY(const auto until, until_of(entry));
    apply(entry, until, entry.time);
    return {};
}

/// Whether the bound was reached.
bool Revocations::apply(const journal::Entry& entry, Time until, Time at) {
    const std::lock_guard lock(mutex_);
    if (at >= swept_ + kSweepEvery) forget(at);
    const auto add = [&](auto& map, const auto& whose) {
        if (whose.is_none()) return false;
        const auto found = map.find(whose);
        if (found != map.end()) {
            found->second = std::max(found->second, until);
            return false;
        }
        const bool full = revoke_all(at);
        map.emplace(whose, until);
        return full;
    };
    // A grant of the session may have been on its way while the session ended.
    if (!entry.session.is_none()) until = std::max(until, at) + kGrantClockTolerance;
    const bool by_session = add(sessions_, entry.session);
    const bool by_actor = add(actors_, entry.actor);
    return by_session || by_actor;
}

/// A grant that was issued until then has expired by now. Requires mutex_.
void Revocations::forget(Time at) {
    swept_ = at;
    expired_until_ = std::max(expired_until_, at);
    const auto over = [&](const auto& entry) { return entry.second + kMaxGrantLifetime <= at; };
    std::erase_if(sessions_, over);
    std::erase_if(actors_, over);
}

/// At the bound. Requires mutex_.
bool Revocations::revoke_all(Time at) {
    if (sessions_.size() + actors_.size() < max_live_) return false;
    forget(at);
    if (sessions_.size() + actors_.size() < max_live_) return false;
    all_until_ = std::max(all_until_, at + kGrantClockTolerance);
    for (const auto& [session, until] : sessions_) all_until_ = std::max(all_until_, until);
    for (const auto& [actor, until] : actors_) all_until_ = std::max(all_until_, until);
    sessions_.clear();
    actors_.clear();
    return true;
}

Status Revocations::check(const Grant& grant) const {
    const std::shared_lock lock(mutex_);
    if (grant.expires <= expired_until_)
        return fail(ErrorCode::kUnauthenticated, "A grant has expired.");
    if (grant.issued <= all_until_ || sessions_.contains(grant.session)) return ended();
    const auto is_ended = [&](const ActorId& whose) {
        const auto actor = actors_.find(whose);
        return actor != actors_.end() && grant.issued <= actor->second;
    };
    if (is_ended(grant.actor) || std::ranges::any_of(grant.approvers, is_ended)) return ended();
    return {};
}

std::size_t Revocations::live() const {
    const std::shared_lock lock(mutex_);
    return sessions_.size() + actors_.size();
}

}  // namespace cloison::keeper
