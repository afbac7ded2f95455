//! Who was shown what is not for everybody, until the day's log is sealed as a record. Lost with the desk, the days
//! that were not sealed yet are lost.

use crate::desk::{Desk, DeskError};
use crate::record::{
    access::Access,
    consultation::{Consultation, Day, SAME_MICROS},
    entry::Instant,
};
use sqlx::{Row, sqlite::SqliteRow};

pub const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS consultations (id BIGINT PRIMARY KEY, day TEXT NOT NULL, at BIGINT NOT NULL, \
     actor TEXT NOT NULL, record TEXT NOT NULL, component BIGINT NOT NULL, access TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS consultations_of ON consultations (actor, record)",
];

/// Where no component was taken.
const NONE: i64 = -1;

impl Desk {
    /// Notes a consultation, durably, unless it is the same as one shortly before.
    ///
    /// If we stop here, it is noted or it is not; whoever asked was shown nothing.
    pub async fn note_consultation(&self, one: &Consultation) -> Result<(), DeskError> {
        let (by, record) = (one.by.to_string(), one.record.to_string());
        let component = one.component.map_or(NONE, i64::from);
        let mut change = self.pool.begin().await?;
        let same = "SELECT 1 FROM consultations WHERE actor = $1 AND record = $2 AND component = $3 AND access = $4 \
                    AND at > $5 AND at <= $6";
        let same = sqlx::query(same).bind(&by).bind(&record).bind(component).bind(one.access.as_str());
        let same = same.bind(one.at.micros() - SAME_MICROS).bind(one.at.micros());
        if same.fetch_optional(&mut *change).await?.is_some() {
            return Ok(());
        }
        let insert = "INSERT INTO consultations (id, day, at, actor, record, component, access) \
                      SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6 FROM consultations";
        let insert = sqlx::query(insert).bind(one.at.day()).bind(one.at.micros()).bind(by).bind(record);
        insert.bind(component).bind(one.access.as_str()).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }

    /// The consultations of the oldest day before another, of one access level, and what to forget them by.
    pub async fn day_before(&self, day: &str) -> Result<Option<(Day, i64)>, DeskError> {
        let first = "SELECT day, access FROM consultations WHERE day < $1 ORDER BY day, access LIMIT 1";
        let Some(first) = sqlx::query(first).bind(day).fetch_optional(&self.pool).await? else { return Ok(None) };
        let (day, access): (String, String) = (first.try_get(0)?, first.try_get(1)?);
        let all =
            "SELECT id, at, actor, record, component FROM consultations WHERE day = $1 AND access = $2 ORDER BY id";
        let rows = sqlx::query(all).bind(&day).bind(&access).fetch_all(&self.pool).await?;
        let last = rows.last().map_or(Ok(0), |row| row.try_get(0))?;
        let access = Access::read(&access).ok_or(DeskError::Malformed(access))?;
        let consultations = rows.iter().map(|row| consultation(row, access)).collect::<Result<_, _>>()?;
        Ok(Some((Day { day, access, consultations }, last)))
    }

    /// Forgets what is sealed.
    ///
    /// If we stop here, it is handed over again, and is there already.
    pub async fn forget_consultations(&self, day: &Day, last: i64) -> Result<(), DeskError> {
        let forget = "DELETE FROM consultations WHERE day = $1 AND access = $2 AND id <= $3";
        let forget = sqlx::query(forget).bind(&day.day).bind(day.access.as_str()).bind(last);
        forget.execute(&self.pool).await?;
        Ok(())
    }
}

fn consultation(row: &SqliteRow, access: Access) -> Result<Consultation, DeskError> {
    let (by, record): (String, String) = (row.try_get(2)?, row.try_get(3)?);
    Ok(Consultation {
        at: Instant::from_micros(row.try_get(1)?),
        by: by.parse().map_err(|_| DeskError::Malformed(by))?,
        record: record.parse().map_err(|_| DeskError::Malformed(record))?,
        component: u32::try_from(row.try_get::<i64, _>(4)?).ok(),
        access,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::id::{ActorId, RecordId};

    #[tokio::test]
    async fn what_is_over_is_told_by_day_and_level_and_forgotten_once_sealed() {
        let desk = Desk::open(None).await.unwrap();
        let one = |at: &str, component, access| Consultation {
            at: at.parse().unwrap(),
            by: ActorId::new(0, [2; 10]),
            record: RecordId::new(1_763_877_600_000, [1; 10]),
            component,
            access,
        };
        let [morning, soon, later, night] =
            ["02:00:00.000000", "02:09:59.000000", "02:10:00.000000", "17:00:00.000000"]
                .map(|time| format!("2026-11-26T{time}Z"));
        for noted in [
            one(&morning, None, Access::Conditional),
            one(&soon, None, Access::Conditional),
            one(&soon, Some(1), Access::Conditional),
            one(&soon, None, Access::Secret),
            one(&later, None, Access::Conditional),
            one(&night, None, Access::Conditional),
        ] {
            desk.note_consultation(&noted).await.unwrap();
        }
        assert_eq!(desk.day_before("2026-11-26").await.unwrap(), None, "the day is not over");
        let (day, last) = desk.day_before("2026-11-27").await.unwrap().unwrap();
        let conditional = [(&morning, None), (&soon, Some(1)), (&later, None)];
        let expected = conditional.map(|(at, component)| one(at, component, Access::Conditional));
        assert_eq!(
            (day.day.as_str(), &day.consultations[..]),
            ("2026-11-26", &expected[..]),
            "0:00 in Vietnam parts them"
        );
        // What comes late for the day stays.
        desk.note_consultation(&one(&morning, Some(7), Access::Conditional)).await.unwrap();
        desk.forget_consultations(&day, last).await.unwrap();
        let (late, last) = desk.day_before("2026-11-27").await.unwrap().unwrap();
        assert_eq!(late.consultations, [one(&morning, Some(7), Access::Conditional)]);
        desk.forget_consultations(&late, last).await.unwrap();
        let (secret, last) = desk.day_before("2026-11-27").await.unwrap().unwrap();
        assert_eq!((secret.access, secret.consultations.len()), (Access::Secret, 1));
        desk.forget_consultations(&secret, last).await.unwrap();
        assert_eq!(desk.day_before("2026-11-27").await.unwrap(), None);
        assert_eq!(desk.day_before("2026-11-28").await.unwrap().unwrap().0.day, "2026-11-27");
    }
}
