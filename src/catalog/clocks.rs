//! When is it due? The column of files and records that says so, and what keeps it true: a class, the facts that start its
//! clock, the version of the schedule that rules, and whatever lives longer inside.
//!
//! # Why
//! *Written when what it follows from is written*, in the same transaction: no round at night makes it true again, and
//! the list of what is due is one walk along an index. It proposes and nothing more: whoever lists, decides or orders
//! counts again from the descriptions.
//!
//! *One number beside the words.* Days, waiting and never have one order ([`Due`]); as a number it can be an index.

use crate::catalog::{Catalog, CatalogError, retention::parsed, sql_retention as sql};
use crate::record::{
    retention::{
        assign::facts_inside,
        clock::{Awaited, Due, Reading, count},
        trigger::Fact,
    },
    term::ClassRef,
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Units that are counted anew at once.
const PAGE: i64 = 2_000;

/// When a unit is due, as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::catalog) struct Column {
    pub due: Due,
    pub rank: i64,
}

impl Column {
    pub fn of(due: Due) -> Column {
        Column { due, rank: rank(&due) }
    }
}

/// The place of a due date among all: a day is `YYYYMMDD`, what waits comes after any day, what is permanent last.
pub(in crate::catalog) fn rank(due: &Due) -> i64 {
    match due {
        Due::On(day) => day.to_string().bytes().filter(u8::is_ascii_digit).fold(0, |n, b| n * 10 + i64::from(b - b'0')),
        Due::Waiting(Awaited::Fact(_)) => 100_000_001,
        Due::Waiting(Awaited::Class) => 100_000_002,
        Due::Waiting(Awaited::Release) => 100_000_003,
        Due::Never => 200_000_000,
    }
}

/// Counts, and remembers what classes say for as long as one transaction lasts.
pub(in crate::catalog) struct Clocks {
    reading: Reading,
    said: HashMap<(String, u32, String), Option<(String, String)>>,
}

impl Clocks {
    pub fn new(reading: Reading) -> Clocks {
        Clocks { reading, said: HashMap::new() }
    }

    /// When something of a class is due by what is known; without a class it waits for one.
    pub async fn due(
        &mut self,
        change: &mut SqliteConnection,
        class: Option<&ClassRef>,
        facts: &[Fact],
    ) -> Result<Column, CatalogError> {
        let Some(class) = class else { return Ok(Column::of(Due::Waiting(Awaited::Class))) };
        let Some((period, trigger)) = self.says(change, class).await? else {
            return Ok(Column::of(Due::Waiting(Awaited::Class)));
        };
        Ok(Column::of(count(parsed(&period)?, parsed(&trigger)?, facts, self.reading).due))
    }

    /// Period and trigger of a class by the version that rules: the newest that is approved and complete and has the
    /// class, else the one that is named.
    async fn says(
        &mut self,
        change: &mut SqliteConnection,
        class: &ClassRef,
    ) -> Result<Option<(String, String)>, CatalogError> {
        let key = (class.schedule.to_string(), class.version, class.class.clone());
        if let Some(said) = self.said.get(&key) {
            return Ok(said.clone());
        }
        let query = sqlx::query(sql::CLASS_THAT_RULES).bind(&key.0).bind(i64::from(key.1)).bind(&key.2);
        let row = query.fetch_optional(change).await?;
        let said = row.map(|row| Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?))).transpose()?;
        self.said.insert(key, said.clone());
        Ok(said)
    }

    /// Counts everything of a schedule anew: another version rules.
    pub async fn again(&mut self, change: &mut SqliteConnection, schedule: &str) -> Result<(), CatalogError> {
        self.said.clear();
        let (mut after, mut codes) = (String::new(), BTreeSet::new());
        loop {
            let query = sqlx::query(sql::RECORDS_OF_SCHEDULE).bind(schedule).bind(&after).bind(PAGE);
            let rows = query.fetch_all(&mut *change).await?;
            let Some(last) = rows.last() else { break };
            after = last.try_get("unit")?;
            for row in &rows {
                let due = self.of_row(change, row).await?;
                if row.try_get::<Option<i64>, _>("rank")? != Some(due.rank) {
                    let update = sqlx::query(sql::RECORD_DUE).bind(due.due.to_string()).bind(due.rank);
                    update.bind(row.try_get::<String, _>("unit")?).execute(&mut *change).await?;
                    codes.extend(row.try_get::<Option<String>, _>("code")?);
                }
            }
        }
        after.clear();
        loop {
            let query = sqlx::query(sql::FILES_OF_SCHEDULE).bind(schedule).bind(&after).bind(PAGE);
            let rows = query.fetch_all(&mut *change).await?;
            let Some(last) = rows.last() else { break };
            after = last.try_get("unit")?;
            for row in &rows {
                let due = self.of_row(change, row).await?;
                if row.try_get::<i64, _>("rank")? != due.rank {
                    let update = sqlx::query(sql::FILE_OWN_DUE).bind(due.due.to_string()).bind(due.rank);
                    update.bind(row.try_get::<String, _>("unit")?).execute(&mut *change).await?;
                    match row.try_get::<Option<String>, _>("code")? {
                        Some(code) => drop(codes.insert(code)),
                        None => {
                            let alone = sqlx::query(sql::FILE_DUE_ALONE).bind(row.try_get::<String, _>("unit")?);
                            alone.execute(&mut *change).await?;
                        }
                    }
                }
            }
        }
        longest(change, codes).await
    }

    /// Counts the records of a file that have a class of their own anew: the work of the file is theirs.
    pub async fn inside(&mut self, change: &mut SqliteConnection, code: &str) -> Result<(), CatalogError> {
        for row in sqlx::query(sql::CLASSED_INSIDE).bind(code).fetch_all(&mut *change).await? {
            let due = self.of_row(change, &row).await?;
            let update = sqlx::query(sql::RECORD_DUE).bind(due.due.to_string()).bind(due.rank);
            update.bind(row.try_get::<String, _>("unit")?).execute(&mut *change).await?;
        }
        Ok(())
    }

    async fn of_row(&mut self, change: &mut SqliteConnection, row: &SqliteRow) -> Result<Column, CatalogError> {
        let class = ClassRef {
            schedule: parsed(row.try_get("schedule")?)?,
            version: row.try_get::<i64, _>("version")? as u32,
            class: row.try_get("class")?,
        };
        let mut facts = facts(row.try_get("facts")?)?;
        if row.try_get::<String, _>("kind")? == "record" {
            facts = with_file(change, row.try_get("code")?, facts).await?;
        }
        self.due(change, Some(&class), &facts).await
    }
}

