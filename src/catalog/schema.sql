-- The catalog: a fold over ledger entries. SQL that SQLite and PostgreSQL both take.
-- Digests, identifiers and partial dates are text, times are microseconds since 1970. No semicolon in comments.
CREATE TABLE IF NOT EXISTS place (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS requests (
    request TEXT PRIMARY KEY,
    seq     BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS entries (
    seq         BIGINT PRIMARY KEY,
    at          BIGINT NOT NULL,
    event       TEXT NOT NULL,
    unit        TEXT,
    description TEXT
);
CREATE INDEX IF NOT EXISTS entries_unit ON entries (unit, seq);
CREATE TABLE IF NOT EXISTS units (
    unit        TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    description TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS units_kind ON units (kind, seq);
CREATE TABLE IF NOT EXISTS fonds (
    fonds   TEXT PRIMARY KEY,
    code    TEXT NOT NULL,
    name    TEXT NOT NULL,
    creator TEXT NOT NULL,
    closed  TEXT
);
CREATE INDEX IF NOT EXISTS fonds_code ON fonds (code);
CREATE TABLE IF NOT EXISTS files (
    file            TEXT PRIMARY KEY,
    fonds           TEXT NOT NULL,
    code            TEXT,
    title           TEXT NOT NULL,
    heading         TEXT,
    state           TEXT NOT NULL,
    access          TEXT NOT NULL,
    started         TEXT,
    ended           TEXT,
    closed          TEXT,
    office          TEXT,
    maker           TEXT,
    retention_code  TEXT,
    retention_years BIGINT
);
CREATE INDEX IF NOT EXISTS files_fonds ON files (fonds, code);
CREATE INDEX IF NOT EXISTS files_code ON files (code);
CREATE TABLE IF NOT EXISTS records (
    record      TEXT PRIMARY KEY,
    seq         BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    description TEXT NOT NULL,
    external_id TEXT,
    subject     TEXT NOT NULL,
    number      TEXT,
    notation    TEXT,
    likeness    TEXT,
    issued      TEXT,
    agency      TEXT,
    custodian   TEXT,
    kind        TEXT,
    access      TEXT NOT NULL,
    fonds       TEXT,
    file        TEXT,
    waiting     BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS records_seq ON records (seq);
CREATE INDEX IF NOT EXISTS records_waiting ON records (seq) WHERE waiting > 0;
CREATE INDEX IF NOT EXISTS records_likeness ON records (likeness);
CREATE INDEX IF NOT EXISTS records_external ON records (external_id);
CREATE INDEX IF NOT EXISTS records_file ON records (file, seq);
CREATE TABLE IF NOT EXISTS components (
    record  TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    sha256  TEXT NOT NULL,
    PRIMARY KEY (record, ordinal)
);
CREATE INDEX IF NOT EXISTS components_holder ON components (sha256, record);
CREATE TABLE IF NOT EXISTS timestamps (
    size       BIGINT NOT NULL,
    authority  TEXT NOT NULL,
    seq        BIGINT NOT NULL,
    time       BIGINT NOT NULL,
    until      BIGINT NOT NULL,
    checkpoint TEXT NOT NULL,
    token      TEXT NOT NULL,
    chain      TEXT NOT NULL,
    PRIMARY KEY (size, authority)
);
CREATE TABLE IF NOT EXISTS audits (
    pledge         BIGINT PRIMARY KEY,
    at             BIGINT NOT NULL,
    actor          TEXT NOT NULL,
    size           BIGINT NOT NULL,
    root           TEXT NOT NULL,
    nonce          TEXT NOT NULL,
    nonce_by       TEXT NOT NULL,
    share_ppm      BIGINT NOT NULL,
    confidence_ppm BIGINT NOT NULL,
    ended          BIGINT,
    ended_at       BIGINT,
    record         TEXT,
    entries        BIGINT,
    faults         BIGINT,
    repaired       BIGINT,
    lost           BIGINT
)
