//! Where is it, and what is known of it? A fold over ledger entries, in SQL.
//!
//! Delete it, run `vankho rebuild`, and every answer is the same: nothing here originates a fact. The
//! live path, start-up and rebuild run the same [`Catalog::apply`].
//!
//! # Why
//! *One text for two databases.* SQLite on one machine, PostgreSQL past it: every statement here is a
//! constant that both take, and a test has both prepare each of them. Lists are passed as one JSON-free
//! `VALUES`, never as a dialect's own array.
//!
//! *A batch is folded before it is written.* A record that is accessioned and read in one batch is one row.

mod apply;
pub mod arranged;
pub mod audits;
mod clocks;
pub mod ends;
pub mod holds;
pub mod lists;
pub mod retention;
mod sql;
mod sql_retention;
mod timestamps;
pub mod units;

use crate::record::{
    digest::Digest,
    entry::{Entry, Instant},
    id::{ActorId, HoldId, RecordId},
    retention::clock::Reading,
    unit::Unit,
};
use sqlx::{
    QueryBuilder, Row, Sqlite,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use std::{
    collections::HashMap,
    path::Path,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use apply::Applied;
pub use sql::{INSERTS, SCHEMA, STATEMENTS};
pub use sql_retention::{INSERTS as INSERTS_OF_RETENTION, STATEMENTS as STATEMENTS_OF_RETENTION};

/// The catalog of one archive.
#[derive(Clone, Debug)]
pub struct Catalog {
    writer: SqlitePool,
    readers: SqlitePool,
    /// What `place` holds: one process owns a catalog, so it need not be asked again.
    state: Arc<Mutex<State>>,
}

/// Statements that a connection keeps prepared.
const STATEMENTS_PREPARED_MAX: usize = 512;

impl CatalogError {
    /// Have the files changed under us? Then nothing that is asked helps; opened anew, they are made from the ledger.
    pub fn is_of_lost_files(&self) -> bool {
        // SQLITE_CORRUPT and SQLITE_NOTADB; a table that was there is not.
        let lost = |error: &dyn sqlx::error::DatabaseError| {
            matches!(error.code().as_deref(), Some("11" | "26")) || error.message().starts_with("no such table")
        };
        matches!(self, CatalogError::Database(sqlx::Error::Database(error)) if lost(&**error))
    }

    /// Did others hold the files for too long (SQLITE_BUSY, SQLITE_LOCKED)? Asked again, they answer.
    pub fn is_of_a_lock(&self) -> bool {
        let CatalogError::Database(sqlx::Error::Database(error)) = self else { return false };
        matches!(error.code().as_deref(), Some("5" | "6"))
    }
}

/// How far the fold is.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    applied: u64,
    newest: i64,
    /// On which day a period of years is over: a setting.
    reading: Reading,
    /// How many records were ever ordered to end.
    ends: u64,
}

/// What can go wrong with a catalog. All of it is mended by `vankho rebuild`.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("the catalog cannot be used: {0}; run `vankho rebuild`, nothing is lost")]
    Database(#[from] sqlx::Error),
    #[error("the catalog holds {0:?} where something else belongs; run `vankho rebuild`, nothing is lost")]
    Malformed(String),
    #[error("the catalog has applied {applied} entries and was given those from {base}")]
    OutOfOrder { applied: u64, base: u64 },
    /// Somebody reads all the time: asked again, it is done.
    #[error("the catalog is being read, and what was forgotten is still in its log; it is tried again")]
    Busy,
}

/// What the catalog knows of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub record: RecordId,
    /// The entry that accessioned it, counted from 0.
    pub seq: u64,
    /// When it was accessioned.
    pub at: Instant,
    /// The description in force.
    pub description: Digest,
    pub external_id: Option<String>,
    pub subject: String,
    pub number: Option<String>,
    pub notation: Option<String>,
    pub issued: Option<String>,
    pub agency: Option<String>,
    pub custodian: Option<String>,
    pub kind: Option<String>,
    pub access: String,
    pub fonds: Option<String>,
    pub file: Option<String>,
    /// Originals that nobody has tried to read yet.
    pub waiting: u64,
}

