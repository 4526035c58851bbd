CREATE TABLE revocation_pending (
    revocation BYTES PRIMARY KEY,
    session BYTES,
    actor BYTES,
    ended_ms BIGINT NOT NULL
) KEYED;
CREATE INDEX revocation_pending_by_time ON revocation_pending (ended_ms);
