//! Every statement, in SQL that SQLite and PostgreSQL both take.

pub const SCHEMA: &str = include_str!("schema.sql");

pub const PLACE: &str = "SELECT value FROM place WHERE name = $1";
pub const RECORD: &str = "SELECT * FROM records WHERE record = $1";
pub const BY_EXTERNAL_ID: &str = "SELECT * FROM records WHERE external_id = $1 ORDER BY seq";
pub const RECORDS: &str = "SELECT * FROM records WHERE seq >= $1 ORDER BY seq LIMIT $2";
pub const WAITING: &str = "SELECT * FROM records WHERE waiting > 0 AND seq >= $1 ORDER BY seq LIMIT $2";
pub const ANSWERED: &str = "SELECT request, seq FROM requests WHERE request IN ";
pub const GROUNDS: &str = "SELECT request, seq, NULL FROM requests WHERE request IN ";
pub const AND_CURRENT: &str = " UNION ALL SELECT record, NULL, description FROM records WHERE record IN ";
pub const AND_CURRENT_UNITS: &str = " UNION ALL SELECT unit, NULL, description FROM units WHERE unit IN ";
/// What is ordered to end has no description any more: -1 where nothing certifies it yet, -2 where something does.
pub const AND_ENDED: &str =
    " UNION ALL SELECT record, CASE WHEN certificate IS NULL THEN -1 ELSE -2 END, stub FROM ends WHERE record IN ";
pub const LIFE: &str = "SELECT seq, at, event, description FROM entries WHERE unit = $1 ORDER BY seq";
pub const ENTRY_UNIT: &str = "SELECT unit FROM entries WHERE seq = $1";
/// Everything that has descriptions, in the order in which it began, and whether it is known by what they say.
pub const BEGINNINGS: &str = "SELECT e.seq, e.unit, u.kind, r.record FROM entries e \
     LEFT JOIN units u ON u.unit = e.unit LEFT JOIN records r ON r.record = e.unit \
     WHERE e.event IN ('accessioned', 'opened') AND e.seq >= $1 ORDER BY e.seq LIMIT $2";
pub const FONDS: &str = "SELECT * FROM fonds ORDER BY code";
pub const FONDS_OF_CODE: &str = "SELECT * FROM fonds WHERE code = $1";
pub const FILE: &str = "SELECT * FROM files WHERE file = $1";
pub const FILES_OF_CODE: &str = "SELECT * FROM files WHERE code = $1";
/// Page by page in the order of their codes.
pub const FILES_OF_FONDS: &str = "SELECT * FROM files WHERE fonds = $1 AND COALESCE(code, file) > $2 \
     ORDER BY COALESCE(code, file) LIMIT $3";
pub const RECORDS_OF_FILE: &str = "SELECT * FROM records WHERE file = $1 AND seq >= $2 ORDER BY seq LIMIT $3";
pub const UNIT: &str = "SELECT * FROM units WHERE unit = $1";
pub const UNITS: &str = "SELECT * FROM units WHERE kind = $1 AND seq >= $2 ORDER BY seq LIMIT $3";
/// The newest year first.
pub const PLANS: &str = "SELECT * FROM plans ORDER BY year DESC, plan";
pub const BACKLOGS: &str = "SELECT * FROM backlogs ORDER BY backlog";
pub const REGISTER: &str = "SELECT * FROM units WHERE kind = 'register' ORDER BY seq DESC LIMIT 1";
/// Records of a fonds that lie in no file.
pub const LOOSE: &str = "SELECT * FROM records WHERE fonds = $1 AND file IS NULL AND seq >= $2 ORDER BY seq LIMIT $3";
/// Files whose work has ended and that are not handed over.
pub const TO_HAND_OVER: &str = "SELECT * FROM files WHERE ended IS NOT NULL \
     AND state NOT IN ('submitted', 'accepted') AND file > $1 ORDER BY file LIMIT $2";
pub const ALIKE: &str = "SELECT likeness, MIN(record) FROM records WHERE likeness = ";
pub const EACH_LIKENESS: &str = " GROUP BY likeness";
pub const OR_NAMESAKES: &str = " UNION ALL SELECT 'id=' || external_id, MIN(record) FROM records WHERE external_id = ";
pub const EACH_NAMESAKE: &str = " GROUP BY external_id";
pub const OR_HOLDERS: &str = " UNION ALL SELECT sha256, MIN(record) FROM components WHERE sha256 IN ";
pub const EACH_HOLDER: &str = " GROUP BY sha256";
pub const ACCESSION: &str =
    "SELECT seq, at FROM entries WHERE unit = $1 AND event = 'accessioned' ORDER BY seq LIMIT 1";
