-- Lists as sorted runs (docs/formats/history.md) in place of a row for each line; what was there is
-- built anew from the journal.
DROP TABLE line;
DROP TABLE alarm;
DROP TABLE erased;
UPDATE progress SET entries = 0, last_leaf = x'' WHERE id = 1;

-- The items of the journal entries from `first` to before `beyond`, in order, in the blocks from
-- number `block` on. `fences` has the first item's list of each, boxed.
CREATE TABLE run (
    first INTEGER PRIMARY KEY,
    beyond INTEGER NOT NULL,
    block INTEGER NOT NULL,
    items INTEGER NOT NULL,
    fences BYTES NOT NULL
);

CREATE TABLE block (
    number INTEGER PRIMARY KEY,
    content BYTES NOT NULL
);
