//! Schedules and their classes, what is due, and how much falls due when.

use crate::catalog::{
    Catalog, CatalogError,
    clocks::{Clocks, facts, rank as rank_of, with_file},
    digest, sql_retention as sql,
};
use crate::record::{
    digest::Digest,
    id::{CaseId, ScheduleId},
    retention::{
        clock::{Due, Reading},
        day::Day,
        period::Period,
        schedule::{Action, Schedule},
        trigger::{Fact, Trigger},
    },
    unit::{self, Kind, Unit},
};
use serde::Deserialize;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};
use std::{fmt, str::FromStr};

/// A version of a schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownSchedule {
    pub schedule: ScheduleId,
    pub version: u32,
    /// Its newest description: the approved one, once it is.
    pub description: Digest,
    /// The entry that names it.
    pub seq: u64,
    pub title: String,
    /// The number of its legal source.
    pub source: Option<String>,
    pub from: String,
    pub until: Option<String>,
    pub incomplete: bool,
    pub approved: Option<String>,
    pub classes: u32,
}

/// A class of a version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownClass {
    pub schedule: ScheduleId,
    pub version: u32,
    pub code: String,
    pub grouping: String,
    pub title: String,
    pub subtitle: Option<String>,
    pub period: Period,
    pub trigger: Trigger,
    pub action: Action,
}

/// Which part of what is due is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueFilter {
    /// Due on this day or before.
    pub until: Day,
    /// The code of a fonds.
    pub fonds: Option<String>,
    pub schedule: Option<ScheduleId>,
    pub class: Option<String>,
    /// Files, or loose records.
    pub kind: Option<unit::Kind>,
    /// On hold, or not.
    pub held: Option<bool>,
    /// On the list of a case that is open, or not.
    pub considered: Option<bool>,
}

impl DueFilter {
    /// Everything that is due on a day.
    pub fn on(day: Day) -> DueFilter {
        DueFilter { until: day, fonds: None, schedule: None, class: None, kind: None, held: None, considered: None }
    }
}

/// A file or a loose record, and when it is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueUnit {
    pub unit: Unit,
    pub code: Option<String>,
    pub title: String,
    /// The code of its fonds.
    pub fonds: Option<String>,
    /// The code of the creator of the fonds; of a loose record its agency, by name.
    pub agency: Option<String>,
    pub schedule: Option<ScheduleId>,
    pub class: Option<String>,
    pub due: Due,
    pub records: u64,
    pub bytes: u64,
    pub held: bool,
    /// The open case on whose list it stands.
    pub case: Option<CaseId>,
    pub access: String,
}

/// Where a page of what is due ended.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DueMark(pub i64, pub String);

/// Not a mark that a page ended with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not where a page of the list of what is due ended")]
pub struct NotADueMark;

impl fmt::Display for DueMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl FromStr for DueMark {
    type Err = NotADueMark;
    fn from_str(text: &str) -> Result<DueMark, NotADueMark> {
        let (rank, unit) = text.split_once('.').ok_or(NotADueMark)?;
        let formed = unit.len() == 36 && unit.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if !formed {
            return Err(NotADueMark);
        }
        Ok(DueMark(rank.parse().map_err(|_| NotADueMark)?, unit.into()))
    }
}

/// How much falls due in a year, of one class and one fonds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Falling {
    /// `None` where there is no day: `due` says why.
    pub year: Option<i16>,
    /// `on`, `waiting` or `never`.
    pub due: String,
    pub schedule: Option<ScheduleId>,
    pub class: Option<String>,
    /// The code of the fonds.
    pub fonds: Option<String>,
    /// The code of its creator.
    pub agency: Option<String>,
    pub records: u64,
    pub bytes: u64,
}

/// A unit of a class, with what its clock counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clocked {
    pub unit: Unit,
    pub schedule: ScheduleId,
    pub version: u32,
    pub class: String,
    pub facts: Vec<Fact>,
    /// By its own class.
    pub due: Due,
    pub records: u64,
    pub bytes: u64,
}

impl Catalog {
    /// The newest version of every schedule, by title.
    pub async fn schedules(&self) -> Result<Vec<KnownSchedule>, CatalogError> {
        sqlx::query(sql::SCHEDULES).fetch_all(&self.readers).await?.iter().map(schedule).collect()
    }

    /// Every version of a schedule, the oldest first.
    pub async fn versions(&self, id: ScheduleId) -> Result<Vec<KnownSchedule>, CatalogError> {
        let rows = sqlx::query(sql::VERSIONS).bind(id.to_string()).fetch_all(&self.readers).await?;
        rows.iter().map(schedule).collect()
    }

    /// The classes of a version, in its order.
    pub async fn classes(&self, id: ScheduleId, version: u32) -> Result<Vec<KnownClass>, CatalogError> {
        let query = sqlx::query(sql::CLASSES).bind(id.to_string()).bind(i64::from(version));
        query.fetch_all(&self.readers).await?.iter().map(class).collect()
    }

