//! What has descriptions of its own and is no record: fonds, files, schedules, holds, cases and lists, and the order in
//! which everything that is described began.

use crate::catalog::{
    Applied, Catalog, CatalogError, apply, arranged, digest, holds, lists, record, retention, sql, sql_retention,
};
use crate::record::{
    described::Described,
    digest::Digest,
    entry::Instant,
    retention::clock::Reading,
    unit::{Kind, Unit},
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

/// A unit that is no record, and its description in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub unit: Unit,
    /// The entry that opened it, counted from 0.
    pub seq: u64,
    /// When it was opened.
    pub at: Instant,
    pub description: Digest,
}

/// Where something that is described began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    pub unit: Unit,
    pub seq: u64,
    /// A record whose description could not be read is in the ledger, and not yet among what is known.
    pub known: bool,
}

impl Catalog {
    /// A unit that is no record.
    pub async fn unit(&self, unit: Unit) -> Result<Option<Opened>, CatalogError> {
        let row = sqlx::query(sql::UNIT).bind(unit.to_string()).fetch_optional(&self.readers).await?;
        let opened = row.as_ref().map(opened).transpose()?;
        Ok(opened.filter(|opened| opened.unit == unit))
    }

    /// The units of a kind in the order in which they were opened, from the entry `from` on.
    pub async fn units(&self, kind: Kind, from: u64, limit: u32) -> Result<Vec<Opened>, CatalogError> {
        let query = sqlx::query(sql::UNITS).bind(kind.as_str()).bind(from as i64).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(opened).collect()
    }

    /// Everything that is described, in the order in which it began, from the entry `from` on. It goes by the ledger:
    /// also what could not be read when it was applied is there.
    pub async fn beginnings(&self, from: u64, limit: u32) -> Result<Vec<Begun>, CatalogError> {
        let query = sqlx::query(sql::BEGINNINGS).bind(from as i64).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(begun).collect()
    }

    /// Takes in what is known of a record whose description could not be read when it was applied. Answers whether that
    /// was so: what is known already is newer.
    ///
    /// If we stop here, it is still unknown, and the next look takes it in.
    pub async fn supply(&self, applied: Applied) -> Result<bool, CatalogError> {
        let Some(unit) = applied.entry.event.unit() else { return Ok(false) };
        let mut change = self.writer.begin().await?;
        let there = sqlx::query(sql::RECORD).bind(unit.to_string()).fetch_optional(&mut *change).await?;
        let ended = sqlx::query(sql_retention::ENDED).bind(unit.to_string()).fetch_optional(&mut *change).await?;
        if there.is_some() || ended.is_some() {
            return Ok(false);
        }
        let reading = self.state().reading;
        apply::replace_records(&mut change, &[applied], reading).await?;
        change.commit().await?;
        Ok(true)
    }
}

/// Notes the units that entries open or describe anew.
pub(in crate::catalog) async fn note(
    change: &mut SqliteConnection,
    rows: &[Applied],
    reading: Reading,
) -> Result<(), CatalogError> {
    // One at a time: a statement may not write a row twice, and there are few.
    for Applied { seq, entry, description: told } in rows {
        let Some((unit, description)) = entry.event.names().filter(|(unit, _)| unit.record().is_none()) else {
            continue;
        };
        let mut row = QueryBuilder::<Sqlite>::new(sql::INSERT_UNITS);
        row.push_values([()], |mut row, ()| {
            row.push_bind(unit.to_string()).push_bind(unit.kind().as_str()).push_bind(*seq as i64);
            row.push_bind(entry.at.micros()).push_bind(description.to_string());
        });
        let began = row.push(sql::REPLACE_UNIT).build().fetch_one(&mut *change).await?;
        let (first, first_at): (i64, i64) = (began.try_get("seq")?, began.try_get("at")?);
        let (at, when) = (entry.at, (first as u64, Instant::from_micros(first_at)));
        match told {
            Some(Described::Schedule(told)) => retention::note(change, (*seq, description), told, reading).await?,
            Some(Described::Hold(told)) => holds::note_hold(change, when, (at, description), told).await?,
            Some(Described::Case(told)) => holds::note_case(change, when, description, told).await?,
            Some(Described::Plan(told)) => lists::note_plan(change, told).await?,
            Some(Described::Backlog(told)) => lists::note_backlog(change, told).await?,
            told => arranged::note(change, told.as_ref(), at, reading).await?,
        }
    }
    Ok(())
}

fn kind(name: &str) -> Result<Kind, CatalogError> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == name);
    kind.ok_or_else(|| CatalogError::Malformed(name.into()))
}

fn unit(kind: Kind, id: &str) -> Result<Unit, CatalogError> {
    kind.unit(id).map_err(|_| CatalogError::Malformed(id.into()))
}

pub(in crate::catalog) fn opened(row: &SqliteRow) -> Result<Opened, CatalogError> {
    Ok(Opened {
        unit: unit(kind(row.try_get("kind")?)?, row.try_get("unit")?)?,
        seq: row.try_get::<i64, _>("seq")? as u64,
        at: Instant::from_micros(row.try_get("at")?),
        description: digest(row.try_get("description")?)?,
    })
}

fn begun(row: &SqliteRow) -> Result<Begun, CatalogError> {
    let (seq, id): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
    let (other, known): (Option<&str>, Option<&str>) = (row.try_get(2)?, row.try_get(3)?);
    let unit = match other {
        Some(name) => unit(kind(name)?, id)?,
        None => record(id)?.into(),
    };
    Ok(Begun { unit, seq: seq as u64, known: other.is_some() || known.is_some() })
}
