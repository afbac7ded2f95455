//! What each witness was last heard to say. Lost with the desk, it is heard again.

use crate::desk::{Desk, DeskError};
use sqlx::Row;

pub const SCHEMA: [&str; 1] = [
    "CREATE TABLE IF NOT EXISTS witnesses (key TEXT PRIMARY KEY, size BIGINT NOT NULL, time BIGINT NOT NULL, why TEXT)",
];

/// How a witness stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heard {
    /// The size of the tree that it cosigned last and whose cosignature is kept; 0 where there is none.
    pub size: u64,
    /// The moment that it stated, in seconds since 1970.
    pub time: u64,
    /// Why it has not cosigned more, where something was in the way.
    pub why: Option<String>,
}

impl Desk {
    /// What a witness, named by its vkey, was last heard to say.
    pub async fn heard(&self, key: &str) -> Result<Heard, DeskError> {
        let select = "SELECT size, time, why FROM witnesses WHERE key = $1";
        let Some(row) = sqlx::query(select).bind(key).fetch_optional(&self.pool).await? else {
            return Ok(Heard::default());
        };
        let (size, time): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Heard { size: size as u64, time: time as u64, why: row.try_get(2)? })
    }

    /// Remembers it.
    pub async fn hear(&self, key: &str, heard: &Heard) -> Result<(), DeskError> {
        let insert = "INSERT INTO witnesses (key, size, time, why) VALUES ($1, $2, $3, $4) ON CONFLICT (key) \
                      DO UPDATE SET size = excluded.size, time = excluded.time, why = excluded.why";
        let insert = sqlx::query(insert).bind(key).bind(heard.size as i64).bind(heard.time as i64);
        insert.bind(heard.why.as_deref()).execute(&self.pool).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_heard_last_is_remembered() {
        let desk = Desk::open(None).await.unwrap();
        assert_eq!(desk.heard("w").await.unwrap(), Heard::default());
        for (size, why) in [(3, None), (3, Some("down".to_owned())), (7, None)] {
            let heard = Heard { size, time: 9, why };
            desk.hear("w", &heard).await.unwrap();
            assert_eq!(desk.heard("w").await.unwrap(), heard);
        }
        assert_eq!(desk.heard("other").await.unwrap(), Heard::default());
    }
}