/// The facts by which the class of a record counts: its own, and those of the file that it lies in.
pub(in crate::catalog) async fn with_file(
    change: &mut SqliteConnection,
    code: Option<&str>,
    own: Vec<Fact>,
) -> Result<Vec<Fact>, CatalogError> {
    let Some(code) = code else { return Ok(own) };
    let row = sqlx::query(sql::FACTS_OF_FILE).bind(code).fetch_optional(change).await?;
    let of_file = row.map(|row| facts(row.try_get(0)?)).transpose()?;
    Ok(facts_inside(own, &of_file.unwrap_or_default()))
}

/// A file lives as long as the longest of what is in it (Law 33/2024/QH15 art. 15): its own class, and those that records
/// in it have of their own.
pub(in crate::catalog) async fn longest(
    change: &mut SqliteConnection,
    codes: impl IntoIterator<Item = String>,
) -> Result<(), CatalogError> {
    for code in codes {
        let row = sqlx::query(sql::LONGEST_RECORD).bind(&code).fetch_optional(&mut *change).await?;
        let (due, rank): (String, i64) = match row {
            Some(row) => (row.try_get(0)?, row.try_get(1)?),
            None => (String::new(), -1),
        };
        sqlx::query(sql::FILE_DUE).bind(rank).bind(&due).bind(&code).execute(&mut *change).await?;
    }
    Ok(())
}

/// What a record counts for in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Weight {
    records: i64,
    bytes: i64,
}

/// What entries change in the files that records name: how many, how much, and which of them may live longer now.
#[derive(Clone, Debug, Default)]
pub(in crate::catalog) struct Filed {
    weights: BTreeMap<String, Weight>,
    longer: BTreeSet<String>,
}

impl Filed {
    /// A record came in: `times` is 1; or went out: -1.
    pub fn moved(&mut self, code: Option<&str>, bytes: i64, has_due: bool, times: i64) {
        let Some(code) = code else { return };
        let weight = self.weights.entry(code.to_owned()).or_default();
        weight.records += times;
        weight.bytes += times * bytes;
        if has_due {
            self.longer.insert(code.to_owned());
        }
    }

    /// Writes it.
    pub async fn write(self, change: &mut SqliteConnection) -> Result<(), CatalogError> {
        for (code, Weight { records, bytes }) in self.weights {
            if (records, bytes) != (0, 0) {
                let query = sqlx::query(sql::WEIGH).bind(code).bind(records).bind(bytes);
                query.execute(&mut *change).await?;
            }
        }
        longest(change, self.longer).await
    }
}

/// The facts of a row.
pub(in crate::catalog) fn facts(text: &str) -> Result<Vec<Fact>, CatalogError> {
    serde_json::from_str(text).map_err(|_| CatalogError::Malformed(text.into()))
}

/// The facts as a row keeps them.
pub(in crate::catalog) fn facts_text(facts: &[Fact]) -> Result<String, CatalogError> {
    serde_json::to_string(facts).map_err(|fault| CatalogError::Malformed(fault.to_string()))
}

impl Catalog {
    /// Reads periods in this way from now on; what was counted otherwise is counted anew.
    ///
    /// If we stop here, all or nothing of it was.
    pub async fn read_as(&self, reading: Reading) -> Result<(), CatalogError> {
        let number = Reading::ALL.iter().position(|one| *one == reading).unwrap_or(0) as i64;
        self.state().reading = reading;
        if self.value("reading").await? == number {
            return Ok(());
        }
        let mut change = self.writer.begin().await?;
        let rows = sqlx::query(sql::SCHEDULES_NAMED).fetch_all(&mut *change).await?;
        for row in &rows {
            Clocks::new(reading).again(&mut change, row.try_get(0)?).await?;
        }
        sqlx::query(sql::SET_PLACE).bind("reading").bind(number).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }
}