    /// The version that rules: the newest that is approved and complete.
    pub async fn ruling(&self, id: ScheduleId) -> Result<Option<KnownSchedule>, CatalogError> {
        let row = sqlx::query(sql::RULING).bind(id.to_string()).fetch_optional(&self.readers).await?;
        row.as_ref().map(schedule).transpose()
    }

    /// What is due, the longest due first, and where the page ended, if there may be more.
    pub async fn due_list(
        &self,
        filter: &DueFilter,
        after: Option<&DueMark>,
        limit: u32,
    ) -> Result<(Vec<DueUnit>, Option<DueMark>), CatalogError> {
        let mut found = Vec::new();
        for (kind, statement) in [(Kind::File, sql::FILES_DUE), (Kind::Record, sql::RECORDS_DUE)] {
            if filter.kind.is_some_and(|only| only != kind) {
                continue;
            }
            let (rank, unit) = after.map_or((-1, ""), |mark| (mark.0, mark.1.as_str()));
            let text = |given: &Option<String>| given.clone().unwrap_or_default();
            let flag = |given: Option<bool>| given.map_or(-1, i64::from);
            let query = sqlx::query(statement).bind(rank_of(&Due::On(filter.until))).bind(rank).bind(unit);
            let query = query.bind(text(&filter.fonds)).bind(text(&filter.schedule.map(|id| id.to_string())));
            let query = query.bind(text(&filter.class)).bind(flag(filter.held)).bind(flag(filter.considered));
            for row in query.bind(i64::from(limit)).fetch_all(&self.readers).await? {
                found.push((row.try_get::<i64, _>("due_rank")?, due_unit(kind, &row)?));
            }
        }
        found.sort_by_key(|(rank, one)| (*rank, one.unit.to_string()));
        found.truncate(limit as usize);
        let last = found.last().filter(|_| found.len() == limit as usize);
        let mark = last.map(|(rank, one)| DueMark(*rank, one.unit.to_string()));
        Ok((found.into_iter().map(|(_, one)| one).collect(), mark))
    }

    /// When a file or a loose record is due.
    pub async fn due_of(&self, unit: Unit) -> Result<Option<DueUnit>, CatalogError> {
        let statement = match unit {
            Unit::File(_) => sql::FILE_IS_DUE,
            Unit::Record(_) => sql::RECORD_IS_DUE,
            _ => return Ok(None),
        };
        let row = sqlx::query(statement).bind(unit.to_string()).fetch_optional(&self.readers).await?;
        row.as_ref().map(|row| due_unit(unit.kind(), row)).transpose()
    }

