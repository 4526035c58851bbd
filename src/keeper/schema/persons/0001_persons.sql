-- Key-encryption keys, each wrapped by a key derived from the root key.
CREATE TABLE epoch (
    number INTEGER PRIMARY KEY,
    wrapped BYTES NOT NULL
);

-- One row a person. `wrapped` is the person key under the key of `epoch`; NULL once erased, and
-- then nothing that was sealed for the person can be opened any more.
CREATE TABLE person (
    ordinal INTEGER PRIMARY KEY,
    root BYTES NOT NULL,
    epoch INTEGER NOT NULL,
    wrapped BYTES
);

-- Digest of the configuration that the journal last spoke of.
CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    content BYTES NOT NULL
) KEYED;
