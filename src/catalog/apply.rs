//! The fold: entries in, rows out.

use crate::catalog::{
    Catalog, CatalogError, Entry, State, audits,
    clocks::{Clocks, Column, Filed, facts_text, with_file},
    ends, holds, sql, sql_retention, timestamps, units,
};
use crate::record::{
    component::Component,
    described::Described,
    description::Description,
    digest::Digest,
    entry::Instant,
    id::RecordId,
    metadata::Metadata,
    number,
    retention::{assign::facts_of_record, clock::Reading},
    stamp::Stamped,
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
use std::collections::BTreeMap;

/// One entry with what it names: the description is absent where the record has been destroyed since.
#[derive(Clone, Debug)]
pub struct Applied {
    pub seq: u64,
    pub entry: Entry,
    pub description: Option<Described>,
}

/// Rows in one statement: SQLite takes 32,766 values, the widest row here has 24.
const ROWS_MAX: usize = 500;

impl Catalog {
    /// Applies entries in the order of the ledger, all or none. They begin where the last ones ended; `root` is
    /// that of the ledger after them.
    ///
    /// If we stop here, nothing was applied and the same entries come again.
    pub async fn apply(&self, entries: &[Applied], root: Digest) -> Result<(), CatalogError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
        let applied = self.applied();
        if first.seq != applied {
            return Err(CatalogError::OutOfOrder { applied, base: first.seq });
        }
        let mut change = self.writer.begin().await?;
        let reading = self.state().reading;
        for rows in entries.chunks(ROWS_MAX) {
            note_entries(&mut change, rows).await?;
            units::note(&mut change, rows, reading).await?;
            replace_records(&mut change, rows, reading).await?;
            holds::note(&mut change, rows).await?;
            // Last: what one of these describes and another orders to end is forgotten.
            ends::note(&mut change, rows).await?;
        }
        let ordered = entries.iter().filter(|one| one.entry.event.ends().is_some()).count() as u64;
        let ends = self.state().ends + ordered;
        let state = State { applied: last.seq + 1, newest: last.entry.at.micros(), reading, ends };
        let place = [("applied".to_owned(), state.applied as i64), ("newest".to_owned(), state.newest)];
        let mut rows = QueryBuilder::<Sqlite>::new(sql::INSERT_PLACE);
        rows.push_values(place.into_iter().chain(root_values(root)), |mut row, (name, value)| {
            row.push_bind(name).push_bind(value);
        });
        rows.push(sql::REPLACE_PLACE).build().execute(&mut *change).await?;
        change.commit().await?;
        *self.state() = state;
        Ok(())
    }
}

/// A root as four numbers, which is what the catalog keeps of its place.
fn root_values(Digest(bytes): Digest) -> [(String, i64); 4] {
    std::array::from_fn(|part| {
        let eight = bytes[part * 8..][..8].iter().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
        (format!("root{part}"), eight as i64)
    })
}

impl Catalog {
    /// Is this the root of the ledger after the entries that have been applied? If not, they were another history's.
    pub async fn stands_on(&self, root: Digest) -> Result<bool, CatalogError> {
        for (name, value) in root_values(root) {
            if self.value(&name).await? != value {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Forgets everything.
    ///
    /// If we stop here, nothing or all of it is forgotten.
    pub async fn clear(&self) -> Result<(), CatalogError> {
        let mut change = self.writer.begin().await?;
        for statement in sql::CLEAR {
            sqlx::query(statement).execute(&mut *change).await?;
        }
        change.commit().await?;
        let reading = self.state().reading;
        *self.state() = State { reading, ..State::default() };
        Ok(())
    }
}

async fn note_entries(change: &mut SqliteConnection, rows: &[Applied]) -> Result<(), CatalogError> {
    let mut requests = QueryBuilder::<Sqlite>::new(sql::INSERT_REQUESTS);
    requests.push_values(rows, |mut row, applied| {
        row.push_bind(applied.entry.request.to_string()).push_bind(applied.seq as i64);
    });
    requests.build().execute(&mut *change).await?;
    let mut entries = QueryBuilder::<Sqlite>::new(sql::INSERT_ENTRIES);
    entries.push_values(rows, |mut row, Applied { seq, entry, .. }| {
        row.push_bind(*seq as i64).push_bind(entry.at.micros()).push_bind(entry.event.name());
        row.push_bind(entry.event.unit().map(|unit| unit.to_string()));
        row.push_bind(entry.event.description().map(|digest| digest.to_string()));
    });
    entries.build().execute(&mut *change).await?;
    let stamps: Vec<_> = rows.iter().filter_map(|applied| Stamped::of(applied.seq, &applied.entry.event)).collect();
    timestamps::note(change, &stamps).await?;
    audits::note(change, rows).await
}

/// What is to be written of one record: where it was accessioned, and its last description in these rows.
struct Latest<'a> {
    seq: i64,
    at: i64,
    entry: &'a Entry,
    description: &'a Description,
}

/// The last description of each record in these rows. A rebuild reads only that one, so the accession
/// itself may come without its description, in these rows or in earlier ones.
async fn latest<'a>(
    change: &mut SqliteConnection,
    rows: &'a [Applied],
) -> Result<BTreeMap<RecordId, Latest<'a>>, CatalogError> {
    let (mut accessions, mut last) = (BTreeMap::new(), BTreeMap::new());
    for applied in rows {
        let Some(record) = applied.entry.event.record() else { continue };
        if applied.entry.event.name() == ACCESSIONED {
            accessions.insert(record, (applied.seq as i64, applied.entry.at.micros()));
        }
        if let Some(description) = &applied.description {
            last.extend(description.record().map(|description| (record, (applied, &**description))));
        }
    }
    let mut latest = BTreeMap::new();
    for (record, (applied, description)) in last {
        let (seq, at) = match accessions.get(&record) {
            Some(accession) => *accession,
            None => {
                let row = sqlx::query(sql::ACCESSION).bind(record.to_string()).fetch_optional(&mut *change).await?;
                let found = row.map(|row| Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?))).transpose()?;
                found.unwrap_or((applied.seq as i64, applied.entry.at.micros()))
            }
        };
        latest.insert(record, Latest { seq, at, entry: &applied.entry, description });
    }
    Ok(latest)
}