/// One event of a record's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    pub seq: u64,
    pub at: Instant,
    pub event: String,
    pub description: Option<Digest>,
}

/// What a batch is judged by.
#[derive(Clone, Debug, Default)]
pub struct Grounds {
    pub answered: HashMap<Digest, u64>,
    pub current: HashMap<Unit, Digest>,
    /// Records that are ordered to end, and whether that is certified.
    pub ended: HashMap<Unit, bool>,
    /// Of holds that are to be placed or released: who asked for them, and whether they are released already.
    pub asked: HashMap<HoldId, (ActorId, bool)>,
}

impl Grounds {
    /// Is it described, or about to be by an earlier entry of the batch?
    pub fn knows(&self, unit: Unit) -> bool {
        self.current.contains_key(&unit)
    }
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub records: u64,
    pub waiting: u64,
}

impl Catalog {
    /// Opens the catalog in a file, or makes it; `None` is a catalog in memory.
    pub async fn open(file: Option<&Path>) -> Result<Catalog, CatalogError> {
        let options = match file {
            Some(path) => SqliteConnectOptions::new().filename(path).create_if_missing(true),
            None => SqliteConnectOptions::from_str("sqlite::memory:")?,
        };
        // Derived: a power cut may cost the newest rows, which the ledger gives again, but never their order.
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10))
            // A list of another length is another statement.
            .statement_cache_capacity(STATEMENTS_PREPARED_MAX)
            // What is taken out is overwritten: a destroyed record leaves no row behind.
            .pragma("secure_delete", "ON")
            .pragma("cache_size", "-16000")
            // Pages that change often are moved out of the write-ahead log once for many commits.
            .pragma("wal_autocheckpoint", "4000");
        // Connections to a file do not go stale: asking each whether it is alive doubles the trips to its thread.
        let forever = || SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None).test_before_acquire(false);
        let writer = forever().max_connections(1).connect_with(options.clone()).await?;
        forget_another_form(&writer).await?;
        for statement in sql::SCHEMA.split(';') {
            sqlx::query(statement).execute(&writer).await?;
        }
        let readers = match file {
            Some(_) => forever().max_connections(4).connect_with(options).await?,
            // A database in memory belongs to its one connection.
            None => writer.clone(),
        };
        let catalog = Catalog { writer, readers, state: Arc::default() };
        let reading = usize::try_from(catalog.value("reading").await?).ok();
        let state = State {
            applied: catalog.value("applied").await? as u64,
            newest: catalog.value("newest").await?,
            reading: reading.and_then(|number| Reading::ALL.get(number).copied()).unwrap_or_default(),
            ends: catalog.ends_count().await?,
        };
        *catalog.state() = state;
        Ok(catalog)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the files; nothing may be asked afterwards.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// How many entries have been applied.
    pub fn applied(&self) -> u64 {
        self.state().applied
    }

    /// The time of the newest entry.
    pub fn newest(&self) -> Instant {
        Instant::from_micros(self.state().newest)
    }

    async fn value(&self, name: &str) -> Result<i64, CatalogError> {
        let row = sqlx::query(sql::PLACE).bind(name).fetch_optional(&self.readers).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
    }

    /// What is known of a record.
    pub async fn record(&self, id: RecordId) -> Result<Option<Known>, CatalogError> {
        let row = sqlx::query(sql::RECORD).bind(id.to_string()).fetch_optional(&self.readers).await?;
        row.as_ref().map(known).transpose()
    }

    /// The records that carry a depositor's identifier, oldest first.
    pub async fn by_external_id(&self, external_id: &str) -> Result<Vec<Known>, CatalogError> {
        let rows = sqlx::query(sql::BY_EXTERNAL_ID).bind(external_id).fetch_all(&self.readers).await?;
        rows.iter().map(known).collect()
    }

    /// Records in the order of their accession, from `from` on.
    pub async fn records(&self, from: u64, limit: u32) -> Result<Vec<Known>, CatalogError> {
        let query = sqlx::query(sql::RECORDS).bind(from as i64).bind(limit as i64);
        query.fetch_all(&self.readers).await?.iter().map(known).collect()
    }

    /// Records with originals that wait to be read, in the order of their accession, from `from` on.
    pub async fn waiting(&self, from: u64, limit: u32) -> Result<Vec<Known>, CatalogError> {
        let query = sqlx::query(sql::WAITING).bind(from as i64).bind(limit as i64);
        query.fetch_all(&self.readers).await?.iter().map(known).collect()
    }

    /// The entries that answered requests, for those that were made before.
    pub async fn answered(&self, requests: &[Digest]) -> Result<HashMap<Digest, u64>, CatalogError> {
        if requests.is_empty() {
            return Ok(HashMap::new());
        }
        let mut query = QueryBuilder::<Sqlite>::new(sql::ANSWERED);
        push_list(&mut query, requests);
        let rows = query.build().fetch_all(&self.readers).await?;
        let answered = |row: &SqliteRow| Ok((digest(row.try_get(0)?)?, row.try_get::<i64, _>(1)? as u64));
        rows.iter().map(answered).collect()
    }

    /// What a batch is judged by: the entries that answered its requests, and the descriptions in force of its
    /// units, for those that are known. Asked by whoever applies, on the same connection: it waits for no reader.
    pub async fn grounds(&self, requests: &[Digest], units: &[Unit]) -> Result<Grounds, CatalogError> {
        let mut query = QueryBuilder::<Sqlite>::new(sql::GROUNDS);
        push_list(&mut query, requests);
        let (records, others): (Vec<Unit>, Vec<Unit>) = units.iter().partition(|unit| unit.record().is_some());
        let tables = [(&records, sql::AND_CURRENT), (&others, sql::AND_CURRENT_UNITS), (&records, sql::AND_ENDED)];
        for (some, table) in tables {
            if !some.is_empty() {
                query.push(table);
                push_list(&mut query, some);
            }
        }
        let named: HashMap<String, Unit> = units.iter().map(|unit| (unit.to_string(), *unit)).collect();
        let mut grounds = Grounds::default();
        for row in query.build().fetch_all(&self.writer).await? {
            match row.try_get::<Option<i64>, _>(1)? {
                Some(certified @ (-1 | -2)) => {
                    let unit = named.get(row.try_get::<&str, _>(0)?).copied();
                    grounds.ended.extend(unit.map(|unit| (unit, certified == -2)));
                }
                Some(seq) => {
                    grounds.answered.insert(digest(row.try_get(0)?)?, seq as u64);
                }
                None => {
                    let unit = named.get(row.try_get::<&str, _>(0)?).copied();
                    grounds.current.extend(unit.zip(Some(digest(row.try_get(2)?)?)));
                }
            }
        }
        Ok(grounds)
    }

    /// The life of a unit, oldest first.
    pub async fn life(&self, unit: impl Into<Unit>) -> Result<Vec<Happened>, CatalogError> {
        let rows = sqlx::query(sql::LIFE).bind(unit.into().to_string()).fetch_all(&self.readers).await?;
        rows.iter().map(happened).collect()
    }

    /// The record that an entry is about.
    pub async fn record_of(&self, seq: u64) -> Result<Option<RecordId>, CatalogError> {
        let row = sqlx::query(sql::ENTRY_UNIT).bind(seq as i64).fetch_optional(&self.readers).await?;
        let text: Option<String> = row.map(|row| row.try_get(0)).transpose()?.flatten();
        text.as_deref().map(record).transpose()
    }

    /// Records that a new one may be taken for: by its likeness ([`likeness`](crate::record::number::likeness): number, notation, agency and
    /// year), by the depositor's identifier (under [`namesake`] of it), or by the digest of a component. The keys
    /// are what was asked for.
    pub async fn twins(
        &self,
        likeness: Option<&str>,
        external_id: Option<&str>,
        components: &[Digest],
    ) -> Result<HashMap<String, RecordId>, CatalogError> {
        let mut query = QueryBuilder::<Sqlite>::new(sql::ALIKE);
        query.push_bind(likeness).push(sql::EACH_LIKENESS);
        if let Some(external_id) = external_id {
            query.push(sql::OR_NAMESAKES).push_bind(external_id).push(sql::EACH_NAMESAKE);
        }
        if !components.is_empty() {
            query.push(sql::OR_HOLDERS);
            push_list(&mut query, components);
            query.push(sql::EACH_HOLDER);
        }
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, record(row.try_get(1)?)?))).collect()
    }

    /// The records that hold a component with this digest, and its ordinal in each.
    pub async fn holders(&self, sha256: Digest, limit: u32) -> Result<Vec<(RecordId, u32)>, CatalogError> {
        let query = sqlx::query(sql::HOLDERS).bind(sha256.to_string()).bind(i64::from(limit));
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((record(row.try_get(0)?)?, row.try_get::<i64, _>(1)? as u32))).collect()
    }

    /// How much there is.
    pub async fn counts(&self) -> Result<Counts, CatalogError> {
        let row = sqlx::query(sql::COUNTS).fetch_one(&self.readers).await?;
        let count = |n: usize| row.try_get::<i64, _>(n).map(|count| count as u64);
        Ok(Counts { records: count(0)?, waiting: count(1)? })
    }
}

