//! Lists of files, backlog work and the register of agencies: what is known of them, and what they are about.

use crate::catalog::{Catalog, CatalogError, Known, arranged, known, sql, units};
use crate::record::{
    backlog::{Backlog, BacklogState},
    id::{BacklogId, FondsId, PlanId},
    plan::FilePlan,
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

/// The list of files of a year.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownPlan {
    pub plan: PlanId,
    pub fonds: FondsId,
    pub year: u16,
    /// The code of the agency whose list it is.
    pub agency: String,
    /// The decision that issued it; `None` of a draft.
    pub approved: Option<String>,
    pub files: u32,
}

/// Backlog work on a fonds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownBacklog {
    pub backlog: BacklogId,
    pub fonds: FondsId,
    pub title: String,
    pub state: BacklogState,
    /// Files that it makes or fills.
    pub files: u32,
    /// Records that it puts into them.
    pub placed: u32,
    /// Records that it takes out.
    pub rejected: u32,
}

impl Catalog {
    /// Every list of files, the newest year first.
    pub async fn plans(&self) -> Result<Vec<KnownPlan>, CatalogError> {
        let rows = sqlx::query(sql::PLANS).fetch_all(&self.readers).await?;
        rows.iter().map(plan).collect()
    }

    /// All backlog work, in the order in which it was opened.
    pub async fn backlogs(&self) -> Result<Vec<KnownBacklog>, CatalogError> {
        let rows = sqlx::query(sql::BACKLOGS).fetch_all(&self.readers).await?;
        rows.iter().map(backlog).collect()
    }

    /// The register of agencies; should there be two, the newest.
    pub async fn register(&self) -> Result<Option<units::Opened>, CatalogError> {
        let row = sqlx::query(sql::REGISTER).fetch_optional(&self.readers).await?;
        row.as_ref().map(units::opened).transpose()
    }

    /// The records of a fonds that lie in no file, in the order of their accession, from the entry `from` on.
    pub async fn loose(&self, fonds: &str, from: u64, limit: u32) -> Result<Vec<Known>, CatalogError> {
        let query = sqlx::query(sql::LOOSE).bind(fonds).bind(from as i64).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(known).collect()
    }

    /// Files whose work has ended and that the archive has not got, by identifier, after one.
    pub async fn to_hand_over(&self, after: &str, limit: u32) -> Result<Vec<arranged::KnownFile>, CatalogError> {
        let query = sqlx::query(sql::TO_HAND_OVER).bind(after).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(arranged::file).collect()
    }
}

/// Notes what a list of files says.
pub(in crate::catalog) async fn note_plan(change: &mut SqliteConnection, plan: &FilePlan) -> Result<(), CatalogError> {
    let mut query = QueryBuilder::<Sqlite>::new(sql::INSERT_PLANS);
    query.push_values([plan], |mut row, plan| {
        row.push_bind(plan.plan.to_string()).push_bind(plan.fonds.to_string()).push_bind(i64::from(plan.year));
        row.push_bind(plan.agency.to_string());
        row.push_bind(plan.approval.as_ref().map(|approval| approval.decision.clone()));
        row.push_bind(plan.files.len() as i64);
    });
    query.push(sql::REPLACE_PLAN).build().execute(change).await?;
    Ok(())
}

/// Notes how far backlog work is.
pub(in crate::catalog) async fn note_backlog(
    change: &mut SqliteConnection,
    backlog: &Backlog,
) -> Result<(), CatalogError> {
    let placed: usize = backlog.files.iter().map(|file| file.records.len()).sum();
    let mut query = QueryBuilder::<Sqlite>::new(sql::INSERT_BACKLOGS);
    query.push_values([backlog], |mut row, backlog| {
        row.push_bind(backlog.backlog.to_string()).push_bind(backlog.fonds.to_string());
        row.push_bind(backlog.title.clone()).push_bind(backlog.state.as_str());
        row.push_bind(backlog.files.len() as i64).push_bind(placed as i64);
        row.push_bind(backlog.rejected.len() as i64);
    });
    query.push(sql::REPLACE_BACKLOG).build().execute(change).await?;
    Ok(())
}

fn count(row: &SqliteRow, name: &str) -> Result<u32, CatalogError> {
    let count: i64 = row.try_get(name)?;
    u32::try_from(count).map_err(|_| CatalogError::Malformed(count.to_string()))
}

fn plan(row: &SqliteRow) -> Result<KnownPlan, CatalogError> {
    let year: i64 = row.try_get("year")?;
    Ok(KnownPlan {
        plan: arranged::id(row.try_get("plan")?)?,
        fonds: arranged::id(row.try_get("fonds")?)?,
        year: u16::try_from(year).map_err(|_| CatalogError::Malformed(year.to_string()))?,
        agency: row.try_get("agency")?,
        approved: row.try_get("approved")?,
        files: count(row, "files")?,
    })
}

fn backlog(row: &SqliteRow) -> Result<KnownBacklog, CatalogError> {
    let state: &str = row.try_get("state")?;
    let known = BacklogState::ALL.into_iter().find(|known| known.as_str() == state);
    Ok(KnownBacklog {
        backlog: arranged::id(row.try_get("backlog")?)?,
        fonds: arranged::id(row.try_get("fonds")?)?,
        title: row.try_get("title")?,
        state: known.ok_or_else(|| CatalogError::Malformed(state.into()))?,
        files: count(row, "files")?,
        placed: count(row, "placed")?,
        rejected: count(row, "rejected")?,
    })
}
