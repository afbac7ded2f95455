//! Holds, and what they lie on; cases, and what stands on their lists.

use crate::catalog::{Applied, Catalog, CatalogError, digest, push_list, retention::parsed, sql_retention as sql};
use crate::record::{
    digest::Digest,
    disposition::case::{Case, Outcome, Stage, Unit as CaseUnit},
    entry::{Event, Instant},
    hold::{Hold, Reason, Scope},
    id::{ActorId, CaseId, FileId, FondsId, HoldId},
    unit::{Kind, Unit},
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};
use std::collections::HashMap;

/// A hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownHold {
    pub hold: HoldId,
    /// The entry that opened it.
    pub seq: u64,
    pub at: Instant,
    /// Its description in force.
    pub description: Digest,
    /// `record`, `file`, `fonds` or `search`.
    pub scope: String,
    pub authority: String,
    pub reason: Reason,
    pub asked_by: ActorId,
    pub released: Option<Instant>,
    /// On how many units it was placed.
    pub placed: u64,
}

/// That a hold lies, or lay, on something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placement {
    pub hold: HoldId,
    pub unit: Unit,
    pub asked_by: ActorId,
    pub seq: u64,
    pub at: Instant,
    /// The entry that released it, and when.
    pub released: Option<u64>,
    pub released_at: Option<Instant>,
}

/// A case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownCase {
    pub case: CaseId,
    /// The entry that opened it.
    pub seq: u64,
    pub at: Instant,
    /// Its description in force.
    pub description: Digest,
    pub agency: String,
    pub stage: Stage,
    pub listed: u32,
    pub decided_on: Option<Instant>,
}

impl Catalog {
    /// Every hold, the newest first.
    pub async fn holds(&self) -> Result<Vec<KnownHold>, CatalogError> {
        sqlx::query(sql::HOLDS).fetch_all(&self.readers).await?.iter().map(hold).collect()
    }

    pub async fn hold(&self, id: HoldId) -> Result<Option<KnownHold>, CatalogError> {
        let row = sqlx::query(sql::HOLD).bind(id.to_string()).fetch_optional(&self.readers).await?;
        row.as_ref().map(hold).transpose()
    }

    /// Who asked for some holds, and whether they were released. Asked by whoever applies, on the same connection.
    pub async fn asked(&self, holds: &[HoldId]) -> Result<HashMap<HoldId, (ActorId, bool)>, CatalogError> {
        let mut query = QueryBuilder::<Sqlite>::new(sql::ASKED);
        push_list(&mut query, holds);
        let rows = query.build().fetch_all(&self.writer).await?;
        let one = |row: &SqliteRow| {
            let released: Option<i64> = row.try_get(2)?;
            Ok((parsed(row.try_get(0)?)?, (parsed(row.try_get(1)?)?, released.is_some())))
        };
        rows.iter().map(one).collect()
    }

    /// What a hold was placed on, in that order, from the entry `from` on.
    pub async fn placements(&self, id: HoldId, from: u64, limit: u32) -> Result<Vec<Placement>, CatalogError> {
        let query = sqlx::query(sql::PLACEMENTS).bind(id.to_string()).bind(from as i64).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(placement).collect()
    }

    /// The holds in force that cover something: on itself, on the file and the fonds that it lies in; of a file also
    /// those on records in it.
    pub async fn holds_on(&self, unit: Unit) -> Result<Vec<Placement>, CatalogError> {
        let mut all = self.holds_ever_on(unit).await?;
        all.retain(|one| one.released.is_none());
        Ok(all)
    }