const ACCESSIONED: &str = "accessioned";
/// No access level: nobody sees it.
const HIDDEN: &str = "hidden";

/// What the row of a record says of its end: its own class and when it is due by that, where it has one or is loose.
struct Clock {
    facts: String,
    column: Option<Column>,
}

async fn clock(
    change: &mut SqliteConnection,
    clocks: &mut Clocks,
    at: Instant,
    told: &Metadata,
) -> Result<Clock, CatalogError> {
    let facts = facts_of_record(told, at);
    let column = match (&told.class, &told.file) {
        (None, Some(_)) => None,
        (class, file) => {
            let counted = with_file(change, file.as_deref(), facts.clone()).await?;
            Some(clocks.due(change, class.as_ref(), &counted).await?)
        }
    };
    Ok(Clock { facts: facts_text(&facts)?, column })
}

pub(in crate::catalog) async fn replace_records(
    change: &mut SqliteConnection,
    rows: &[Applied],
    reading: Reading,
) -> Result<(), CatalogError> {
    let latest = latest(change, rows).await?;
    if latest.is_empty() {
        return Ok(());
    }
    let (mut clocks, mut filed, mut told) = (Clocks::new(reading), Filed::default(), Vec::new());
    for (record, one) in &latest {
        if one.entry.event.name() != ACCESSIONED {
            let row =
                sqlx::query(sql_retention::WEIGHT_OF).bind(record.to_string()).fetch_optional(&mut *change).await?;
            if let Some(row) = row {
                filed.moved(row.try_get(0)?, row.try_get(1)?, row.try_get::<Option<i64>, _>(2)?.is_some(), -1);
            }
        }
        let about = &one.description.metadata;
        let clock = clock(change, &mut clocks, one.entry.at, about).await?;
        let bytes = one.description.components.iter().map(|component| component.size as i64).sum::<i64>();
        filed.moved(about.file.as_deref(), bytes, clock.column.is_some(), 1);
        told.push((record, one, clock, bytes));
    }
    let mut records = QueryBuilder::<Sqlite>::new(sql::INSERT_RECORDS);
    records.push_values(&told, |mut row, (record, one, clock, bytes)| {
        let Latest { seq, at, entry, description } = one;
        let told = &description.metadata;
        row.push_bind(record.to_string()).push_bind(*seq).push_bind(*at);
        row.push_bind(entry.event.description().map(|digest| digest.to_string()));
        row.push_bind(&told.external_id).push_bind(&told.subject).push_bind(&told.number).push_bind(&told.notation);
        row.push_bind(number::likeness(told)).push_bind(told.issued.map(|date| date.to_string()));
        row.push_bind(&told.agency).push_bind(&told.custodian).push_bind(&told.kind);
        row.push_bind(description.access().map_or(HIDDEN, |access| access.as_str()));
        row.push_bind(&told.fonds).push_bind(&told.file).push_bind(description.unread_yet().count() as i64);
        let class = told.class.as_ref();
        row.push_bind(*bytes).push_bind(class.map(|class| class.schedule.to_string()));
        row.push_bind(class.map(|class| i64::from(class.version))).push_bind(class.map(|class| class.class.clone()));
        row.push_bind(class.map(|_| clock.facts.clone()));
        row.push_bind(clock.column.as_ref().map(|column| column.due.to_string()));
        row.push_bind(clock.column.as_ref().map(|column| column.rank));
    });
    records.push(sql::REPLACE_RECORD).build().execute(&mut *change).await?;
    drop(told);
    filed.write(change).await?;
    replace_components(change, &latest).await
}

async fn replace_components(
    change: &mut SqliteConnection,
    latest: &BTreeMap<RecordId, Latest<'_>>,
) -> Result<(), CatalogError> {
    for (record, one) in latest {
        if one.entry.event.name() != ACCESSIONED {
            sqlx::query(sql::FORGET_COMPONENTS).bind(record.to_string()).execute(&mut *change).await?;
        }
    }
    let of = |(record, one): (&RecordId, &Latest)| {
        let record = record.to_string();
        let row = move |c: &Component| (record.clone(), c.ordinal, c.sha256);
        one.description.components.iter().map(row).collect::<Vec<_>>()
    };
    let components: Vec<_> = latest.iter().flat_map(of).collect();
    for some in components.chunks(ROWS_MAX * 10) {
        let mut rows = QueryBuilder::<Sqlite>::new(sql::INSERT_COMPONENTS);
        rows.push_values(some, |mut row, (record, ordinal, sha256)| {
            row.push_bind(record).push_bind(*ordinal as i64).push_bind(sha256.to_string());
        });
        rows.build().execute(&mut *change).await?;
    }
    Ok(())
}
