-- Who has seen which alarm of which journal.
CREATE TABLE alarms_acknowledged (
    origin TEXT NOT NULL,
    entry BIGINT NOT NULL,
    acknowledged_by BYTES NOT NULL,
    acknowledged_ms BIGINT NOT NULL,
    PRIMARY KEY (origin, entry)
);
