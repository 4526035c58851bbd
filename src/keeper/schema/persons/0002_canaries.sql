-- The register of canaries, docs/formats/canaries.md: boxes of a few sizes under a key that is
-- derived from the root key.
CREATE TABLE canary (
    number INTEGER PRIMARY KEY,
    box BYTES NOT NULL
);
