//! Which audits were pledged, and what they came to.

use crate::catalog::{Applied, Catalog, CatalogError, digest, record, sql};
use crate::record::{
    audit::{Ended, NonceBy, Pledged},
    entry::Instant,
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

/// An audit, as far as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audit {
    pub pledged: Pledged,
    /// `None` where it is under way, or was interrupted.
    pub ended: Option<Ended>,
}

impl Catalog {
    /// Audits that were pledged before an entry, the newest first.
    pub async fn audits(&self, before: u64, limit: u32) -> Result<Vec<Audit>, CatalogError> {
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let rows = sqlx::query(sql::AUDITS).bind(before).bind(i64::from(limit)).fetch_all(&self.readers).await?;
        rows.iter().map(audit).collect()
    }

    /// The audit that an entry pledged.
    pub async fn audit(&self, pledge: u64) -> Result<Option<Audit>, CatalogError> {
        let pledge = i64::try_from(pledge).unwrap_or(i64::MAX);
        let row = sqlx::query(sql::AUDIT).bind(pledge).fetch_optional(&self.readers).await?;
        row.as_ref().map(audit).transpose()
    }

    /// Audits that have not ended, the oldest first.
    pub async fn audits_open(&self) -> Result<Vec<Pledged>, CatalogError> {
        let rows = sqlx::query(sql::AUDITS_OPEN).fetch_all(&self.readers).await?;
        rows.iter().map(|row| audit(row).map(|audit| audit.pledged)).collect()
    }
}

/// Notes the audits among entries: a batch may hold both the pledge and the end of one.
pub async fn note(change: &mut SqliteConnection, rows: &[Applied]) -> Result<(), CatalogError> {
    let pledged: Vec<_> = rows.iter().filter_map(|applied| Pledged::of(applied.seq, &applied.entry)).collect();
    if !pledged.is_empty() {
        let mut inserted = QueryBuilder::<Sqlite>::new(sql::INSERT_AUDITS);
        inserted.push_values(&pledged, |mut row, one| {
            row.push_bind(one.seq as i64).push_bind(one.at.micros()).push_bind(one.by.to_string());
            row.push_bind(one.size as i64).push_bind(one.root.to_string()).push_bind(one.nonce.to_string());
            row.push_bind(one.nonce_by.as_str());
            row.push_bind(i64::from(one.share_ppm)).push_bind(i64::from(one.confidence_ppm));
        });
        inserted.build().execute(&mut *change).await?;
    }
    for ended in rows.iter().filter_map(|applied| Ended::of(applied.seq, &applied.entry)) {
        let query = sqlx::query(sql::END_AUDIT).bind(ended.seq as i64).bind(ended.at.micros());
        let query = query.bind(ended.record.to_string()).bind(ended.entries as i64).bind(ended.faults as i64);
        let query = query.bind(ended.repaired as i64).bind(ended.lost as i64).bind(ended.pledge as i64);
        query.execute(&mut *change).await?;
    }
    Ok(())
}

fn audit(row: &SqliteRow) -> Result<Audit, CatalogError> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let (actor, nonce_by, pledge) = (text("actor")?, text("nonce_by")?, whole(row, "pledge")?);
    let pledged = Pledged {
        seq: pledge,
        at: Instant::from_micros(row.try_get("at")?),
        by: actor.parse().map_err(|_| CatalogError::Malformed(actor))?,
        size: whole(row, "size")?,
        root: digest(&text("root")?)?,
        nonce: digest(&text("nonce")?)?,
        nonce_by: NonceBy::read(&nonce_by).ok_or(CatalogError::Malformed(nonce_by))?,
        share_ppm: whole(row, "share_ppm")? as u32,
        confidence_ppm: whole(row, "confidence_ppm")? as u32,
    };
    let ended = match row.try_get::<Option<i64>, _>("ended")? {
        None => None,
        Some(seq) => Some(Ended {
            seq: seq as u64,
            at: Instant::from_micros(row.try_get("ended_at")?),
            pledge,
            record: record(&text("record")?)?,
            entries: whole(row, "entries")?,
            faults: whole(row, "faults")?,
            repaired: whole(row, "repaired")?,
            lost: whole(row, "lost")?,
        }),
    };
    Ok(Audit { pledged, ended })
}

fn whole(row: &SqliteRow, name: &str) -> Result<u64, CatalogError> {
    Ok(row.try_get::<i64, _>(name)? as u64)
}
