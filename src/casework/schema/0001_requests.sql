-- docs/formats/casework-store.md. Times: created to the day, all others to the hour.
-- `owner` and `place` are tags of the person's list of requests (unlinkable-list.md): no two rows
-- show that they are of one person.

CREATE TABLE request (
    request BYTES PRIMARY KEY,
    owner BYTES NOT NULL UNIQUE,
    place BYTES NOT NULL UNIQUE,
    subject BYTES NOT NULL,
    type TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    submitted_ms BIGINT,
    assigned_to BYTES
) KEYED;
CREATE INDEX request_by_status ON request (status, submitted_ms, reference);
CREATE INDEX request_by_officer ON request (assigned_to, submitted_ms, reference);

CREATE TABLE request_value (
    request BYTES NOT NULL REFERENCES request (request),
    field TEXT NOT NULL,
    sealed BYTES NOT NULL,
    PRIMARY KEY (request, field)
) KEYED;

CREATE TABLE message (
    request BYTES NOT NULL REFERENCES request (request),
    sequence BIGINT NOT NULL,
    message BYTES NOT NULL UNIQUE,
    sealed BYTES NOT NULL,
    sender TEXT NOT NULL,
    actor BYTES,
    with_decision BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (request, sequence)
) KEYED;

CREATE TABLE status_history (
    request BYTES NOT NULL REFERENCES request (request),
    sequence BIGINT NOT NULL,
    status TEXT NOT NULL,
    party TEXT NOT NULL,
    actor BYTES,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (request, sequence)
) KEYED;

CREATE TABLE assignment_history (
    request BYTES NOT NULL REFERENCES request (request),
    sequence BIGINT NOT NULL,
    event TEXT NOT NULL,
    actor BYTES NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (request, sequence)
) KEYED;
