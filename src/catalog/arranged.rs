//! Fonds and files: what is known of them, and which records lie in a file.

use crate::catalog::{
    Catalog, CatalogError, Known,
    clocks::{Clocks, Column, facts_text, longest},
    known, sql, sql_retention,
};
use crate::record::{
    described::Described,
    entry::Instant,
    file::File,
    file_state::FileState,
    fonds::Fonds,
    id::{FileId, FondsId},
    retention::{assign::facts_of, clock::Reading},
};
use serde::Deserialize;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

/// A fonds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct KnownFonds {
    pub fonds: FondsId,
    pub code: String,
    pub name: String,
    /// The code of the agency whose records they are.
    pub creator: String,
    /// Its last day.
    pub closed: Option<String>,
}

/// A file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownFile {
    pub file: FileId,
    pub fonds: FondsId,
    pub code: Option<String>,
    pub title: String,
    pub heading: Option<String>,
    pub state: FileState,
    pub access: String,
    pub started: Option<String>,
    pub ended: Option<String>,
    pub closed: Option<String>,
    /// The unit of the agency in which it is made.
    pub office: Option<String>,
    pub maker: Option<String>,
    pub retention_code: Option<String>,
    pub retention_years: Option<u32>,
}

impl Catalog {
    /// Every fonds, by code.
    pub async fn fonds(&self) -> Result<Vec<KnownFonds>, CatalogError> {
        let rows = sqlx::query(sql::FONDS).fetch_all(&self.readers).await?;
        rows.iter().map(fonds).collect()
    }

    /// The fonds that have a code.
    pub async fn fonds_of_code(&self, code: &str) -> Result<Vec<KnownFonds>, CatalogError> {
        let rows = sqlx::query(sql::FONDS_OF_CODE).bind(code).fetch_all(&self.readers).await?;
        rows.iter().map(fonds).collect()
    }

    pub async fn file(&self, id: FileId) -> Result<Option<KnownFile>, CatalogError> {
        let row = sqlx::query(sql::FILE).bind(id.to_string()).fetch_optional(&self.readers).await?;
        row.as_ref().map(file).transpose()
    }

    /// The files that have a code, in whichever fonds.
    pub async fn files_of_code(&self, code: &str) -> Result<Vec<KnownFile>, CatalogError> {
        let rows = sqlx::query(sql::FILES_OF_CODE).bind(code).fetch_all(&self.readers).await?;
        rows.iter().map(file).collect()
    }

    /// The files of a fonds whose codes come after one, in their order; a file without a code stands under its identifier.
    pub async fn files(&self, of: FondsId, after: &str, limit: u32) -> Result<Vec<KnownFile>, CatalogError> {
        let query = sqlx::query(sql::FILES_OF_FONDS).bind(of.to_string()).bind(after).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(file).collect()
    }

    /// The records that name a file by its code, in the order of their accession, from the entry `from` on.
    pub async fn in_file(&self, code: &str, from: u64, limit: u32) -> Result<Vec<Known>, CatalogError> {
        let query = sqlx::query(sql::RECORDS_OF_FILE).bind(code).bind(from as i64).bind(i64::from(limit));
        query.fetch_all(&self.readers).await?.iter().map(known).collect()
    }
}

/// Notes what the description of a fonds or a file says.
pub(in crate::catalog) async fn note(
    change: &mut SqliteConnection,
    told: Option<&Described>,
    at: Instant,
    reading: Reading,
) -> Result<(), CatalogError> {
    match told {
        Some(Described::Fonds(fonds)) => {
            fonds_row(fonds).build().execute(change).await?;
        }
        Some(Described::File(file)) => note_file(change, file, at, reading).await?,
        _ => {}
    }
    Ok(())
}

