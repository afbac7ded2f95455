//! Which checkpoints authorities have stamped.

use crate::catalog::{Catalog, CatalogError, digest, sql};
use crate::record::{
    entry::Instant,
    stamp::{AuthorityCode, Stamped},
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

impl Catalog {
    /// What an authority said of the checkpoint of a size.
    pub async fn timestamp_at(&self, size: u64, authority: &AuthorityCode) -> Result<Option<Stamped>, CatalogError> {
        let query = sqlx::query(sql::TIMESTAMP_AT).bind(size as i64).bind(authority.to_string());
        query.fetch_optional(&self.readers).await?.as_ref().map(stamped).transpose()
    }

    /// The last timestamp of an authority.
    pub async fn last_timestamp(&self, authority: &AuthorityCode) -> Result<Option<Stamped>, CatalogError> {
        let query = sqlx::query(sql::LAST_TIMESTAMP).bind(authority.to_string());
        query.fetch_optional(&self.readers).await?.as_ref().map(stamped).transpose()
    }

    /// The first timestamp that covers an entry: of the smallest tree that has it.
    pub async fn timestamp_over(&self, seq: u64) -> Result<Option<Stamped>, CatalogError> {
        let row = sqlx::query(sql::TIMESTAMP_OVER).bind(seq as i64).fetch_optional(&self.readers).await?;
        row.as_ref().map(stamped).transpose()
    }

    /// Entries from `from` on, before `to`, that say something else than that there is a timestamp.
    pub async fn entries_but_timestamps(&self, from: u64, to: u64) -> Result<u64, CatalogError> {
        let query = sqlx::query(sql::ENTRIES_BUT_TIMESTAMPS).bind(from as i64).bind(to as i64);
        Ok(query.fetch_one(&self.readers).await?.try_get::<i64, _>(0)? as u64)
    }
}

/// Notes the timestamps among entries.
pub async fn note(change: &mut SqliteConnection, stamps: &[Stamped]) -> Result<(), CatalogError> {
    if stamps.is_empty() {
        return Ok(());
    }
    let mut rows = QueryBuilder::<Sqlite>::new(sql::INSERT_TIMESTAMPS);
    rows.push_values(stamps, |mut row, one| {
        row.push_bind(one.size as i64).push_bind(one.authority.to_string()).push_bind(one.seq as i64);
        row.push_bind(one.time.micros()).push_bind(one.until.micros());
        row.push_bind(one.checkpoint.to_string()).push_bind(one.token.to_string()).push_bind(one.chain.to_string());
    });
    rows.push(sql::KEEP_TIMESTAMP).build().execute(change).await?;
    Ok(())
}

fn stamped(row: &SqliteRow) -> Result<Stamped, CatalogError> {
    let authority: String = row.try_get("authority")?;
    Ok(Stamped {
        seq: row.try_get::<i64, _>("seq")? as u64,
        size: row.try_get::<i64, _>("size")? as u64,
        authority: authority.clone().try_into().map_err(|_| CatalogError::Malformed(authority))?,
        time: Instant::from_micros(row.try_get("time")?),
        until: Instant::from_micros(row.try_get("until")?),
        checkpoint: digest(row.try_get("checkpoint")?)?,
        token: digest(row.try_get("token")?)?,
        chain: digest(row.try_get("chain")?)?,
    })
}