/// The form of the tables. It counts up with every change of `schema.sql`.
const FORM: i64 = 3;

/// A catalog that another version of this program made is forgotten: whoever opens it fills it from the ledger.
///
/// If we stop here, some tables are gone, the form is still another one, and the rest is forgotten the next time.
async fn forget_another_form(writer: &SqlitePool) -> Result<(), CatalogError> {
    let form: i64 = sqlx::query("PRAGMA user_version").fetch_one(writer).await?.try_get(0)?;
    if form == FORM {
        return Ok(());
    }
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    for table in sqlx::query(tables).fetch_all(writer).await? {
        let name: String = table.try_get(0)?;
        QueryBuilder::<Sqlite>::new(format!("DROP TABLE IF EXISTS \"{name}\"")).build().execute(writer).await?;
    }
    QueryBuilder::<Sqlite>::new(format!("PRAGMA user_version = {FORM}")).build().execute(writer).await?;
    Ok(())
}

/// The depositor's identifier among the keys of [`Catalog::twins`]: never a digest, nor a likeness, in which
/// letters and digits end at a bar.
pub fn namesake(external_id: &str) -> String {
    format!("id={external_id}")
}

fn push_list<T: ToString>(query: &mut QueryBuilder<Sqlite>, values: &[T]) {
    query.push("(");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value.to_string());
    }
    query.push(")");
}