/// Notes a file, when it is due, and to which records of other files it refers.
async fn note_file(
    change: &mut SqliteConnection,
    file: &File,
    at: Instant,
    reading: Reading,
) -> Result<(), CatalogError> {
    let (facts, mut clocks) = (facts_of(file, at), Clocks::new(reading));
    let own = clocks.due(change, file.about.class.as_ref(), &facts).await?;
    file_row(file, &facts_text(&facts)?, &own).build().execute(&mut *change).await?;
    if let Some(code) = &file.about.code {
        clocks.inside(change, code).await?;
        longest(change, [code.clone()]).await?;
    }
    let id = file.file.to_string();
    sqlx::query(sql_retention::FORGET_SHARED).bind(&id).execute(&mut *change).await?;
    for some in file.about.shared.chunks(1000) {
        let mut rows = QueryBuilder::<Sqlite>::new(sql_retention::INSERT_SHARED);
        rows.push_values(some, |mut row, shared| {
            row.push_bind(&id).push_bind(shared.record.to_string());
        });
        rows.push(sql_retention::KEEP_SHARED).build().execute(&mut *change).await?;
    }
    Ok(())
}

fn fonds_row(Fonds { fonds, about, .. }: &Fonds) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::<Sqlite>::new(sql::INSERT_FONDS);
    query.push_values([about], |mut row, about| {
        row.push_bind(fonds.to_string()).push_bind(about.code.clone()).push_bind(about.name.clone());
        row.push_bind(about.creator.to_string());
        row.push_bind(about.closed.as_ref().map(|closed| closed.on.to_string()));
    });
    query.push(sql::REPLACE_FONDS);
    query
}

fn file_row(File { file, fonds, state, about, .. }: &File, facts: &str, own: &Column) -> QueryBuilder<Sqlite> {
    let date = |date: Option<crate::record::date::PartialDate>| date.map(|date| date.to_string());
    let mut query = QueryBuilder::<Sqlite>::new(sql::INSERT_FILES);
    query.push_values([about], |mut row, about| {
        row.push_bind(file.to_string()).push_bind(fonds.to_string()).push_bind(about.code.clone());
        row.push_bind(about.title.clone()).push_bind(about.heading.clone()).push_bind(state.as_str());
        row.push_bind(about.access.as_str()).push_bind(date(about.started)).push_bind(date(about.ended));
        row.push_bind(date(about.closed)).push_bind(about.unit.clone()).push_bind(about.maker.clone());
        row.push_bind(about.retention_code.clone()).push_bind(about.retention_years.map(i64::from));
        let class = about.class.as_ref();
        row.push_bind(class.map(|class| class.schedule.to_string()));
        row.push_bind(class.map(|class| i64::from(class.version))).push_bind(class.map(|class| class.class.clone()));
        let due = own.due.to_string();
        row.push_bind(facts.to_owned()).push_bind(due.clone()).push_bind(own.rank).push_bind(due).push_bind(own.rank);
    });
    query.push(sql::REPLACE_FILE);
    query
}

pub(in crate::catalog) fn id<T: std::str::FromStr>(text: &str) -> Result<T, CatalogError> {
    text.parse().map_err(|_| CatalogError::Malformed(text.into()))
}

fn fonds(row: &SqliteRow) -> Result<KnownFonds, CatalogError> {
    Ok(KnownFonds {
        fonds: id(row.try_get("fonds")?)?,
        code: row.try_get("code")?,
        name: row.try_get("name")?,
        creator: row.try_get("creator")?,
        closed: row.try_get("closed")?,
    })
}

pub(in crate::catalog) fn file(row: &SqliteRow) -> Result<KnownFile, CatalogError> {
    let state: &str = row.try_get("state")?;
    let known = FileState::ALL.iter().find(|known| known.as_str() == state).copied();
    Ok(KnownFile {
        file: id(row.try_get("file")?)?,
        fonds: id(row.try_get("fonds")?)?,
        code: row.try_get("code")?,
        title: row.try_get("title")?,
        heading: row.try_get("heading")?,
        state: known.ok_or_else(|| CatalogError::Malformed(state.into()))?,
        access: row.try_get("access")?,
        started: row.try_get("started")?,
        ended: row.try_get("ended")?,
        closed: row.try_get("closed")?,
        office: row.try_get("office")?,
        maker: row.try_get("maker")?,
        retention_code: row.try_get("retention_code")?,
        retention_years: row.try_get::<Option<i64>, _>("retention_years")?.map(|years| years as u32),
    })
}
