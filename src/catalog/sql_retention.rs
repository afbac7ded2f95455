//! Statements about schedules, what is due, holds, cases and ends, in SQL that SQLite and PostgreSQL both take.

pub const SCHEDULES: &str = "SELECT s.* FROM schedules s WHERE NOT EXISTS (SELECT 1 FROM schedules n \
     WHERE n.schedule = s.schedule AND n.version > s.version) ORDER BY s.title, s.schedule";
pub const VERSIONS: &str = "SELECT * FROM schedules WHERE schedule = $1 ORDER BY version";
pub const CLASSES: &str = "SELECT * FROM classes WHERE schedule = $1 AND version = $2 ORDER BY ordinal";
pub const RULING: &str = "SELECT * FROM schedules WHERE schedule = $1 AND approved IS NOT NULL AND incomplete = 0 \
     ORDER BY version DESC LIMIT 1";
/// The newest version that is approved and complete and has the class, else the one that is named.
pub const CLASS_THAT_RULES: &str = "SELECT c.period, c.counted FROM classes c \
     JOIN schedules s ON s.schedule = c.schedule AND s.version = c.version \
     WHERE c.schedule = $1 AND c.code = $3 AND ((s.approved IS NOT NULL AND s.incomplete = 0) OR s.version = $2) \
     ORDER BY CASE WHEN s.approved IS NOT NULL AND s.incomplete = 0 THEN 0 ELSE 1 END, s.version DESC LIMIT 1";
pub const FORGET_CLASSES: &str = "DELETE FROM classes WHERE schedule = $1 AND version = $2";
/// Every schedule by which something lives.
pub const SCHEDULES_NAMED: &str = "SELECT schedule FROM files WHERE schedule IS NOT NULL \
     UNION SELECT schedule FROM records WHERE schedule IS NOT NULL";
pub const SET_PLACE: &str =
    "INSERT INTO place (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

pub const FILES_OF_SCHEDULE: &str = "SELECT 'file' AS kind, f.file AS unit, f.code, f.schedule, f.version, f.class, f.facts, \
     f.own_due AS due, f.own_rank AS rank, COALESCE(n.records, 0) AS records, COALESCE(n.bytes, 0) AS bytes \
     FROM files f LEFT JOIN filed n ON n.code = f.code \
     WHERE f.schedule = $1 AND f.file > $2 ORDER BY f.file LIMIT $3";
pub const RECORDS_OF_SCHEDULE: &str = "SELECT 'record' AS kind, record AS unit, file AS code, schedule, version, class, facts, due, \
     due_rank AS rank, 1 AS records, bytes FROM records \
     WHERE schedule = $1 AND record > $2 ORDER BY record LIMIT $3";
pub const CLASSED_INSIDE: &str = "SELECT 'record' AS kind, record AS unit, file AS code, schedule, version, class, \
     facts FROM records WHERE file = $1 AND due_rank IS NOT NULL AND schedule IS NOT NULL";
pub const FACTS_OF_FILE: &str = "SELECT facts FROM files WHERE code = $1 ORDER BY file LIMIT 1";
pub const RECORD_DUE: &str = "UPDATE records SET due = $1, due_rank = $2 WHERE record = $3";
pub const FILE_OWN_DUE: &str = "UPDATE files SET own_due = $1, own_rank = $2 WHERE file = $3";
pub const FILE_DUE_ALONE: &str = "UPDATE files SET due = own_due, due_rank = own_rank WHERE file = $1";
pub const LONGEST_RECORD: &str = "SELECT due, due_rank FROM records WHERE file = $1 AND due_rank IS NOT NULL \
     ORDER BY due_rank DESC LIMIT 1";
pub const FILE_DUE: &str = "UPDATE files SET due = CASE WHEN own_rank >= $1 THEN own_due ELSE $2 END, \
     due_rank = CASE WHEN own_rank >= $1 THEN own_rank ELSE $1 END WHERE code = $3";
pub const WEIGH: &str = "INSERT INTO filed (code, records, bytes) VALUES ($1, $2, $3) ON CONFLICT (code) DO UPDATE \
     SET records = filed.records + excluded.records, bytes = filed.bytes + excluded.bytes";