    /// The same, released ones too.
    pub async fn holds_ever_on(&self, unit: Unit) -> Result<Vec<Placement>, CatalogError> {
        let (mut on, mut inside) = (vec![unit], None);
        match unit {
            Unit::Record(record) => {
                let file = self.file_of(record).await?;
                let known = self.record(record).await?;
                let of_file = match file {
                    Some(file) => self.file(file).await?.map(|file| file.fonds),
                    None => None,
                };
                on.extend(file.map(Unit::from));
                on.extend(of_file.map(Unit::from));
                if let Some(code) = known.and_then(|known| known.fonds) {
                    on.extend(self.fonds_of_code(&code).await?.into_iter().map(|fonds| Unit::from(fonds.fonds)));
                }
            }
            Unit::File(file) => {
                let known = self.file(file).await?;
                on.extend(known.iter().map(|known| Unit::from(known.fonds)));
                inside = known.and_then(|known| known.code);
            }
            _ => {}
        }
        on.sort();
        on.dedup();
        let mut found = Vec::new();
        for one in on {
            let rows = sqlx::query(sql::PLACEMENTS_ON).bind(one.to_string()).fetch_all(&self.readers).await?;
            found.extend(rows.iter().map(placement).collect::<Result<Vec<_>, _>>()?);
        }
        if let Some(code) = inside {
            let rows = sqlx::query(sql::PLACEMENTS_INSIDE).bind(code).fetch_all(&self.readers).await?;
            found.extend(rows.iter().map(placement).collect::<Result<Vec<_>, _>>()?);
        }
        found.sort_by_key(|one| one.seq);
        Ok(found)
    }

    /// Every case, the newest first.
    pub async fn cases(&self) -> Result<Vec<KnownCase>, CatalogError> {
        sqlx::query(sql::CASES).fetch_all(&self.readers).await?.iter().map(case).collect()
    }

    /// The open cases on whose lists something stands.
    pub async fn cases_of(&self, unit: Unit) -> Result<Vec<CaseId>, CatalogError> {
        let rows = sqlx::query(sql::CASES_OF).bind(unit.to_string()).fetch_all(&self.readers).await?;
        rows.iter().map(|row| parsed(row.try_get(0)?)).collect()
    }
}

/// Notes the description of a hold.
pub(in crate::catalog) async fn note_hold(
    change: &mut SqliteConnection,
    (seq, began): (u64, Instant),
    (at, named): (Instant, Digest),
    told: &Hold,
) -> Result<(), CatalogError> {
    let scope = match told.scope {
        Scope::Record { .. } => "record",
        Scope::File { .. } => "file",
        Scope::Fonds { .. } => "fonds",
        Scope::Search { .. } => "search",
    };
    let mut row = QueryBuilder::<Sqlite>::new(sql::INSERT_HOLDS);
    row.push_values([told], |mut row, told| {
        row.push_bind(told.hold.to_string())
            .push_bind(seq as i64)
            .push_bind(began.micros())
            .push_bind(named.to_string());
        row.push_bind(scope).push_bind(&told.authority).push_bind(told.reason.as_str());
        row.push_bind(told.asked_by.to_string()).push_bind(told.released.as_ref().map(|_| at.micros()));
    });
    row.push(sql::REPLACE_HOLD).build().execute(change).await?;
    Ok(())
}

/// Notes the description of a case, and what stands on its list.
pub(in crate::catalog) async fn note_case(
    change: &mut SqliteConnection,
    (seq, at): (u64, Instant),
    named: Digest,
    told: &Case,
) -> Result<(), CatalogError> {
    let id = told.case.to_string();
    let stage = serde_json::to_value(told.stage).ok().and_then(|stage| stage.as_str().map(str::to_owned));
    let mut row = QueryBuilder::<Sqlite>::new(sql::INSERT_CASES);
    row.push_values([told], |mut row, told| {
        row.push_bind(&id).push_bind(seq as i64).push_bind(at.micros()).push_bind(named.to_string());
        row.push_bind(&told.agency).push_bind(stage.clone().unwrap_or_default()).push_bind(told.listed.len() as i64);
        row.push_bind(told.decision.as_ref().map(|decision| decision.at.micros()));
    });
    row.push(sql::REPLACE_CASE).build().execute(&mut *change).await?;
    sqlx::query(sql::FORGET_LISTED).bind(&id).execute(&mut *change).await?;
    for some in told.listed.chunks(1000) {
        let mut rows = QueryBuilder::<Sqlite>::new(sql::INSERT_LISTED);
        rows.push_values(some, |mut row, listed| {
            let considered = listed.decided.as_ref().is_none_or(|decided| *decided == Outcome::Destroy);
            let pending = told.stage != Stage::Closed && considered && listed.certificates.is_empty();
            let unit = match listed.unit {
                CaseUnit::File(file) => file.to_string(),
                CaseUnit::Record(record) => record.to_string(),
            };
            row.push_bind(&id).push_bind(unit).push_bind(i64::from(pending));
        });
        rows.build().execute(&mut *change).await?;
    }
    Ok(())
}

