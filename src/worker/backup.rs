//! Backups and restore drills by the calendar.

use crate::archive::{Archive, ArchiveError};
use crate::backup::{self, drill};
use crate::record::{backup::Remembered, entry::Instant};
use std::time::Duration;

/// Between two looks whether something is due.
const PAUSE: Duration = Duration::from_secs(30);
/// And after an attempt that failed: a disk that is away or full stays so for a while.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(600);

const HOUR_MICROS: i64 = 3_600_000_000;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Backup,
    Drill,
}

/// Runs until it is dropped.
pub async fn rounds(archive: &Archive) {
    if archive.config.backup.to.is_empty() {
        return;
    }
    loop {
        let pause = match look(archive).await {
            Ok(()) => PAUSE,
            Err(error) => {
                tracing::error!(%error, "a backup or a restore drill could not be made; it is tried again");
                metrics::counter!("vankho_backup_failures_total").increment(1);
                PAUSE_AFTER_ERROR
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Does what is due.
async fn look(archive: &Archive) -> Result<(), ArchiveError> {
    let remembered = archive.desk.backups().await?;
    measure(&remembered, archive.clock.now());
    match due(&remembered, &archive.config.backup, archive.clock.now()) {
        Some(Due::Backup) => {
            let run = backup::of(archive).await?;
            let (entries, bytes, lacking) = (run.entries, run.bytes, run.not_carried.len());
            tracing::info!(run = run.number, entries, bytes, lacking, "backed up");
        }
        Some(Due::Drill) => {
            let drill = drill::of(archive).await?;
            let (records, faults) = (drill.drilled.len(), drill.faults);
            match drill.passed {
                true => tracing::info!(run = drill.run, records, "a restore drill was passed"),
                false => tracing::error!(run = drill.run, records, faults, "a restore drill was NOT passed"),
            }
        }
        None => return Ok(()),
    }
    measure(&archive.desk.backups().await?, archive.clock.now());
    Ok(())
}

/// A backup comes first: a drill is held of the newest.
fn due(remembered: &Remembered, wanted: &crate::config::Backup, now: Instant) -> Option<Due> {
    let age = |since: Option<Instant>| since.map_or(i64::MAX, |since| now.micros() - since.micros());
    let last = remembered.last.as_ref();
    if age(last.map(|last| last.began)) >= i64::from(wanted.interval_hours) * HOUR_MICROS {
        return Some(Due::Backup);
    }
    let days = i64::from(wanted.drill_interval_days);
    let drilled = remembered.drill.as_ref().map(|drill| drill.ended);
    (days > 0 && age(drilled) >= days * 24 * HOUR_MICROS).then_some(Due::Drill)
}

fn measure(remembered: &Remembered, now: Instant) {
    let seconds = |since: Instant| (now.micros() - since.micros()).max(0) as f64 / 1e6;
    if let Some(last) = &remembered.last {
        metrics::gauge!("vankho_backup_age_seconds").set(seconds(last.began));
        metrics::gauge!("vankho_backup_not_carried").set(last.not_carried as f64);
    }
    if let Some(drill) = &remembered.drill {
        metrics::gauge!("vankho_drill_age_seconds").set(seconds(drill.ended));
        metrics::gauge!("vankho_drill_passed").set(f64::from(u8::from(drill.passed)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::backup::{Last, LastDrill};

    #[test]
    fn a_backup_is_due_daily_and_a_drill_quarterly() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let wanted = crate::config::Backup::default();
        let now = at("2026-04-02T12:00:00.000000Z");
        let last = |began: &str| Last { to: "x".into(), began: at(began), entries: 1, not_carried: 0 };
        let drill = |ended: &str| LastDrill { ended: at(ended), passed: true, report: String::new() };
        let of = |last, drill| due(&Remembered { last, drill, ..Remembered::default() }, &wanted, now);
        assert_eq!(of(None, None), Some(Due::Backup), "there is none yet");
        assert_eq!(of(Some(last("2026-04-01T12:00:00.000000Z")), None), Some(Due::Backup));
        let recent = Some(last("2026-04-01T12:00:01.000000Z"));
        assert_eq!(of(recent.clone(), None), Some(Due::Drill));
        assert_eq!(of(recent.clone(), Some(drill("2026-01-02T12:00:00.000000Z"))), Some(Due::Drill));
        assert_eq!(of(recent.clone(), Some(drill("2026-01-03T12:00:00.000000Z"))), None);
        let never = crate::config::Backup { drill_interval_days: 0, ..wanted.clone() };
        assert_eq!(due(&Remembered { last: recent, ..Remembered::default() }, &never, now), None);
    }
}
