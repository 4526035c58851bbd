-- One row a person, made ahead in blocks and handed out in random order, so that neither ordinals
-- nor rows say who came first within a block. All rows have the same length, so that filling one
-- moves no other. `wrapped` is the number of the epoch (4 bytes, big-endian) and the person key
-- under the key of that epoch; with epoch 0 the row is nobody's yet, and zeros otherwise. NULL once
-- erased, and then nothing that was sealed for the person can be opened any more.
CREATE TABLE person (
    ordinal INTEGER PRIMARY KEY,
    root BYTES NOT NULL,
    wrapped BYTES
);

-- One row. `persons` are not erased; of these, `renewed` are under `epoch`, which new persons are
-- enrolled in. A rotation has passed all rows up to `passed`. `open_block` is the first ordinal of
-- the block that is being handed out, 0 if there is none; `next` is the first ordinal without a row.
CREATE TABLE tally (
    id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    persons INTEGER NOT NULL,
    renewed INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    open_block INTEGER NOT NULL,
    next INTEGER NOT NULL
);
INSERT INTO tally (id, epoch, persons, renewed, passed, open_block, next)
VALUES (1, 0, 0, 0, 0, 0, 1);

-- What the journal last spoke of, and how far its erasures are applied here.
CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    content BYTES NOT NULL
) KEYED;