/// Notes where holds are placed and that they are released.
pub(in crate::catalog) async fn note(change: &mut SqliteConnection, rows: &[Applied]) -> Result<(), CatalogError> {
    for Applied { seq, entry, .. } in rows {
        match &entry.event {
            Event::HoldPlaced { unit, hold, asked_by } => {
                let mut row = QueryBuilder::<Sqlite>::new(sql::INSERT_PLACEMENTS);
                row.push_values([()], |mut row, ()| {
                    row.push_bind(hold.to_string()).push_bind(unit.to_string()).push_bind(unit.kind().as_str());
                    row.push_bind(asked_by.to_string()).push_bind(*seq as i64).push_bind(entry.at.micros());
                });
                row.push(sql::KEEP_PLACEMENT).build().execute(&mut *change).await?;
            }
            Event::HoldReleased { unit, description, .. } => {
                let query = sqlx::query(sql::RELEASE_PLACEMENTS).bind(*seq as i64).bind(entry.at.micros());
                query.bind(unit.to_string()).execute(&mut *change).await?;
                let query = sqlx::query(sql::RELEASE_HOLD).bind(description.to_string()).bind(entry.at.micros());
                query.bind(unit.to_string()).execute(&mut *change).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn moment(row: &SqliteRow, column: &str) -> Result<Option<Instant>, CatalogError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Instant::from_micros))
}

fn hold(row: &SqliteRow) -> Result<KnownHold, CatalogError> {
    let reason: &str = row.try_get("reason")?;
    let known = Reason::ALL.iter().find(|known| known.as_str() == reason).copied();
    Ok(KnownHold {
        hold: parsed(row.try_get("hold")?)?,
        seq: row.try_get::<i64, _>("seq")? as u64,
        at: Instant::from_micros(row.try_get("at")?),
        description: digest(row.try_get("description")?)?,
        scope: row.try_get("scope")?,
        authority: row.try_get("authority")?,
        reason: known.ok_or_else(|| CatalogError::Malformed(reason.into()))?,
        asked_by: parsed(row.try_get("asked_by")?)?,
        released: moment(row, "released")?,
        placed: row.try_get::<i64, _>("placed")? as u64,
    })
}

fn placement(row: &SqliteRow) -> Result<Placement, CatalogError> {
    let (kind, id): (&str, &str) = (row.try_get("kind")?, row.try_get("unit")?);
    let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
    let unit: Unit = match kind {
        Some(Kind::File) => parsed::<FileId>(id)?.into(),
        Some(Kind::Fonds) => parsed::<FondsId>(id)?.into(),
        _ => crate::catalog::record(id)?.into(),
    };
    Ok(Placement {
        hold: parsed(row.try_get("hold")?)?,
        unit,
        asked_by: parsed(row.try_get("asked_by")?)?,
        seq: row.try_get::<i64, _>("seq")? as u64,
        at: Instant::from_micros(row.try_get("at")?),
        released: row.try_get::<Option<i64>, _>("released")?.map(|seq| seq as u64),
        released_at: moment(row, "released_at")?,
    })
}

fn case(row: &SqliteRow) -> Result<KnownCase, CatalogError> {
    let stage: &str = row.try_get("stage")?;
    let known = serde_json::from_value(serde_json::Value::String(stage.into()));
    Ok(KnownCase {
        case: parsed(row.try_get("dossier")?)?,
        seq: row.try_get::<i64, _>("seq")? as u64,
        at: Instant::from_micros(row.try_get("at")?),
        description: digest(row.try_get("description")?)?,
        agency: row.try_get("agency")?,
        stage: known.map_err(|_| CatalogError::Malformed(stage.into()))?,
        listed: row.try_get::<i64, _>("listed")? as u32,
        decided_on: moment(row, "decided")?,
    })
}
