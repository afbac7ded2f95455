//! Deposits that somebody asked to withdraw, until a second person confirms. Not evidence: what is confirmed stands in the
//! ledger with who asked. Lost with the desk, it is asked again.

use crate::desk::{Desk, DeskError};
use crate::record::{disposition::withdrawal::Asked, id::RecordId};
use sqlx::Row;

pub const SCHEMA: [&str; 1] =
    ["CREATE TABLE IF NOT EXISTS withdrawals (record TEXT PRIMARY KEY, asked TEXT NOT NULL, at BIGINT NOT NULL)"];

impl Desk {
    /// Remembers that somebody asks; who asked first stays who asked. False where somebody had.
    ///
    /// If we stop here, it is asked or it is not.
    pub async fn ask_withdrawal(&self, asked: &Asked) -> Result<bool, DeskError> {
        let text = serde_json::to_string(asked).map_err(|error| DeskError::Malformed(error.to_string()))?;
        let insert = "INSERT INTO withdrawals (record, asked, at) VALUES ($1, $2, $3) ON CONFLICT (record) DO NOTHING";
        let insert = sqlx::query(insert).bind(asked.record.to_string()).bind(text).bind(asked.at.micros());
        Ok(insert.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// What is asked of a record.
    pub async fn withdrawal(&self, record: RecordId) -> Result<Option<Asked>, DeskError> {
        let select = sqlx::query("SELECT asked FROM withdrawals WHERE record = $1").bind(record.to_string());
        let row = select.fetch_optional(&self.pool).await?;
        row.map(|row| read(row.try_get(0)?)).transpose()
    }

    /// Everything that is asked, the oldest first.
    pub async fn withdrawals(&self) -> Result<Vec<Asked>, DeskError> {
        let rows = sqlx::query("SELECT asked FROM withdrawals ORDER BY at, record").fetch_all(&self.pool).await?;
        rows.iter().map(|row| read(row.try_get(0)?)).collect()
    }

    /// Forgets what was confirmed or taken back.
    ///
    /// If we stop here, it is asked still; who confirms again learns that the record is gone.
    pub async fn forget_withdrawal(&self, record: RecordId) -> Result<(), DeskError> {
        let forget = sqlx::query("DELETE FROM withdrawals WHERE record = $1").bind(record.to_string());
        forget.execute(&self.pool).await?;
        Ok(())
    }
}

fn read(text: String) -> Result<Asked, DeskError> {
    serde_json::from_str(&text).map_err(|_| DeskError::Malformed(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{disposition::withdrawal::Mistake, entry::Instant, id::ActorId};

    #[tokio::test]
    async fn who_asked_first_stays_until_it_is_forgotten() {
        let desk = Desk::open(None).await.unwrap();
        let record = RecordId::new(1, [1; 10]);
        let asked = |by: u8| Asked {
            record,
            mistake: Mistake::Twice,
            reason: "nộp hai lần".into(),
            by: ActorId::new(0, [by; 10]),
            at: Instant::from_micros(i64::from(by)),
        };
        assert!(desk.ask_withdrawal(&asked(1)).await.unwrap());
        assert!(!desk.ask_withdrawal(&asked(2)).await.unwrap());
        assert_eq!(desk.withdrawal(record).await.unwrap(), Some(asked(1)));
        assert_eq!(desk.withdrawals().await.unwrap().len(), 1);
        desk.forget_withdrawal(record).await.unwrap();
        assert_eq!(desk.withdrawal(record).await.unwrap(), None);
    }
}
