CREATE TABLE account (
    account BYTES PRIMARY KEY,
    record BYTES NOT NULL UNIQUE,
    pseudonym BYTES UNIQUE,
    email_index BYTES NOT NULL UNIQUE,
    actor BYTES NOT NULL UNIQUE,
    role BIGINT NOT NULL,
    disabled BIGINT NOT NULL,
    acts_for_anyone BIGINT NOT NULL,
    language TEXT NOT NULL,
    display_name TEXT NOT NULL,
    unit TEXT NOT NULL,
    verifier BYTES NOT NULL,
    salt BYTES NOT NULL,
    memory_kib BIGINT NOT NULL,
    passes BIGINT NOT NULL,
    totp BYTES,
    totp_step BIGINT NOT NULL,
    totp_offered BYTES,
    traces BYTES,
    proof BYTES NOT NULL
) KEYED;

-- The rows of these are entries of an account's lists (docs/formats/unlinkable-list.md): they do not
-- say whose they are.
CREATE TABLE profile_value (
    place BYTES PRIMARY KEY,
    content BYTES NOT NULL
) KEYED;

CREATE TABLE sign_up (
    sign_up BYTES PRIMARY KEY,
    email_index BYTES NOT NULL,
    code_hash BYTES NOT NULL,
    tries BIGINT NOT NULL,
    confirmed BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
) KEYED;
CREATE INDEX sign_up_by_email ON sign_up (email_index);
CREATE INDEX sign_up_by_expiry ON sign_up (expires_ms);

CREATE TABLE session (
    token_hash BYTES PRIMARY KEY,
    session BYTES NOT NULL UNIQUE,
    account BYTES NOT NULL,
    door TEXT NOT NULL,
    began_ms BIGINT NOT NULL,
    last_used_ms BIGINT NOT NULL,
    proof BYTES NOT NULL
) KEYED;
CREATE INDEX session_by_account ON session (account);
CREATE INDEX session_by_begin ON session (began_ms);

CREATE TABLE totp_pending (
    token_hash BYTES PRIMARY KEY,
    account BYTES NOT NULL,
    door TEXT NOT NULL,
    tries BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
) KEYED;
CREATE INDEX totp_pending_by_account ON totp_pending (account);
CREATE INDEX totp_pending_by_expiry ON totp_pending (expires_ms);

CREATE TABLE attempt (
    subject BYTES PRIMARY KEY,
    known BIGINT NOT NULL,
    consecutive BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    failed_ms BYTES NOT NULL
) KEYED;
CREATE INDEX attempt_by_time ON attempt (last_ms);
CREATE INDEX attempt_by_known ON attempt (known, last_ms);

CREATE TABLE sign_in_trace (
    place BYTES PRIMARY KEY,
    content BYTES NOT NULL
) KEYED;

CREATE TABLE approval (
    approval BYTES PRIMARY KEY,
    purpose TEXT NOT NULL,
    digest BYTES NOT NULL,
    summary TEXT NOT NULL,
    requested_by BYTES NOT NULL,
    approved_by BYTES,
    requested_ms BIGINT NOT NULL,
    approved_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    proof BYTES NOT NULL
) KEYED;
CREATE INDEX approval_by_time ON approval (requested_ms);