pub const COUNTS: &str = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN waiting > 0 THEN 1 ELSE 0 END), 0) FROM records";
pub const HOLDERS: &str = "SELECT record, ordinal FROM components WHERE sha256 = $1 ORDER BY record LIMIT $2";
pub const FORGET_COMPONENTS: &str = "DELETE FROM components WHERE record = $1";

pub const TIMESTAMP_AT: &str = "SELECT * FROM timestamps WHERE size = $1 AND authority = $2";
pub const LAST_TIMESTAMP: &str = "SELECT * FROM timestamps WHERE authority = $1 ORDER BY size DESC LIMIT 1";
pub const TIMESTAMP_OVER: &str = "SELECT * FROM timestamps WHERE size > $1 ORDER BY size, seq LIMIT 1";
pub const ENTRIES_BUT_TIMESTAMPS: &str =
    "SELECT COUNT(*) FROM entries WHERE seq >= $1 AND seq < $2 AND event <> 'timestamped'";

/// The newest first.
pub const AUDITS: &str = "SELECT * FROM audits WHERE pledge < $1 ORDER BY pledge DESC LIMIT $2";
pub const AUDIT: &str = "SELECT * FROM audits WHERE pledge = $1";
pub const AUDITS_OPEN: &str = "SELECT * FROM audits WHERE ended IS NULL ORDER BY pledge";
/// An audit ends once.
pub const END_AUDIT: &str = "UPDATE audits SET ended = $1, ended_at = $2, record = $3, entries = $4, faults = $5, \
     repaired = $6, lost = $7 WHERE pledge = $8 AND ended IS NULL";

pub const CLEAR: [&str; 21] = [
    "DELETE FROM plans",
    "DELETE FROM backlogs",
    "DELETE FROM ends",
    "DELETE FROM listed",
    "DELETE FROM cases",
    "DELETE FROM placements",
    "DELETE FROM holds",
    "DELETE FROM classes",
    "DELETE FROM schedules",
    "DELETE FROM shared",
    "DELETE FROM filed",
    "DELETE FROM files",
    "DELETE FROM fonds",
    "DELETE FROM units",
    "DELETE FROM audits",
    "DELETE FROM timestamps",
    "DELETE FROM requests",
    "DELETE FROM entries",
    "DELETE FROM components",
    "DELETE FROM records",
    "DELETE FROM place",
];

pub const INSERT_PLACE: &str = "INSERT INTO place (name, value) ";
pub const REPLACE_PLACE: &str = " ON CONFLICT (name) DO UPDATE SET value = excluded.value";
pub const INSERT_REQUESTS: &str = "INSERT INTO requests (request, seq) ";
pub const INSERT_ENTRIES: &str = "INSERT INTO entries (seq, at, event, unit, description) ";
pub const INSERT_UNITS: &str = "INSERT INTO units (unit, kind, seq, at, description) ";
pub const INSERT_FONDS: &str = "INSERT INTO fonds (fonds, code, name, creator, closed) ";
pub const REPLACE_FONDS: &str = " ON CONFLICT (fonds) DO UPDATE SET code = excluded.code, name = excluded.name, \
     creator = excluded.creator, closed = excluded.closed";
pub const INSERT_FILES: &str = "INSERT INTO files (file, fonds, code, title, heading, state, access, started, ended, \
     closed, office, maker, retention_code, retention_years, schedule, version, class, facts, own_due, own_rank, due, \
     due_rank) ";
pub const REPLACE_FILE: &str = " ON CONFLICT (file) DO UPDATE SET fonds = excluded.fonds, code = excluded.code, \
     title = excluded.title, heading = excluded.heading, state = excluded.state, access = excluded.access, \
     started = excluded.started, ended = excluded.ended, closed = excluded.closed, office = excluded.office, \
     maker = excluded.maker, retention_code = excluded.retention_code, retention_years = excluded.retention_years, \
     schedule = excluded.schedule, version = excluded.version, class = excluded.class, facts = excluded.facts, \
     own_due = excluded.own_due, own_rank = excluded.own_rank, due = excluded.due, due_rank = excluded.due_rank";
pub const INSERT_PLANS: &str = "INSERT INTO plans (plan, fonds, year, agency, approved, files) ";
pub const REPLACE_PLAN: &str = " ON CONFLICT (plan) DO UPDATE SET fonds = excluded.fonds, year = excluded.year, \
     agency = excluded.agency, approved = excluded.approved, files = excluded.files";
pub const INSERT_BACKLOGS: &str = "INSERT INTO backlogs (backlog, fonds, title, state, files, placed, rejected) ";
pub const REPLACE_BACKLOG: &str = " ON CONFLICT (backlog) DO UPDATE SET fonds = excluded.fonds, \
     title = excluded.title, state = excluded.state, files = excluded.files, placed = excluded.placed, \
     rejected = excluded.rejected";
