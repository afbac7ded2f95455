//! What is *not* evidence: accounts and their keys, who the local operator is, which rows of which manifest
//! were handed over under which key, the largest checkpoint that this machine has seen committed, and what is to become
//! evidence: the consultations of a day that is not over.
//!
//! An ordinary database, backed up as one. If it is lost, accounts and drafts come back from a backup, a
//! half-done ingest can no longer be told from a new one, and rollback is caught by receipts alone.
//!
//! # Why
//! *The journal is here and not in the ledger*: an idempotency key is random and stays with the client, so
//! that its trace in the ledger tells nothing of the content. The client of `vankho ingest` is this desk.

pub mod accounts;
mod consultations;
pub mod password;
pub mod snapshot;
pub mod withdrawals;
pub mod witnesses;

use crate::record::{
    digest::{Digest, hex, unhex},
    fixity::Progress,
    id::ActorId,
    package::Promise,
};
use sqlx::{
    QueryBuilder, Row, Sqlite,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous},
};
use std::{collections::HashMap, path::Path, str::FromStr};

const SCHEMA: [&str; 6] = [
    "CREATE TABLE IF NOT EXISTS replicas (number BIGINT PRIMARY KEY, healed BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS fixity (place BIGINT PRIMARY KEY, round TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS checkpoints (size BIGINT PRIMARY KEY, note TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS losses (size BIGINT NOT NULL, note TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS journal (source TEXT NOT NULL, identity TEXT NOT NULL, key TEXT NOT NULL, \
     record TEXT NOT NULL, PRIMARY KEY (source, identity))",
];

/// The desk of one archive.
#[derive(Clone, Debug)]
pub struct Desk {
    pool: SqlitePool,
}

/// What can go wrong at the desk.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    #[error("the desk cannot be used: {0}; bring desk/ back from a backup, or move it away to begin a new one")]
    Database(#[from] sqlx::Error),
    #[error("a password could not be hashed; try again")]
    Password,
    #[error("the desk holds {0:?} where something else belongs; bring desk/ back from a backup")]
    Malformed(String),
}

impl Desk {
    /// Opens the desk in a file, or makes it; `None` is a desk in memory.
    pub async fn open(file: Option<&Path>) -> Result<Desk, DeskError> {
        let options = match file {
            Some(path) => SqliteConnectOptions::new().filename(path).create_if_missing(true),
            None => SqliteConnectOptions::from_str("sqlite::memory:")?,
        };
        // A key that is forgotten after it was used would take a row in twice: synced before it is used.
        let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = pool.connect_with(options).await?;
        for statement in SCHEMA
            .into_iter()
            .chain(accounts::SCHEMA)
            .chain(witnesses::SCHEMA)
            .chain(consultations::SCHEMA)
            .chain(withdrawals::SCHEMA)
        {
            sqlx::query(statement).execute(&pool).await?;
        }
        Ok(Desk { pool })
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The local operator; `new` is who that is from now on, if nobody was yet.
    pub async fn operator(&self, new: ActorId) -> Result<ActorId, DeskError> {
        let insert = "INSERT INTO settings (name, value) VALUES ('operator', $1) ON CONFLICT (name) DO NOTHING";
        sqlx::query(insert).bind(new.to_string()).execute(&self.pool).await?;
        let row = sqlx::query("SELECT value FROM settings WHERE name = 'operator'").fetch_one(&self.pool).await?;
        let text: String = row.try_get(0)?;
        text.parse().map_err(|_| DeskError::Malformed(text))
    }

    /// The largest checkpoint known here: tree size and signed note.
    pub async fn checkpoint(&self) -> Result<Option<(u64, String)>, DeskError> {
        let select = "SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1";
        let row = sqlx::query(select).fetch_optional(&self.pool).await?;
        row.map(|row| Ok((row.try_get::<i64, _>(0)? as u64, row.try_get(1)?))).transpose()
    }

    /// Remembers a checkpoint and forgets the smaller ones.
    pub async fn remember(&self, size: u64, note: &str) -> Result<(), DeskError> {
        let mut change = self.pool.begin().await?;
        let insert = "INSERT INTO checkpoints (size, note) VALUES ($1, $2) ON CONFLICT (size) DO NOTHING";
        sqlx::query(insert).bind(size as i64).bind(note).execute(&mut *change).await?;
        sqlx::query("DELETE FROM checkpoints WHERE size < $1").bind(size as i64).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }

    /// What the checkpoints known here stand on is lost, and somebody took that: they are evidence, and hinder nobody.
    ///
    /// If we stop here, they hinder still or they do not.
    pub async fn take_losses(&self) -> Result<(), DeskError> {
        let mut change = self.pool.begin().await?;
        let keep = "INSERT INTO losses (size, note) SELECT size, note FROM checkpoints WHERE true ON CONFLICT (note) DO NOTHING";
        sqlx::query(keep).execute(&mut *change).await?;
        sqlx::query("DELETE FROM checkpoints").execute(&mut *change).await?;
        Ok(change.commit().await?)
    }

    /// The checkpoints of what was lost: tree sizes and signed notes.
    pub async fn losses(&self) -> Result<Vec<(u64, String)>, DeskError> {
        let rows = sqlx::query("SELECT size, note FROM losses ORDER BY size").fetch_all(&self.pool).await?;
        rows.into_iter().map(|row| Ok((row.try_get::<i64, _>(0)? as u64, row.try_get(1)?))).collect()
    }

    /// How many entries the replica of a number is known to hold with all that they name; `None` where it never joined.
    pub async fn healed(&self, number: u32) -> Result<Option<u64>, DeskError> {
        let select = "SELECT healed FROM replicas WHERE number = $1";
        let row = sqlx::query(select).bind(i64::from(number)).fetch_optional(&self.pool).await?;
        row.map(|row| Ok(row.try_get::<i64, _>(0)? as u64)).transpose()
    }

    /// Remembers it.
    pub async fn set_healed(&self, number: u32, entries: u64) -> Result<(), DeskError> {
        let insert = "INSERT INTO replicas (number, healed) VALUES ($1, $2) \
                      ON CONFLICT (number) DO UPDATE SET healed = excluded.healed";
        sqlx::query(insert).bind(i64::from(number)).bind(entries as i64).execute(&self.pool).await?;
        Ok(())
    }

    /// Nothing is known any more of what the replica of a number holds.
    pub async fn forget_healed(&self, number: u32) -> Result<(), DeskError> {
        sqlx::query("DELETE FROM replicas WHERE number = $1").bind(i64::from(number)).execute(&self.pool).await?;
        Ok(())
    }

    /// How far a place has been read and hashed again.
    pub async fn fixity(&self, place: u32) -> Result<Progress, DeskError> {
        let select = "SELECT round FROM fixity WHERE place = $1";
        let row = sqlx::query(select).bind(i64::from(place)).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(Progress::default()) };
        let text: String = row.try_get(0)?;
        serde_json::from_str(&text).map_err(|_| DeskError::Malformed(text))
    }

