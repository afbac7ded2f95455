//! Records that have ended, or are ordered to, and who lies where: what the end of a record is told by.
//!
//! # Why
//! *From the order on it is as if it had never been described*: the order and the forgetting are one transaction, so no
//! answer shows what is being destroyed. The identifier stays, with what the ledger says of its end.

use crate::catalog::sql::FORGET_COMPONENTS;
use crate::catalog::{
    Applied, Catalog, CatalogError, clocks::Filed, digest, record, retention::parsed, sql_retention as sql,
};
use crate::record::{
    digest::Digest,
    entry::{Event, Instant},
    id::{CaseId, FileId, RecordId},
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

/// A record that was ordered to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    pub record: RecordId,
    /// The entry of the order, and when it was given.
    pub seq: u64,
    pub at: Instant,
    pub stub: Digest,
    /// The case in which it was decided; a wrong deposit and a state secret have none.
    pub case: Option<CaseId>,
    /// As a state secret.
    pub expelled: bool,
    pub certificate: Option<Digest>,
    /// The entry that names the certificate.
    pub certified: Option<u64>,
}

impl Catalog {
    /// How a record ended, or that it is ordered to.
    pub async fn ended(&self, id: RecordId) -> Result<Option<Ended>, CatalogError> {
        // Asked on every way that keeps something: where nothing ever ended there is nothing to ask.
        if self.state().ends == 0 {
            return Ok(None);
        }
        let row = sqlx::query(sql::ENDED).bind(id.to_string()).fetch_optional(&self.readers).await?;
        row.as_ref().map(ended).transpose()
    }

    pub(in crate::catalog) async fn ends_count(&self) -> Result<u64, CatalogError> {
        let row = sqlx::query(sql::ENDS_COUNT).fetch_one(&self.readers).await?;
        Ok(row.try_get::<i64, _>(0)? as u64)
    }

    /// Orders that have no certificate yet, the oldest first.
    pub async fn orders_open(&self) -> Result<Vec<Ended>, CatalogError> {
        sqlx::query(sql::ORDERS_OPEN).fetch_all(&self.readers).await?.iter().map(ended).collect()
    }

    /// Every order in its order, from the entry `from` on.
    pub async fn ends(&self, from: u64, limit: u32) -> Result<Vec<Ended>, CatalogError> {
        let query = sqlx::query(sql::ENDS).bind(from as i64).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(ended).collect()
    }

    /// The records that lie in a file, in the order of their accession.
    pub async fn members(&self, file: FileId) -> Result<Vec<RecordId>, CatalogError> {
        let rows = sqlx::query(sql::MEMBERS).bind(file.to_string()).fetch_all(&self.readers).await?;
        rows.iter().map(|row| record(row.try_get(0)?)).collect()
    }

    /// The file that a record lies in, where it is opened.
    pub async fn file_of(&self, id: RecordId) -> Result<Option<FileId>, CatalogError> {
        let row = sqlx::query(sql::FILE_OF_RECORD).bind(id.to_string()).fetch_optional(&self.readers).await?;
        row.map(|row| parsed(row.try_get(0)?)).transpose()
    }

    /// The files that refer to a record which another file keeps.
    pub async fn sharing(&self, id: RecordId) -> Result<Vec<FileId>, CatalogError> {
        let rows = sqlx::query(sql::SHARING).bind(id.to_string()).fetch_all(&self.readers).await?;
        rows.iter().map(|row| parsed(row.try_get(0)?)).collect()
    }

    /// Nothing of what was forgotten is left in the files: rows that are taken out are overwritten, and the write-ahead
    /// log, which holds pages as they were, is emptied.
    ///
    /// If we stop here, the log is longer, and the next call empties it.
    pub async fn forget_traces(&self) -> Result<(), CatalogError> {
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.writer).await?;
        // Whoever reads meanwhile holds old pages.
        if row.try_get::<i64, _>(0)? != 0 {
            return Err(CatalogError::Busy);
        }
        Ok(())
    }
}

/// Notes orders and certificates: what is ordered to end is forgotten.
pub(in crate::catalog) async fn note(change: &mut SqliteConnection, rows: &[Applied]) -> Result<(), CatalogError> {
    let mut filed = Filed::default();
    for Applied { seq, entry, .. } in rows {
        match &entry.event {
            Event::DestructionOrdered { record, stub, case, .. } => {
                order(change, (*seq, entry.at), (*record, *stub), *case, false).await?;
                forget(change, *record, &mut filed).await?;
            }
            Event::ExpulsionOrdered { record, stub, .. } => {
                order(change, (*seq, entry.at), (*record, *stub), None, true).await?;
                forget(change, *record, &mut filed).await?;
            }
            Event::Destroyed { record, certificate } | Event::Expelled { record, certificate } => {
                let query = sqlx::query(sql::CERTIFY).bind(certificate.to_string()).bind(*seq as i64);
                query.bind(record.to_string()).execute(&mut *change).await?;
            }
            _ => {}
        }
    }
    filed.write(change).await
}

async fn order(
    change: &mut SqliteConnection,
    (seq, at): (u64, Instant),
    (record, stub): (RecordId, Digest),
    case: Option<CaseId>,
    expelled: bool,
) -> Result<(), CatalogError> {
    let mut row = QueryBuilder::<Sqlite>::new(sql::INSERT_ENDS);
    row.push_values([()], |mut row, ()| {
        row.push_bind(record.to_string()).push_bind(seq as i64).push_bind(at.micros()).push_bind(stub.to_string());
        row.push_bind(case.map(|case| case.to_string())).push_bind(i64::from(expelled));
    });
    row.build().execute(change).await?;
    Ok(())
}

async fn forget(change: &mut SqliteConnection, record: RecordId, filed: &mut Filed) -> Result<(), CatalogError> {
    let id = record.to_string();
    if let Some(row) = sqlx::query(sql::WEIGHT_OF).bind(&id).fetch_optional(&mut *change).await? {
        let has_due = row.try_get::<Option<i64>, _>(2)?.is_some();
        filed.moved(row.try_get(0)?, row.try_get(1)?, has_due, -1);
    }
    for statement in [sql::FORGET_RECORD, FORGET_COMPONENTS, sql::FORGET_SHARES_OF] {
        sqlx::query(statement).bind(&id).execute(&mut *change).await?;
    }
    Ok(())
}

fn ended(row: &SqliteRow) -> Result<Ended, CatalogError> {
    let certificate: Option<&str> = row.try_get("certificate")?;
    let case: Option<&str> = row.try_get("dossier")?;
    Ok(Ended {
        record: record(row.try_get("record")?)?,
        seq: row.try_get::<i64, _>("seq")? as u64,
        at: Instant::from_micros(row.try_get("at")?),
        stub: digest(row.try_get("stub")?)?,
        case: case.map(parsed).transpose()?,
        expelled: row.try_get::<i64, _>("expelled")? != 0,
        certificate: certificate.map(digest).transpose()?,
        certified: row.try_get::<Option<i64>, _>("certified")?.map(|seq| seq as u64),
    })
}