/// The entry that opened a unit stays what it was.
/// Answers when the unit began: of what is described often, a rebuild reads the newest description only.
pub const REPLACE_UNIT: &str = " ON CONFLICT (unit) DO UPDATE SET description = excluded.description RETURNING seq, at";
/// Two processes may have asked at one size; what the first entry names is what is kept.
pub const INSERT_TIMESTAMPS: &str =
    "INSERT INTO timestamps (size, authority, seq, time, until, checkpoint, token, chain) ";
pub const KEEP_TIMESTAMP: &str = " ON CONFLICT (size, authority) DO NOTHING";
pub const INSERT_AUDITS: &str =
    "INSERT INTO audits (pledge, at, actor, size, root, nonce, nonce_by, share_ppm, confidence_ppm) ";
pub const INSERT_COMPONENTS: &str = "INSERT INTO components (record, ordinal, sha256) ";
pub const INSERT_RECORDS: &str = "INSERT INTO records (record, seq, at, description, external_id, subject, number, \
     notation, likeness, issued, agency, custodian, kind, access, fonds, file, waiting, bytes, schedule, version, \
     class, facts, due, due_rank) ";
/// The entry that accessioned a record stays what it was.
pub const REPLACE_RECORD: &str = " ON CONFLICT (record) DO UPDATE SET description = excluded.description, \
     external_id = excluded.external_id, subject = excluded.subject, number = excluded.number, \
     notation = excluded.notation, likeness = excluded.likeness, issued = excluded.issued, \
     agency = excluded.agency, custodian = excluded.custodian, kind = excluded.kind, access = excluded.access, \
     fonds = excluded.fonds, file = excluded.file, waiting = excluded.waiting, bytes = excluded.bytes, \
     schedule = excluded.schedule, version = excluded.version, class = excluded.class, facts = excluded.facts, \
     due = excluded.due, due_rank = excluded.due_rank";

/// Every whole statement, for the test that has both databases prepare them.
pub const STATEMENTS: &[&str] = &[
    PLACE,
    RECORD,
    BY_EXTERNAL_ID,
    RECORDS,
    WAITING,
    LIFE,
    ENTRY_UNIT,
    BEGINNINGS,
    UNIT,
    UNITS,
    FONDS,
    FONDS_OF_CODE,
    FILE,
    FILES_OF_CODE,
    FILES_OF_FONDS,
    RECORDS_OF_FILE,
    PLANS,
    BACKLOGS,
    REGISTER,
    LOOSE,
    TO_HAND_OVER,
    "SELECT request, seq FROM requests WHERE request IN ($1, $2)",
    "SELECT request, seq, NULL FROM requests WHERE request IN ($1, $2) UNION ALL \
     SELECT record, NULL, description FROM records WHERE record IN ($3, $4) UNION ALL \
     SELECT unit, NULL, description FROM units WHERE unit IN ($5, $6) UNION ALL \
     SELECT record, CASE WHEN certificate IS NULL THEN -1 ELSE -2 END, stub FROM ends WHERE record IN ($7, $8)",
    "SELECT likeness, MIN(record) FROM records WHERE likeness = $1 GROUP BY likeness UNION ALL \
     SELECT 'id=' || external_id, MIN(record) FROM records WHERE external_id = $2 GROUP BY external_id UNION ALL \
     SELECT sha256, MIN(record) FROM components WHERE sha256 IN ($3, $4) GROUP BY sha256",
    ACCESSION,
    COUNTS,
    HOLDERS,
    FORGET_COMPONENTS,
    TIMESTAMP_AT,
    LAST_TIMESTAMP,
    TIMESTAMP_OVER,
    ENTRIES_BUT_TIMESTAMPS,
    AUDITS,
    AUDIT,
    AUDITS_OPEN,
    END_AUDIT,
];

/// What is put around lists of values, for the same test: the statement up to them, and what follows.
pub const INSERTS: &[(&str, &str)] = &[
    (INSERT_PLACE, REPLACE_PLACE),
    (INSERT_REQUESTS, ""),
    (INSERT_ENTRIES, ""),
    (INSERT_UNITS, REPLACE_UNIT),
    (INSERT_FONDS, REPLACE_FONDS),
    (INSERT_FILES, REPLACE_FILE),
    (INSERT_PLANS, REPLACE_PLAN),
    (INSERT_BACKLOGS, REPLACE_BACKLOG),
    (INSERT_TIMESTAMPS, KEEP_TIMESTAMP),
    (INSERT_AUDITS, ""),
    (INSERT_COMPONENTS, ""),
    (INSERT_RECORDS, REPLACE_RECORD),
];