    /// Remembers it.
    ///
    /// If we stop here, what was looked at since the last time is looked at again.
    pub async fn set_fixity(&self, place: u32, progress: &Progress) -> Result<(), DeskError> {
        let text = serde_json::to_string(progress).map_err(|fault| DeskError::Malformed(fault.to_string()))?;
        let insert = "INSERT INTO fixity (place, round) VALUES ($1, $2) \
                      ON CONFLICT (place) DO UPDATE SET round = excluded.round";
        sqlx::query(insert).bind(i64::from(place)).bind(text).execute(&self.pool).await?;
        Ok(())
    }

    /// The promises for some rows of a source: those made before, and `make()` for each row that is new.
    ///
    /// If we stop here, the promises stand and the next run finds them.
    pub async fn promises(
        &self,
        source: &str,
        rows: &[Digest],
        mut make: impl FnMut() -> Promise,
    ) -> Result<Vec<Promise>, DeskError> {
        let mut change = self.pool.begin().await?;
        let mut select = QueryBuilder::<Sqlite>::new("SELECT identity, key, record FROM journal WHERE source = ");
        select.push_bind(source).push(" AND identity IN (");
        let mut list = select.separated(", ");
        for row in rows {
            list.push_bind(row.to_string());
        }
        select.push(")");
        let mut known = HashMap::new();
        for row in select.build().fetch_all(&mut *change).await? {
            let (identity, key, record): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            known.insert(identity, promise(&key, &record).ok_or(DeskError::Malformed(record))?);
        }
        let (mut promises, mut new) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            let identity = row.to_string();
            let promise = *known.entry(identity.clone()).or_insert_with(|| {
                let made = make();
                new.push((identity, made));
                made
            });
            promises.push(promise);
        }
        if !new.is_empty() {
            let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO journal (source, identity, key, record) ");
            insert.push_values(&new, |mut row, (identity, made)| {
                row.push_bind(source).push_bind(identity).push_bind(hex(&made.key)).push_bind(made.record.to_string());
            });
            insert.build().execute(&mut *change).await?;
        }
        change.commit().await?;
        Ok(promises)
    }
}

fn promise(key: &str, record: &str) -> Option<Promise> {
    Some(Promise { key: unhex(key)?.try_into().ok()?, record: record.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::id::RecordId;

    #[tokio::test]
    async fn a_row_keeps_its_promise() {
        let desk = Desk::open(None).await.unwrap();
        let mut n = 0;
        let mut make = || {
            n += 1;
            Promise { key: [n; 32], record: RecordId::new(n as u64, [n; 10]) }
        };
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let first = desk.promises("s", &[a], &mut make).await.unwrap();
        let again = desk.promises("s", &[b, a], &mut make).await.unwrap();
        assert_eq!(again[1], first[0]);
        assert_ne!(again[0], first[0]);
        assert_ne!(desk.promises("t", &[a], &mut make).await.unwrap()[0], first[0], "another source, another row");
    }

    #[tokio::test]
    async fn only_the_largest_checkpoint_is_remembered() {
        let desk = Desk::open(None).await.unwrap();
        for size in [3, 7, 5] {
            desk.remember(size, &format!("note {size}")).await.unwrap();
        }
        assert_eq!(desk.checkpoint().await.unwrap(), Some((7, "note 7".into())));
    }

    #[tokio::test]
    async fn a_loss_that_is_taken_stays_as_evidence_and_hinders_nobody() {
        let desk = Desk::open(None).await.unwrap();
        desk.remember(7, "note 7").await.unwrap();
        for _ in 0..2 {
            desk.take_losses().await.unwrap();
            assert_eq!(desk.checkpoint().await.unwrap(), None);
            assert_eq!(desk.losses().await.unwrap(), [(7, "note 7".to_owned())]);
        }
        desk.remember(3, "note 3").await.unwrap();
        assert_eq!(desk.checkpoint().await.unwrap(), Some((3, "note 3".into())));
    }
}
