//! Rounds of fixity, continuous: a budget of bytes, hours of the day, and nothing while the archive is taking in.

use crate::archive::{Archive, ArchiveError, coverage::Coverage};
use crate::fixity::{self, Step};
use crate::record::entry::{HOURS_AHEAD, Instant};
use std::time::Duration;

/// Between two looks whether something is to be done.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a step waits while proposals are waiting, so that the objective is met all the same.
const YIELD: Duration = Duration::from_millis(200);
const YIELDS_MAX: usize = 10;
/// A round begins when this share of the objective has passed since the last one began.
const BEGIN_AT: f64 = 0.5;
/// Between two samples, in microseconds.
const SAMPLE_MICROS: i64 = 3_600_000_000;

/// Runs until it is dropped.
pub async fn rounds(archive: &Archive) {
    if archive.config.fixity.objective_days == 0 {
        return;
    }
    let mut sampled = archive.clock.now();
    loop {
        if let Err(error) = look(archive, &mut sampled).await {
            tracing::warn!(%error, "how far fixity is cannot be told; it is asked again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Goes on with what is due, at every place.
async fn look(archive: &Archive, sampled: &mut Instant) -> Result<(), ArchiveError> {
    let now = archive.clock.now();
    let sample = now.micros() - sampled.micros() >= SAMPLE_MICROS;
    for one in archive.coverage().await? {
        let labels = [("place", one.place.to_string())];
        metrics::gauge!("vankho_fixity_unread_seconds", &labels).set(one.age_seconds(now) as f64);
        if !one.answers {
            continue;
        }
        // What one place cannot do keeps no other waiting.
        let looked = match is_due(&one, now, archive.config.fixity.objective_days) {
            true => round(archive, one.place).await,
            false if sample => picked(archive, one.place).await,
            false => Ok(()),
        };
        if let Err(error) = looked {
            tracing::warn!(place = one.place, %error, "a round of fixity ended early; it goes on");
        }
    }
    if sample {
        *sampled = now;
    }
    Ok(())
}

/// Some records at random.
async fn picked(archive: &Archive, place: u32) -> Result<(), ArchiveError> {
    let (mut pace, records) = (fixity::budget(archive), archive.config.fixity.sample_records);
    let checked = fixity::sample(archive, place, records, &mut pace).await?;
    count(place, checked.map_or(0, |checked| checked.faults.len()));
    Ok(())
}

/// Steps of a round, for as long as the hour allows.
async fn round(archive: &Archive, place: u32) -> Result<(), ArchiveError> {
    let mut pace = fixity::budget(archive);
    while is_within(archive.config.fixity.hours, archive.clock.now()) {
        for _ in 0..YIELDS_MAX {
            if archive.waiting() == 0 {
                break;
            }
            tokio::time::sleep(YIELD).await;
        }
        match fixity::step(archive, place, &mut pace).await? {
            Step::GoesOn { found, .. } => count(place, found.len()),
            Step::Ended { round, entry } => {
                tracing::info!(
                    place,
                    entry.seq = entry,
                    records = round.records,
                    faults = round.faults,
                    "fixity checked"
                );
                return Ok(());
            }
            Step::Away => return Ok(()),
        }
    }
    Ok(())
}

fn count(place: u32, faults: usize) {
    metrics::counter!("vankho_fixity_faults_total", "place" => place.to_string()).increment(faults as u64);
}

/// Is a round to be begun, or one that is under way to go on?
fn is_due(coverage: &Coverage, now: Instant, objective_days: u32) -> bool {
    let due = f64::from(objective_days) * 86_400.0 * BEGIN_AT;
    coverage.round.is_some() || coverage.age_seconds(now) as f64 >= due
}

/// Is it one of the hours? `[22, 6]` goes over midnight.
fn is_within([from, to]: [u32; 2], now: Instant) -> bool {
    let hour = (now.micros().div_euclid(3_600_000_000) + i64::from(HOURS_AHEAD)).rem_euclid(24) as u32;
    if from < to { (from..to).contains(&hour) } else { hour >= from || hour < to }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::fixity::Round;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn the_hours_are_those_of_vietnam_and_may_go_over_midnight() {
        let (evening, noon) = (at("2026-11-26T15:30:00.000000Z"), at("2026-11-26T05:00:00.000000Z"));
        for (hours, in_the_evening, at_noon) in
            [([0, 24], true, true), ([22, 6], true, false), ([8, 17], false, true), ([22, 23], true, false)]
        {
            assert_eq!((is_within(hours, evening), is_within(hours, noon)), (in_the_evening, at_noon), "{hours:?}");
        }
    }

    #[test]
    fn a_round_begins_in_good_time_and_one_that_began_goes_on() {
        let began = at("2026-01-01T00:00:00.000000Z");
        let one = |round| Coverage { place: 1, name: "a".into(), unread_since: Some(began), round, answers: true };
        assert!(!is_due(&one(None), at("2026-02-14T00:00:00.000000Z"), 90));
        assert!(is_due(&one(None), at("2026-02-15T00:00:00.000000Z"), 90));
        let round = Round { began, to: 1, next: 0, records: 0, components: 0, bytes: 0, faults: 0 };
        assert!(is_due(&one(Some(round)), began, 90));
        assert!(!is_due(&Coverage { unread_since: None, ..one(None) }, at("2036-02-15T00:00:00.000000Z"), 90));
    }
}
