-- Which journal lines concern a person: derived from the journal, and rebuilt from it at will. The
-- rows are entries of unlinkable lists, one a person; `entry` is the line's index, boxed.
CREATE TABLE line (
    place BYTES PRIMARY KEY,
    entry BYTES NOT NULL
) KEYED;

-- Which journal lines are alarms.
CREATE TABLE alarm (
    entry INTEGER PRIMARY KEY
) KEYED;

-- Whose key was destroyed.
CREATE TABLE erased (
    person INTEGER PRIMARY KEY
) KEYED;

-- How far the journal is in these, and the leaf hash of the last entry that is.
CREATE TABLE progress (
    id INTEGER PRIMARY KEY,
    entries INTEGER NOT NULL,
    last_leaf BYTES NOT NULL
);
INSERT INTO progress (id, entries, last_leaf) VALUES (1, 0, x'');
