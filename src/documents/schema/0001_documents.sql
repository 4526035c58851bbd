-- docs/formats/documents-store.md. State: uploading, available, removed.

CREATE TABLE document (
    document BYTES PRIMARY KEY,
    pseudonym BYTES NOT NULL,
    case_tag BYTES NOT NULL,
    kind TEXT NOT NULL,
    content_type TEXT NOT NULL,
    sealed_key BYTES NOT NULL,
    sealed_name BYTES NOT NULL,
    header BYTES NOT NULL,
    state TEXT NOT NULL,
    scanned BIGINT NOT NULL,
    chunks BIGINT NOT NULL,
    last_chunk_size BIGINT NOT NULL,
    added_ms BIGINT NOT NULL
) KEYED;
CREATE INDEX document_by_case ON document (pseudonym, case_tag);
CREATE INDEX document_by_state ON document (state);