macro_rules! file_due {
    () => {
        "SELECT f.file AS unit, f.code, f.title, o.code AS fonds, o.creator AS agency, f.schedule, f.class, f.due, \
         f.due_rank, COALESCE(n.records, 0) AS records, COALESCE(n.bytes, 0) AS bytes, f.access, \
         CASE WHEN EXISTS (SELECT 1 FROM placements p WHERE p.unit = f.file AND p.released IS NULL) \
         OR EXISTS (SELECT 1 FROM placements p WHERE p.unit = f.fonds AND p.released IS NULL) \
         OR EXISTS (SELECT 1 FROM placements p JOIN records r ON r.record = p.unit \
         WHERE p.kind = 'record' AND p.released IS NULL AND r.file = f.code) THEN 1 ELSE 0 END AS held, \
         (SELECT MIN(l.dossier) FROM listed l WHERE l.unit = f.file AND l.pending = 1) AS dossier \
         FROM files f LEFT JOIN fonds o ON o.fonds = f.fonds LEFT JOIN filed n ON n.code = f.code "
    };
}

macro_rules! record_due {
    () => {
        "SELECT r.record AS unit, r.number AS code, r.subject AS title, r.fonds, r.agency, r.schedule, r.class, \
         COALESCE(r.due, 'waiting:class') AS due, COALESCE(r.due_rank, 100000002) AS due_rank, 1 AS records, r.bytes, \
         r.access, CASE WHEN EXISTS (SELECT 1 FROM placements p WHERE p.unit = r.record AND p.released IS NULL) \
         OR EXISTS (SELECT 1 FROM placements p JOIN fonds o ON o.fonds = p.unit \
         WHERE p.kind = 'fonds' AND p.released IS NULL AND o.code = r.fonds) THEN 1 ELSE 0 END AS held, \
         (SELECT MIN(l.dossier) FROM listed l WHERE l.unit = r.record AND l.pending = 1) AS dossier \
         FROM records r "
    };
}

/// By day and identifier, from a mark on; an empty filter, or -1, lets everything through.
pub const FILES_DUE: &str = concat!(
    "SELECT * FROM (",
    file_due!(),
    "WHERE f.due_rank <= $1 AND (f.due_rank > $2 OR (f.due_rank = $2 AND f.file > $3)) \
     AND f.state NOT IN ('open', 'reopened') \
     AND COALESCE(n.records, 0) > 0) d \
     WHERE ($4 = '' OR fonds = $4) AND ($5 = '' OR schedule = $5) AND ($6 = '' OR class = $6) \
     AND ($7 = -1 OR held = $7) AND ($8 = -1 OR CASE WHEN dossier IS NULL THEN 0 ELSE 1 END = $8) \
     ORDER BY due_rank, unit LIMIT $9"
);
pub const RECORDS_DUE: &str = concat!(
    "SELECT * FROM (",
    record_due!(),
    "WHERE r.file IS NULL AND r.due_rank <= $1 AND (r.due_rank > $2 OR (r.due_rank = $2 AND r.record > $3))) d \
     WHERE ($4 = '' OR fonds = $4) AND ($5 = '' OR schedule = $5) AND ($6 = '' OR class = $6) \
     AND ($7 = -1 OR held = $7) AND ($8 = -1 OR CASE WHEN dossier IS NULL THEN 0 ELSE 1 END = $8) \
     ORDER BY due_rank, unit LIMIT $9"
);
pub const FILE_IS_DUE: &str = concat!(file_due!(), "WHERE f.file = $1");
pub const RECORD_IS_DUE: &str = concat!(record_due!(), "WHERE r.record = $1");

/// Whole years: 10000 is what waits, 20000 what never ends.
pub const FILES_FALLING: &str = "SELECT f.due_rank / 10000 AS year, f.schedule, f.class, o.code AS fonds, \
     o.creator AS agency, CAST(SUM(n.records) AS BIGINT) AS records, CAST(SUM(n.bytes) AS BIGINT) AS bytes \
     FROM files f JOIN filed n ON n.code = f.code LEFT JOIN fonds o ON o.fonds = f.fonds WHERE n.records > 0 \
     GROUP BY f.due_rank / 10000, f.schedule, f.class, o.code, o.creator ORDER BY 1, 2, 3, 4";
