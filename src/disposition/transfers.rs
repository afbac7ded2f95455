//! What is permanent and due at the historical archive (lưu trữ lịch sử).
//!
//! Luật Lưu trữ 33/2024/QH15: within 5 years of the year in which it came to the current archive. The rule is
//! [`crate::record::disposition::transfer`]; here is what it is asked of.

use crate::archive::Archive;
use crate::catalog::retention::DueUnit;
use crate::disposition::{DispositionError, due::now};
use crate::record::{
    described::Described,
    disposition::{
        days::day_of,
        rules::Rules,
        transfer::{Permanent, Transfer, stands},
    },
    entry::Instant,
    file_state::FileState,
    id::FileId,
    retention::{clock::Due, day::Day},
    unit::Unit,
};
use std::collections::HashSet;

/// Units that are read at once.
const PAGE: u32 = 500;

/// The permanent files and loose records that are to be registered for transfer, prepared or handed over by now, or that
/// wait for a secrecy mark to be lifted; the oldest of each schedule first, at most so many.
pub async fn transfers(archive: &Archive, limit: usize) -> Result<Vec<(DueUnit, Transfer)>, DispositionError> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for known in archive.catalog.schedules().await? {
        let mut after = String::new();
        loop {
            let page = archive.catalog.clocked(known.schedule, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.unit.to_string();
            for one in page.into_iter().filter(|one| one.due == Due::Never) {
                let unit = whole(archive, one.unit).await?;
                if seen.insert(unit) {
                    found.extend(due_there(archive, unit).await?);
                }
                if found.len() >= limit {
                    return Ok(found);
                }
            }
        }
    }
    Ok(found)
}

/// The file that a record lies in: a file with one permanent record is permanent, and is handed over whole.
async fn whole(archive: &Archive, unit: Unit) -> Result<Unit, DispositionError> {
    let Some(record) = unit.record() else { return Ok(unit) };
    Ok(archive.catalog.file_of(record).await?.map_or(unit, Unit::File))
}

/// Where its transfer stands, unless nothing is to be done yet.
async fn due_there(archive: &Archive, unit: Unit) -> Result<Option<(DueUnit, Transfer)>, DispositionError> {
    let (today, rules) = (day_of(now(archive)), &archive.config.disposition);
    let Some(received) = received(archive, unit, |received| waits(received, today, rules)).await? else {
        return Ok(None);
    };
    let of = Permanent { received, special: false, marked: marked(archive, unit).await? };
    let Some(stands) = stands(&of, today, rules) else { return Ok(None) };
    let known = archive.catalog.due_of(unit).await?.filter(|known| known.due == Due::Never);
    Ok(known.map(|known| (known, stands)))
}

/// Is nothing to be done yet for what was received in a year?
fn waits(received: u16, today: u32, rules: &Rules) -> bool {
    let of = Permanent { received, special: false, marked: false };
    matches!(stands(&of, today, rules), None | Some(Transfer::Waits { .. }))
}

/// The year in which it came to the current archive: a record by its accession, a file when it was accepted first. `None`
/// where the archive has not got it, or where the transfer is not near: then its descriptions are not read at all.
async fn received(archive: &Archive, unit: Unit, waits: impl Fn(u16) -> bool) -> Result<Option<u16>, DispositionError> {
    let year = match unit {
        Unit::Record(record) => archive.catalog.record(record).await?.and_then(|known| year(known.at)),
        Unit::File(file) => match archive.catalog.unit(unit).await?.and_then(|opened| year(opened.at)) {
            // It was not accepted before it was opened.
            Some(opened) if !waits(opened) => accepted(archive, file).await?.and_then(year),
            _ => None,
        },
        _ => None,
    };
    Ok(year.filter(|year| !waits(*year)))
}

/// When a file was accepted first.
async fn accepted(archive: &Archive, file: FileId) -> Result<Option<Instant>, DispositionError> {
    if archive.catalog.file(file).await?.is_none_or(|known| known.state != FileState::Accepted) {
        return Ok(None);
    }
    for happened in archive.catalog.life(file).await? {
        let Some(digest) = happened.description else { continue };
        if let Some(Described::File(then)) = archive.described(file.into(), digest).await?
            && then.state == FileState::Accepted
        {
            return Ok(Some(happened.at));
        }
    }
    Ok(None)
}

/// Does anything in it bear a secrecy mark, or is suspected to?
async fn marked(archive: &Archive, unit: Unit) -> Result<bool, DispositionError> {
    let records = match unit {
        Unit::File(file) => archive.catalog.members(file).await?,
        other => other.record().into_iter().collect(),
    };
    for record in records {
        if archive.description(record).await?.is_some_and(|read| !read.description.shows()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn year(at: Instant) -> Option<u16> {
    u16::try_from(Day::in_vietnam(at).year()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Luật Lưu trữ 33/2024/QH15: 5 years after the year of receipt; TT 05/2025/TT-BNV: registered 12 months ahead.
    #[test]
    fn what_is_not_near_is_not_read() {
        for (received, today, expected) in [
            (2020, 20250101, false),
            (2020, 20241230, true),
            (2021, 20250601, true),
            (2010, 20261127, false),
            (2026, 20261127, true),
        ] {
            assert_eq!(waits(received, today, &Rules::default()), expected, "{received} {today}");
        }
    }

    #[test]
    fn a_year_is_that_of_vietnam() {
        for (at, expected) in [("2025-12-31T16:59:59.000000Z", 2025), ("2025-12-31T17:00:00.000000Z", 2026)] {
            assert_eq!(year(at.parse().unwrap()), Some(expected), "{at}");
        }
    }
}
