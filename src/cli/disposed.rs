//! What the commands of retention and disposition share: who acts, days as people write them, and how an act is told.

use crate::archive::{Archive, ArchiveError};
use crate::cli::{CommandError, Context, actor, fonds::read_date, show::Screen};
use crate::desk::password;
use crate::disposition::{DispositionError, Done, Who};
use crate::record::{
    actor::Role,
    retention::{day::Day, flaw::Flaw},
};
use serde_json::json;
use std::process::ExitCode;

/// Who acts at this machine's command line, as an archivist.
pub fn operator(archive: &Archive) -> Who {
    Who { actor: archive.operator, role: Role::Archivist, authenticated: None }
}

/// Somebody who shows here and now, by the password of their account, who they are.
pub async fn acting(context: &Context, archive: &Archive, name: &str) -> Result<Who, CommandError> {
    let found = archive.desk.account(name).await.map_err(ArchiveError::from)?;
    let (account, hash) = found.filter(|(account, _)| !account.disabled).unzip();
    let matches = password::matches(actor::ask(context)?, hash).await.map_err(ArchiveError::from)?;
    let account = account.filter(|_| matches).ok_or_else(|| {
        CommandError::usage(
            "sai tên tài khoản hoặc mật khẩu; kiểm tra rồi thử lại".into(),
            "wrong name or password; check both and try again".into(),
        )
    })?;
    let authenticated = Some(archive.clock.now());
    Ok(Who { actor: account.actor.id, role: account.actor.role, authenticated })
}

/// A day as people write it.
pub fn read_day(typed: &str) -> Result<Day, CommandError> {
    let date = read_date(typed)?;
    let day = Day::last_of(date);
    (Day::first_of(date) == day).then_some(day).ok_or_else(|| {
        CommandError::usage(
            format!("{typed}: cần đủ ngày, tháng, năm; viết 15/05/2026"),
            format!("{typed}: a day is written 2026-05-15"),
        )
    })
}

/// What an act came to: 0 done, 1 refused.
pub fn told(screen: &Screen, done: Result<Done, DispositionError>) -> Result<ExitCode, CommandError> {
    match done {
        Ok(Done { unit, entry }) => {
            let said = screen.say("Đã ghi vào sổ cái, sự kiện số", "In the ledger, entry");
            screen.answer(|| json!({"unit": unit, "entry": entry}), || format!("{said} {entry}: {unit}"));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => refused(screen, error),
    }
}

/// Why an act was refused, as an answer; what is no refusal is the command's own failure.
pub fn refused(screen: &Screen, error: DispositionError) -> Result<ExitCode, CommandError> {
    let (code, vi, en) = match &error {
        DispositionError::Refused(refusal) => (refusal.as_str(), refusal.vi(), refusal.en()),
        DispositionError::Held(refusal) => (refusal.as_str(), refusal.vi(), refusal.en()),
        DispositionError::Secrecy(refusal) => (refusal.as_str(), refusal.vi(), refusal.en()),
        DispositionError::Arranging(refusal) => (refusal.as_str(), refusal.vi(), refusal.en()),
        DispositionError::Flawed(flaws) => {
            screen.answer(
                || json!({"refused": "flawed", "flaws": flaws}),
                || flaws.iter().map(|flaw| line(screen, flaw)).collect::<Vec<_>>().join("\n"),
            );
            return Ok(ExitCode::from(1));
        }
        _ => return Err(broken(error)),
    };
    screen.answer(|| json!({"refused": code, "vi": vi, "en": en}), || screen.say(vi, en).to_owned());
    Ok(ExitCode::from(1))
}

/// A flaw of a schedule, as an answer of its own.
pub fn found(screen: &Screen, flaw: &Flaw) {
    screen.answer(|| json!({"flaw": flaw}), || line(screen, flaw));
}

/// The same as a line for people.
pub fn line(screen: &Screen, flaw: &Flaw) -> String {
    let row = flaw.row.map(|row| format!("{} {row}: ", screen.say("dòng", "row"))).unwrap_or_default();
    let class = flaw.class.as_ref().map(|class| format!("{class}: ")).unwrap_or_default();
    let detail = flaw.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{row}{class}{}{detail}", screen.say(flaw.code.vi(), flaw.code.en()))
}

/// What stops a command.
pub fn broken(error: DispositionError) -> CommandError {
    match error {
        DispositionError::Archive(error) => error.into(),
        DispositionError::Catalog(error) => error.into(),
        error => CommandError::Usage(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_as_people_write_them() {
        for (typed, expected) in [
            ("15/05/2026", Some("2026-05-15")),
            ("2026-05-15", Some("2026-05-15")),
            ("05/2026", None),
            ("2026", None),
            ("31/02/2026", None),
            ("", None),
        ] {
            let read = read_day(typed).ok().map(|day| day.to_string());
            assert_eq!(read.as_deref(), expected, "{typed}");
        }
    }
}
