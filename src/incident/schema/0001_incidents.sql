CREATE TABLE incidents (
    incident BYTES PRIMARY KEY,
    title TEXT NOT NULL,
    opened_ms BIGINT NOT NULL,
    opened_by BYTES NOT NULL,
    notified_ms BIGINT,
    notified_reference TEXT,
    closed_ms BIGINT,
    closed_by BYTES
);

CREATE TABLE awareness (
    awareness BYTES PRIMARY KEY,
    incident BYTES NOT NULL REFERENCES incidents (incident),
    at_ms BIGINT NOT NULL,
    source TEXT NOT NULL,
    entered_by BYTES NOT NULL,
    entered_ms BIGINT NOT NULL
);
CREATE INDEX awareness_by_incident ON awareness (incident);

CREATE TABLE notes (
    incident BYTES NOT NULL REFERENCES incidents (incident),
    sequence BIGINT NOT NULL,
    text TEXT NOT NULL,
    written_by BYTES NOT NULL,
    written_ms BIGINT NOT NULL,
    PRIMARY KEY (incident, sequence)
);

CREATE TABLE scopes (
    scope BYTES PRIMARY KEY,
    incident BYTES NOT NULL REFERENCES incidents (incident),
    query TEXT NOT NULL,
    persons BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    covered_size BIGINT NOT NULL,
    covered_root BYTES NOT NULL,
    saved_by BYTES NOT NULL,
    saved_ms BIGINT NOT NULL
);
CREATE INDEX scopes_by_incident ON scopes (incident);

CREATE TABLE exports (
    approval BYTES PRIMARY KEY,
    incident BYTES NOT NULL REFERENCES incidents (incident),
    query TEXT NOT NULL,
    list BYTES NOT NULL,
    persons BIGINT NOT NULL,
    asked_by BYTES NOT NULL,
    asked_ms BIGINT NOT NULL
);
CREATE INDEX exports_by_incident ON exports (incident);

CREATE TABLE downloads (
    approval BYTES NOT NULL REFERENCES exports (approval),
    sequence BIGINT NOT NULL,
    persons BIGINT NOT NULL,
    format TEXT NOT NULL,
    downloaded_by BYTES NOT NULL,
    downloaded_ms BIGINT NOT NULL,
    PRIMARY KEY (approval, sequence)
);

CREATE TABLE covered (
    origin TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    root BYTES NOT NULL
);