pub const RECORDS_FALLING: &str = "SELECT COALESCE(due_rank, 100000002) / 10000 AS year, schedule, class, fonds, \
     agency, COUNT(*) AS records, CAST(SUM(bytes) AS BIGINT) AS bytes FROM records WHERE file IS NULL \
     GROUP BY COALESCE(due_rank, 100000002) / 10000, schedule, class, fonds, agency ORDER BY 1, 2, 3, 4";
/// Records that name a file which nobody has opened wait for it.
pub const UNOPENED_FALLING: &str = "SELECT 10000 AS year, NULL AS schedule, NULL AS class, NULL AS fonds, \
     NULL AS agency, CAST(COALESCE(SUM(n.records), 0) AS BIGINT) AS records, \
     CAST(COALESCE(SUM(n.bytes), 0) AS BIGINT) AS bytes \
     FROM filed n WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.code = n.code) HAVING SUM(n.records) > 0";

pub const HOLDS: &str = "SELECT h.*, (SELECT COUNT(*) FROM placements p WHERE p.hold = h.hold) AS placed \
     FROM holds h ORDER BY h.seq DESC";
pub const HOLD: &str = "SELECT h.*, (SELECT COUNT(*) FROM placements p WHERE p.hold = h.hold) AS placed \
     FROM holds h WHERE h.hold = $1";
pub const ASKED: &str = "SELECT hold, asked_by, released FROM holds WHERE hold IN ";
pub const PLACEMENTS: &str = "SELECT * FROM placements WHERE hold = $1 AND seq >= $2 ORDER BY seq LIMIT $3";
pub const PLACEMENTS_ON: &str = "SELECT * FROM placements WHERE unit = $1 ORDER BY seq";
/// On the records that lie in a file.
pub const PLACEMENTS_INSIDE: &str = "SELECT p.* FROM placements p JOIN records r ON r.record = p.unit \
     WHERE p.kind = 'record' AND r.file = $1 ORDER BY p.seq";
pub const RELEASE_PLACEMENTS: &str =
    "UPDATE placements SET released = $1, released_at = $2 WHERE hold = $3 AND released IS NULL";
pub const RELEASE_HOLD: &str = "UPDATE holds SET description = $1, released = $2 WHERE hold = $3";

pub const CASES: &str = "SELECT * FROM cases ORDER BY seq DESC";
pub const CASES_OF: &str = "SELECT dossier FROM listed WHERE unit = $1 AND pending = 1 ORDER BY dossier";
pub const FORGET_LISTED: &str = "DELETE FROM listed WHERE dossier = $1";

pub const MEMBERS: &str =
    "SELECT r.record FROM records r JOIN files f ON f.code = r.file WHERE f.file = $1 ORDER BY r.seq";
pub const FILE_OF_RECORD: &str = "SELECT f.file FROM files f JOIN records r ON r.file = f.code \
     WHERE r.record = $1 ORDER BY f.file LIMIT 1";
pub const SHARING: &str = "SELECT file FROM shared WHERE record = $1 ORDER BY file";
pub const FORGET_SHARED: &str = "DELETE FROM shared WHERE file = $1";

pub const ENDED: &str = "SELECT * FROM ends WHERE record = $1";
pub const ORDERS_OPEN: &str = "SELECT * FROM ends WHERE certificate IS NULL ORDER BY seq";
pub const ENDS: &str = "SELECT * FROM ends WHERE seq >= $1 ORDER BY seq LIMIT $2";
pub const ENDS_COUNT: &str = "SELECT COUNT(*) FROM ends";
pub const CERTIFY: &str = "UPDATE ends SET certificate = $1, certified = $2 WHERE record = $3";
pub const WEIGHT_OF: &str = "SELECT file, bytes, due_rank FROM records WHERE record = $1";
pub const FORGET_RECORD: &str = "DELETE FROM records WHERE record = $1";
pub const FORGET_SHARES_OF: &str = "DELETE FROM shared WHERE record = $1";

