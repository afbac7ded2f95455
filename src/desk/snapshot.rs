//! A copy of the desk as it is at one moment, while others write to it; and what the desk remembers of backups.

use crate::desk::{Desk, DeskError};
use crate::record::backup::Remembered;
use sqlx::{ConnectOptions, Connection, Row, sqlite::SqliteConnectOptions};
use std::path::Path;

/// The setting under which the desk remembers backups and drills.
const BACKUPS: &str = "backups";

/// Writes what a desk holds at this moment into another file, which must not be there yet.
///
/// If we stop here, a part of it lies there, which nobody takes for a desk.
pub async fn snapshot(desk: &Path, to: &Path) -> Result<(), DeskError> {
    let mut connection = SqliteConnectOptions::new().filename(desk).connect().await?;
    let copied = sqlx::query("VACUUM INTO $1").bind(to.display().to_string()).execute(&mut connection).await;
    connection.close().await?;
    copied?;
    Ok(())
}

/// Is this file a desk that can be used?
pub async fn is_sound(file: &Path) -> bool {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    let Ok(mut connection) = options.connect().await else { return false };
    let checked = sqlx::query("PRAGMA integrity_check").fetch_one(&mut connection).await;
    let sound = checked.and_then(|row| row.try_get::<String, _>(0)).is_ok_and(|answer| answer == "ok");
    let is_desk = sqlx::query("SELECT COUNT(*) FROM settings").fetch_one(&mut connection).await.is_ok();
    connection.close().await.ok();
    sound && is_desk
}

impl Desk {
    /// What is remembered of backups and drills.
    pub async fn backups(&self) -> Result<Remembered, DeskError> {
        let select = "SELECT value FROM settings WHERE name = $1";
        let Some(row) = sqlx::query(select).bind(BACKUPS).fetch_optional(&self.pool).await? else {
            return Ok(Remembered::default());
        };
        let text: String = row.try_get(0)?;
        serde_json::from_str(&text).map_err(|_| DeskError::Malformed(text))
    }

    /// Remembers it.
    ///
    /// If we stop here, a backup is made or tried once more than would have to be.
    pub async fn set_backups(&self, remembered: &Remembered) -> Result<(), DeskError> {
        let text = serde_json::to_string(remembered).map_err(|fault| DeskError::Malformed(fault.to_string()))?;
        let insert = "INSERT INTO settings (name, value) VALUES ($1, $2) \
                      ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(insert).bind(BACKUPS).bind(text).execute(&self.pool).await?;
        Ok(())
    }

    /// Nothing is known any more of what any replica holds: the disks are others.
    pub async fn forget_all_healed(&self) -> Result<(), DeskError> {
        sqlx::query("DELETE FROM replicas").execute(&self.pool).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_snapshot_is_a_desk_and_damage_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (file, copy) = (folder.path().join("desk.db"), folder.path().join("copy.db"));
        let desk = Desk::open(Some(&file)).await.unwrap();
        desk.remember(7, "note 7").await.unwrap();
        // Others have it open and go on writing.
        snapshot(&file, &copy).await.unwrap();
        desk.remember(9, "note 9").await.unwrap();
        assert!(is_sound(&copy).await);
        assert!(snapshot(&file, &copy).await.is_err(), "nothing is written over");
        let before = Desk::open(Some(&copy)).await.unwrap();
        assert_eq!(before.checkpoint().await.unwrap(), Some((7, "note 7".into())));
        before.close().await;
        std::fs::write(&copy, b"no desk").unwrap();
        assert!(!is_sound(&copy).await && !is_sound(&folder.path().join("nothing")).await);
        let remembered = Remembered { why: Some("full".into()), ..Remembered::default() };
        assert_eq!(desk.backups().await.unwrap(), Remembered::default());
        desk.set_backups(&remembered).await.unwrap();
        assert_eq!(desk.backups().await.unwrap(), remembered);
    }
}