fn record(text: &str) -> Result<RecordId, CatalogError> {
    text.parse().map_err(|_| CatalogError::Malformed(text.into()))
}

fn digest(text: &str) -> Result<Digest, CatalogError> {
    text.parse().map_err(|_| CatalogError::Malformed(text.into()))
}

fn known(row: &SqliteRow) -> Result<Known, CatalogError> {
    Ok(Known {
        record: record(row.try_get("record")?)?,
        seq: row.try_get::<i64, _>("seq")? as u64,
        at: Instant::from_micros(row.try_get("at")?),
        description: digest(row.try_get("description")?)?,
        external_id: row.try_get("external_id")?,
        subject: row.try_get("subject")?,
        number: row.try_get("number")?,
        notation: row.try_get("notation")?,
        issued: row.try_get("issued")?,
        agency: row.try_get("agency")?,
        custodian: row.try_get("custodian")?,
        kind: row.try_get("kind")?,
        access: row.try_get("access")?,
        fonds: row.try_get("fonds")?,
        file: row.try_get("file")?,
        waiting: row.try_get::<i64, _>("waiting")? as u64,
    })
}

fn happened(row: &SqliteRow) -> Result<Happened, CatalogError> {
    let description: Option<&str> = row.try_get("description")?;
    Ok(Happened {
        seq: row.try_get::<i64, _>("seq")? as u64,
        at: Instant::from_micros(row.try_get("at")?),
        event: row.try_get("event")?,
        description: description.map(digest).transpose()?,
    })
}