pub const INSERT_SCHEDULES: &str = "INSERT INTO schedules (schedule, version, description, seq, title, source, \
     from_day, until_day, incomplete, approved, classes) ";
pub const REPLACE_SCHEDULE: &str = " ON CONFLICT (schedule, version) DO UPDATE SET description = excluded.description, \
     seq = excluded.seq, title = excluded.title, source = excluded.source, from_day = excluded.from_day, \
     until_day = excluded.until_day, incomplete = excluded.incomplete, approved = excluded.approved, \
     classes = excluded.classes";
pub const INSERT_CLASSES: &str = "INSERT INTO classes (schedule, version, ordinal, code, section, title, subtitle, \
     period, counted, ending) ";
pub const INSERT_SHARED: &str = "INSERT INTO shared (file, record) ";
pub const KEEP_SHARED: &str = " ON CONFLICT (file, record) DO NOTHING";
pub const INSERT_HOLDS: &str =
    "INSERT INTO holds (hold, seq, at, description, scope, authority, reason, asked_by, released) ";
pub const REPLACE_HOLD: &str = " ON CONFLICT (hold) DO UPDATE SET description = excluded.description, \
     scope = excluded.scope, authority = excluded.authority, reason = excluded.reason, released = excluded.released";
pub const INSERT_PLACEMENTS: &str = "INSERT INTO placements (hold, unit, kind, asked_by, seq, at) ";
pub const KEEP_PLACEMENT: &str = " ON CONFLICT (hold, unit) DO NOTHING";
pub const INSERT_CASES: &str = "INSERT INTO cases (dossier, seq, at, description, agency, stage, listed, decided) ";
pub const REPLACE_CASE: &str = " ON CONFLICT (dossier) DO UPDATE SET description = excluded.description, \
     agency = excluded.agency, stage = excluded.stage, listed = excluded.listed, decided = excluded.decided";
pub const INSERT_LISTED: &str = "INSERT INTO listed (dossier, unit, pending) ";
pub const INSERT_ENDS: &str = "INSERT INTO ends (record, seq, at, stub, dossier, expelled) ";

/// Every whole statement, for the test that has both databases prepare them.
pub const STATEMENTS: &[&str] = &[
    SCHEDULES,
    VERSIONS,
    CLASSES,
    RULING,
    CLASS_THAT_RULES,
    FORGET_CLASSES,
    SCHEDULES_NAMED,
    SET_PLACE,
    FILES_OF_SCHEDULE,
    RECORDS_OF_SCHEDULE,
    CLASSED_INSIDE,
    FACTS_OF_FILE,
    RECORD_DUE,
    FILE_OWN_DUE,
    FILE_DUE_ALONE,
    LONGEST_RECORD,
    FILE_DUE,
    WEIGH,
    FILES_DUE,
    RECORDS_DUE,
    FILE_IS_DUE,
    RECORD_IS_DUE,
    FILES_FALLING,
    RECORDS_FALLING,
    UNOPENED_FALLING,
    HOLDS,
    HOLD,
    "SELECT hold, asked_by, released FROM holds WHERE hold IN ($1, $2)",
    PLACEMENTS,
    PLACEMENTS_ON,
    PLACEMENTS_INSIDE,
    RELEASE_PLACEMENTS,
    RELEASE_HOLD,
    CASES,
    CASES_OF,
    FORGET_LISTED,
    MEMBERS,
    FILE_OF_RECORD,
    SHARING,
    FORGET_SHARED,
    ENDED,
    ORDERS_OPEN,
    ENDS,
    ENDS_COUNT,
    CERTIFY,
    WEIGHT_OF,
    FORGET_RECORD,
    FORGET_SHARES_OF,
];

/// What is put around lists of values, for the same test.
pub const INSERTS: &[(&str, &str)] = &[
    (INSERT_SCHEDULES, REPLACE_SCHEDULE),
    (INSERT_CLASSES, ""),
    (INSERT_SHARED, KEEP_SHARED),
    (INSERT_HOLDS, REPLACE_HOLD),
    (INSERT_PLACEMENTS, KEEP_PLACEMENT),
    (INSERT_CASES, REPLACE_CASE),
    (INSERT_LISTED, ""),
    (INSERT_ENDS, ""),
];
