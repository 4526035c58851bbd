-- The generation of this database, docs/formats/store-generation.md: one row, none before the first
-- start.
CREATE TABLE generation (
    id BIGINT PRIMARY KEY,
    number BIGINT NOT NULL,
    proof BYTES NOT NULL
) KEYED;
