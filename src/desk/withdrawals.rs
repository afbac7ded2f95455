//! Wrong deposits that somebody asked to withdraw, until a second person confirms. Lost with the desk, it is asked again.

use crate::desk::{Desk, DeskError};
use crate::record::{
    disposition::withdrawal::{Asked, Mistake},
    entry::Instant,
    id::RecordId,
};
use sqlx::{Row, sqlite::SqliteRow};

pub const SCHEMA: [&str; 1] =
    ["CREATE TABLE IF NOT EXISTS withdrawals (record TEXT PRIMARY KEY, mistake TEXT NOT NULL, \
     reason TEXT NOT NULL, actor TEXT NOT NULL, at BIGINT NOT NULL)"];

impl Desk {
    /// Notes that somebody asks for a deposit to be withdrawn; false where another has asked for it already.
    ///
    /// If we stop here, it is noted or it is not.
    pub async fn ask_withdrawal(&self, asked: &Asked) -> Result<bool, DeskError> {
        let insert = "INSERT INTO withdrawals (record, mistake, reason, actor, at) VALUES ($1, $2, $3, $4, $5) \
                      ON CONFLICT (record) DO NOTHING";
        let insert = sqlx::query(insert).bind(asked.record.to_string()).bind(asked.mistake.as_str());
        let insert = insert.bind(&asked.reason).bind(asked.by.to_string()).bind(asked.at.micros());
        Ok(insert.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// What waits for its second person, the oldest first.
    pub async fn withdrawals(&self) -> Result<Vec<Asked>, DeskError> {
        let select = "SELECT record, mistake, reason, actor, at FROM withdrawals ORDER BY at, record";
        sqlx::query(select).fetch_all(&self.pool).await?.iter().map(asked).collect()
    }

    /// That of a record.
    pub async fn withdrawal(&self, record: RecordId) -> Result<Option<Asked>, DeskError> {
        let select = "SELECT record, mistake, reason, actor, at FROM withdrawals WHERE record = $1";
        let row = sqlx::query(select).bind(record.to_string()).fetch_optional(&self.pool).await?;
        row.as_ref().map(asked).transpose()
    }

    /// Forgets it: it was confirmed, or nobody wants it any more.
    ///
    /// If we stop here, it still waits, and is refused once the record is ordered to end.
    pub async fn forget_withdrawal(&self, record: RecordId) -> Result<(), DeskError> {
        sqlx::query("DELETE FROM withdrawals WHERE record = $1").bind(record.to_string()).execute(&self.pool).await?;
        Ok(())
    }
}

fn asked(row: &SqliteRow) -> Result<Asked, DeskError> {
    let (record, mistake, by): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(3)?);
    let known = Mistake::ALL.into_iter().find(|known| known.as_str() == mistake);
    Ok(Asked {
        record: record.parse().map_err(|_| DeskError::Malformed(record))?,
        mistake: known.ok_or(DeskError::Malformed(mistake))?,
        reason: row.try_get(2)?,
        by: by.parse().map_err(|_| DeskError::Malformed(by))?,
        at: Instant::from_micros(row.try_get(4)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::id::ActorId;

    #[tokio::test]
    async fn what_is_asked_waits_once_until_it_is_forgotten() {
        let desk = Desk::open(None).await.unwrap();
        let record = |n| RecordId::new(n, [1; 10]);
        let one = |n: u64, mistake| Asked {
            record: record(n),
            mistake,
            reason: "Nộp nhầm kho".into(),
            by: ActorId::new(0, [2; 10]),
            at: Instant::from_micros(n as i64),
        };
        let (first, second) = (one(1, Mistake::WrongPlace), one(2, Mistake::Twice));
        for (asked, noted) in [(&second, true), (&first, true), (&one(1, Mistake::NotIssued), false)] {
            assert_eq!(desk.ask_withdrawal(asked).await.unwrap(), noted);
        }
        assert_eq!(desk.withdrawals().await.unwrap(), [first.clone(), second]);
        assert_eq!(desk.withdrawal(record(1)).await.unwrap(), Some(first));
        for _ in 0..2 {
            desk.forget_withdrawal(record(1)).await.unwrap();
            assert_eq!(desk.withdrawal(record(1)).await.unwrap(), None);
        }
        assert_eq!(desk.withdrawals().await.unwrap().len(), 1);
    }
}
