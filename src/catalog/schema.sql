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
    retention_years BIGINT,
    schedule        TEXT,
    version         BIGINT,
    class           TEXT,
    facts           TEXT NOT NULL,
    own_due         TEXT NOT NULL,
    own_rank        BIGINT NOT NULL,
    due             TEXT NOT NULL,
    due_rank        BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS files_fonds ON files (fonds, code);
CREATE INDEX IF NOT EXISTS files_code ON files (code);
CREATE INDEX IF NOT EXISTS files_due ON files (due_rank, file);
CREATE INDEX IF NOT EXISTS files_schedule ON files (schedule, file);
CREATE TABLE IF NOT EXISTS plans (
    plan     TEXT PRIMARY KEY,
    fonds    TEXT NOT NULL,
    year     BIGINT NOT NULL,
    agency   TEXT NOT NULL,
    approved TEXT,
    files    BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS backlogs (
    backlog  TEXT PRIMARY KEY,
    fonds    TEXT NOT NULL,
    title    TEXT NOT NULL,
    state    TEXT NOT NULL,
    files    BIGINT NOT NULL,
    placed   BIGINT NOT NULL,
    rejected BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS filed (
    code    TEXT PRIMARY KEY,
    records BIGINT NOT NULL,
    bytes   BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS shared (
    file   TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (file, record)
);
CREATE INDEX IF NOT EXISTS shared_record ON shared (record);
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
    waiting     BIGINT NOT NULL,
    bytes       BIGINT NOT NULL,
    schedule    TEXT,
    version     BIGINT,
    class       TEXT,
    facts       TEXT,
    due         TEXT,
    due_rank    BIGINT
);
CREATE INDEX IF NOT EXISTS records_seq ON records (seq);
CREATE INDEX IF NOT EXISTS records_waiting ON records (seq) WHERE waiting > 0;
CREATE INDEX IF NOT EXISTS records_likeness ON records (likeness);
CREATE INDEX IF NOT EXISTS records_external ON records (external_id);
CREATE INDEX IF NOT EXISTS records_file ON records (file, seq);
CREATE INDEX IF NOT EXISTS records_longer ON records (file, due_rank) WHERE due_rank IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_loose ON records (due_rank, record) WHERE file IS NULL;
CREATE INDEX IF NOT EXISTS records_of_fonds ON records (fonds, seq) WHERE file IS NULL;
CREATE INDEX IF NOT EXISTS records_schedule ON records (schedule, record) WHERE schedule IS NOT NULL;
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
);
CREATE TABLE IF NOT EXISTS schedules (
    schedule    TEXT NOT NULL,
    version     BIGINT NOT NULL,
    description TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    title       TEXT NOT NULL,
    source      TEXT,
    from_day    TEXT NOT NULL,
    until_day   TEXT,
    incomplete  BIGINT NOT NULL,
    approved    TEXT,
    classes     BIGINT NOT NULL,
    PRIMARY KEY (schedule, version)
);
CREATE TABLE IF NOT EXISTS classes (
    schedule TEXT NOT NULL,
    version  BIGINT NOT NULL,
    ordinal  BIGINT NOT NULL,
    code     TEXT NOT NULL,
    section  TEXT NOT NULL,
    title    TEXT NOT NULL,
    subtitle TEXT,
    period   TEXT NOT NULL,
    counted  TEXT NOT NULL,
    ending   TEXT NOT NULL,
    PRIMARY KEY (schedule, version, ordinal)
);
CREATE TABLE IF NOT EXISTS holds (
    hold        TEXT PRIMARY KEY,
    seq         BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    description TEXT NOT NULL,
    scope       TEXT NOT NULL,
    authority   TEXT NOT NULL,
    reason      TEXT NOT NULL,
    asked_by    TEXT NOT NULL,
    released    BIGINT
);
CREATE TABLE IF NOT EXISTS placements (
    hold        TEXT NOT NULL,
    unit        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    asked_by    TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    released    BIGINT,
    released_at BIGINT,
    PRIMARY KEY (hold, unit)
);
CREATE INDEX IF NOT EXISTS placements_unit ON placements (unit, released);
CREATE INDEX IF NOT EXISTS placements_seq ON placements (hold, seq);
CREATE TABLE IF NOT EXISTS cases (
    dossier     TEXT PRIMARY KEY,
    seq         BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    description TEXT NOT NULL,
    agency      TEXT NOT NULL,
    stage       TEXT NOT NULL,
    listed      BIGINT NOT NULL,
    decided     BIGINT
);
CREATE TABLE IF NOT EXISTS listed (
    dossier TEXT NOT NULL,
    unit    TEXT NOT NULL,
    pending BIGINT NOT NULL,
    PRIMARY KEY (dossier, unit)
);
CREATE INDEX IF NOT EXISTS listed_unit ON listed (unit, pending);
CREATE TABLE IF NOT EXISTS ends (
    record      TEXT PRIMARY KEY,
    seq         BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    stub        TEXT NOT NULL,
    dossier     TEXT,
    expelled    BIGINT NOT NULL,
    certificate TEXT,
    certified   BIGINT
);
CREATE INDEX IF NOT EXISTS ends_seq ON ends (seq);
CREATE INDEX IF NOT EXISTS ends_open ON ends (seq) WHERE certificate IS NULL
