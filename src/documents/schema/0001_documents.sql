-- docs/formats/documents-store.md. State: uploading, available, removed; only what is available has
-- places, marks and a description. Places and marks are tags of the lists of a person's and of a
-- case's documents (unlinkable-list.md): no two rows show that they belong together.

CREATE TABLE document (
    document BYTES PRIMARY KEY,
    state TEXT NOT NULL,
    person_place BYTES UNIQUE,
    person_mark BYTES,
    case_place BYTES UNIQUE,
    case_mark BYTES,
    description BYTES
) KEYED;
CREATE INDEX document_by_state ON document (state);