    /// How much falls due by year, class and fonds.
    pub async fn falling(&self) -> Result<Vec<Falling>, CatalogError> {
        let mut all = Vec::new();
        for statement in [sql::FILES_FALLING, sql::RECORDS_FALLING, sql::UNOPENED_FALLING] {
            let rows = sqlx::query(statement).fetch_all(&self.readers).await?;
            all.extend(rows.iter().map(falling).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(all)
    }

    /// The files, and the records that have a class of their own, of a schedule, by identifier.
    pub async fn clocked(&self, id: ScheduleId, after: &str, limit: u32) -> Result<Vec<Clocked>, CatalogError> {
        let mut found = Vec::new();
        for (kind, statement) in [(Kind::File, sql::FILES_OF_SCHEDULE), (Kind::Record, sql::RECORDS_OF_SCHEDULE)] {
            let query = sqlx::query(statement).bind(id.to_string()).bind(after).bind(i64::from(limit));
            for row in query.fetch_all(&self.readers).await? {
                let mut one = clocked(kind, &row)?;
                if kind == Kind::Record {
                    let mut reader = self.readers.acquire().await?;
                    one.facts = with_file(&mut reader, row.try_get("code")?, one.facts).await?;
                }
                found.push(one);
            }
        }
        found.sort_by_key(|one| one.unit.to_string());
        found.truncate(limit as usize);
        Ok(found)
    }
}

/// Notes a description of a schedule, and counts anew what lives by it.
pub(in crate::catalog) async fn note(
    change: &mut SqliteConnection,
    (seq, named): (u64, Digest),
    told: &Schedule,
    reading: Reading,
) -> Result<(), CatalogError> {
    let id = told.schedule.to_string();
    let mut row = QueryBuilder::<Sqlite>::new(sql::INSERT_SCHEDULES);
    row.push_values([told], |mut row, told| {
        row.push_bind(&id).push_bind(i64::from(told.version)).push_bind(named.to_string()).push_bind(seq as i64);
        row.push_bind(&told.title).push_bind(told.source.as_ref().map(|source| source.number.clone()));
        row.push_bind(told.from.to_string()).push_bind(told.until.map(|day| day.to_string()));
        row.push_bind(i64::from(told.incomplete)).push_bind(told.approved.as_ref().map(|one| one.on.to_string()));
        row.push_bind(told.classes.len() as i64);
    });
    row.push(sql::REPLACE_SCHEDULE).build().execute(&mut *change).await?;
    sqlx::query(sql::FORGET_CLASSES).bind(&id).bind(i64::from(told.version)).execute(&mut *change).await?;
    let numbered: Vec<_> = told.classes.iter().enumerate().collect();
    for some in numbered.chunks(500) {
        let mut rows = QueryBuilder::<Sqlite>::new(sql::INSERT_CLASSES);
        rows.push_values(some, |mut row, (ordinal, class)| {
            row.push_bind(&id).push_bind(i64::from(told.version)).push_bind(*ordinal as i64).push_bind(&class.code);
            row.push_bind(&class.group).push_bind(&class.title).push_bind(&class.subtitle);
            row.push_bind(class.period.to_string()).push_bind(class.trigger.to_string());
            row.push_bind(class.action.en());
        });
        rows.build().execute(&mut *change).await?;
    }
    Clocks::new(reading).again(change, &id).await
}

/// A value in its one spelling.
pub(in crate::catalog) fn parsed<T: FromStr>(text: &str) -> Result<T, CatalogError> {
    text.parse().map_err(|_| CatalogError::Malformed(text.into()))
}

fn maybe<T: FromStr>(text: Option<&str>) -> Result<Option<T>, CatalogError> {
    text.map(parsed).transpose()
}

fn schedule(row: &SqliteRow) -> Result<KnownSchedule, CatalogError> {
    Ok(KnownSchedule {
        schedule: parsed(row.try_get("schedule")?)?,
        version: row.try_get::<i64, _>("version")? as u32,
        description: digest(row.try_get("description")?)?,
        seq: row.try_get::<i64, _>("seq")? as u64,
        title: row.try_get("title")?,
        source: row.try_get("source")?,
        from: row.try_get("from_day")?,
        until: row.try_get("until_day")?,
        incomplete: row.try_get::<i64, _>("incomplete")? != 0,
        approved: row.try_get("approved")?,
        classes: row.try_get::<i64, _>("classes")? as u32,
    })
}

fn class(row: &SqliteRow) -> Result<KnownClass, CatalogError> {
    let ending: &str = row.try_get("ending")?;
    Ok(KnownClass {
        schedule: parsed(row.try_get("schedule")?)?,
        version: row.try_get::<i64, _>("version")? as u32,
        code: row.try_get("code")?,
        grouping: row.try_get("section")?,
        title: row.try_get("title")?,
        subtitle: row.try_get("subtitle")?,
        period: parsed(row.try_get("period")?)?,
        trigger: parsed(row.try_get("counted")?)?,
        action: Action::read(ending).ok_or_else(|| CatalogError::Malformed(ending.into()))?,
    })
}

fn due_unit(kind: Kind, row: &SqliteRow) -> Result<DueUnit, CatalogError> {
    let id: &str = row.try_get("unit")?;
    Ok(DueUnit {
        unit: kind.unit(id).map_err(|_| CatalogError::Malformed(id.into()))?,
        code: row.try_get("code")?,
        title: row.try_get("title")?,
        fonds: row.try_get("fonds")?,
        agency: row.try_get("agency")?,
        schedule: maybe(row.try_get("schedule")?)?,
        class: row.try_get("class")?,
        due: parsed(row.try_get("due")?)?,
        records: row.try_get::<i64, _>("records")? as u64,
        bytes: row.try_get::<i64, _>("bytes")? as u64,
        held: row.try_get::<i64, _>("held")? != 0,
        case: maybe(row.try_get("dossier")?)?,
        access: row.try_get("access")?,
    })
}

fn falling(row: &SqliteRow) -> Result<Falling, CatalogError> {
    let year: i64 = row.try_get("year")?;
    let (year, due) = match year {
        1..=9999 => (i16::try_from(year).ok(), "on"),
        10_000..20_000 => (None, "waiting"),
        _ => (None, "never"),
    };
    Ok(Falling {
        year,
        due: due.into(),
        schedule: maybe(row.try_get("schedule")?)?,
        class: row.try_get("class")?,
        fonds: row.try_get("fonds")?,
        agency: row.try_get("agency")?,
        records: row.try_get::<i64, _>("records")? as u64,
        bytes: row.try_get::<i64, _>("bytes")? as u64,
    })
}

fn clocked(kind: Kind, row: &SqliteRow) -> Result<Clocked, CatalogError> {
    let id: &str = row.try_get("unit")?;
    Ok(Clocked {
        unit: kind.unit(id).map_err(|_| CatalogError::Malformed(id.into()))?,
        schedule: parsed(row.try_get("schedule")?)?,
        version: row.try_get::<i64, _>("version")? as u32,
        class: row.try_get("class")?,
        facts: facts(row.try_get("facts")?)?,
        due: parsed(row.try_get("due")?)?,
        records: row.try_get::<i64, _>("records")? as u64,
        bytes: row.try_get::<i64, _>("bytes")? as u64,
    })
}
