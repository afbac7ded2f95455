//! Who acts where it matters who, days as people write them, and how what an act came to is told: the same way whether it
//! was done here or at a server.
//!
//! # Why
//! *One operator is everybody.* Whoever has the disk of an archive has its command line; so what needs a second person, or
//! one who has just shown who they are, is done by name here, or at the server.
//!
//! *A refusal is an answer.* Exit code 1, the code of the rule, and what to do in both languages; what is no refusal is the
//! command's own failure.

use crate::archive::{Archive, ArchiveError};
use crate::arrangement::{Arranged, ArrangementError};
use crate::cli::{
    CommandError, Context, actor,
    remote::{self, RemoteError},
    show::{self, Screen},
};
use crate::desk::password;
use crate::disposition::{DispositionError, Done, Who};
use crate::http::error::Kind;
use crate::record::{
    actor::Role,
    arranging,
    date::PartialDate,
    disposition::refusal::Refusal,
    file_state, flaw,
    hold::HoldRefusal,
    retention::{self, day::Day},
    secrecy::SecrecyRefusal,
};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

/// In whose name a command acts.
#[derive(Args)]
pub struct Acting {
    /// Act as this account; its password is asked for, or read from VANKHO_PASSWORD; with --server the token says who /
    /// Làm với tài khoản này
    #[arg(long = "as", global = true, value_name = "NAME")]
    name: Option<String>,
}

impl Acting {
    /// Somebody who has just shown who they are, or the operator, who has not.
    pub async fn who(&self, context: &Context, archive: &Archive) -> Result<Who, CommandError> {
        match &self.name {
            Some(name) => by_password(context, archive, name).await,
            None => Ok(operator(archive)),
        }
    }

    /// At a server the token says who acts.
    pub fn expect_nobody(&self, context: &Context) -> Result<(), CommandError> {
        if context.server.is_some() && self.name.is_some() { Err(token_says()) } else { Ok(()) }
    }

    /// What an act came to; where it wants another person, how that is done from here.
    pub fn told(
        &self,
        context: &Context,
        done: Result<impl Into<Told>, impl Into<Undone>>,
    ) -> Result<ExitCode, CommandError> {
        let done: Result<Told, Undone> = done.map(Into::into).map_err(Into::into);
        let here = context.server.is_none() && self.name.is_none();
        if here && done.as_ref().is_err_and(Undone::wants_somebody) {
            show::tell(context.screen.say(
                "Người vận hành máy không thay được người có thẩm quyền: dùng --as TÊN_TÀI_KHOẢN, hoặc làm việc này trên máy chủ.",
                "The operator of the machine is nobody in particular: use --as NAME, or do this at the server.",
            ));
        }
        told(&context.screen, done)
    }
}

/// Why `--as` is refused with `--server`.
pub fn token_says() -> CommandError {
    CommandError::usage(
        "với --server, mã truy cập VANKHO_TOKEN cho biết ai làm; bỏ --as và dùng mã truy cập của người đó".into(),
        "with --server the token in VANKHO_TOKEN says who acts; leave --as out and use the token of that person".into(),
    )
}

/// Who acts at this machine's command line, as an archivist: whoever has its disk has the archive.
pub fn operator(archive: &Archive) -> Who {
    Who { actor: archive.operator, role: Role::Archivist, authenticated: None }
}

/// The same, who arranges.
pub fn arranger(archive: &Archive) -> file_state::Who {
    file_state::Who { id: archive.operator, role: Role::Archivist }
}

/// Somebody who shows here and now, by the password of their account, who they are.
pub async fn by_password(context: &Context, archive: &Archive, name: &str) -> Result<Who, CommandError> {
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

/// A date as people write it.
pub fn read_date(typed: &str) -> Result<PartialDate, CommandError> {
    PartialDate::read(typed).map_err(|_| {
        CommandError::usage(
            format!("{typed}: không phải là ngày; viết 2026, 05/2026 hoặc 15/05/2026"),
            format!("{typed}: a date is written 2026, 2026-05 or 2026-05-15"),
        )
    })
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

/// What an act came to.
pub struct Told {
    /// One member, named by the kind of the unit.
    pub unit: Value,
    pub name: String,
    pub entry: u64,
    /// What people should look at, where the act looks at something.
    pub flaws: Option<Vec<Wrong>>,
}

/// Why nothing was done.
pub enum Undone {
    /// By a rule: its code, and what to do in Vietnamese and in English.
    Refused(String, String, String),
    /// These are to be mended first.
    Flawed(Vec<Wrong>),
    /// What stops the command.
    Broken(CommandError),
}

/// One thing wrong, for scripts and for people.
pub struct Wrong {
    pub json: Value,
    pub vi: String,
    pub en: String,
}

impl Undone {
    /// Is it refused because of who acts?
    fn wants_somebody(&self) -> bool {
        let codes = ["not_yours", "not_your_role", "not_fresh", "same_person", "reviewer", "not_of_the_council"];
        matches!(self, Undone::Refused(code, ..) if codes.contains(&code.as_str()))
    }
}

impl From<Arranged> for Told {
    fn from(Arranged { unit, entry, flaws }: Arranged) -> Told {
        let flaws = Some(flaws.iter().map(Wrong::from).collect());
        Told { unit: json!(unit), name: unit.to_string(), entry, flaws }
    }
}

impl From<Done> for Told {
    fn from(Done { unit, entry }: Done) -> Told {
        Told { unit: json!(unit), name: unit.to_string(), entry, flaws: None }
    }
}

macro_rules! refused {
    ($refusal:expr) => {{
        let refusal = $refusal;
        Undone::Refused(refusal.as_str().into(), refusal.vi().into(), refusal.en().into())
    }};
}

impl From<ArrangementError> for Undone {
    fn from(error: ArrangementError) -> Undone {
        match error {
            ArrangementError::Refused(refusal) => refused!(refusal),
            ArrangementError::Flawed(flaws) => Undone::Flawed(flaws.iter().map(Wrong::from).collect()),
            ArrangementError::Archive(error) => Undone::Broken(error.into()),
            ArrangementError::Catalog(error) => Undone::Broken(error.into()),
            ArrangementError::Document(error) => Undone::Broken(CommandError::Usage(error.to_string())),
        }
    }
}

impl From<DispositionError> for Undone {
    fn from(error: DispositionError) -> Undone {
        match error {
            DispositionError::Refused(refusal) => refused!(refusal),
            DispositionError::Held(refusal) => refused!(refusal),
            DispositionError::Secrecy(refusal) => refused!(refusal),
            DispositionError::Arranging(refusal) => refused!(refusal),
            DispositionError::Flawed(flaws) => Undone::Flawed(flaws.iter().map(Wrong::from).collect()),
            DispositionError::Archive(error) => Undone::Broken(error.into()),
            DispositionError::Catalog(error) => Undone::Broken(error.into()),
            DispositionError::Document(error) => Undone::Broken(CommandError::Usage(error.to_string())),
        }
    }
}

impl From<CommandError> for Undone {
    fn from(error: CommandError) -> Undone {
        Undone::Broken(error)
    }
}

/// A server tells a rule by its code, and in one language: the other is looked up.
impl From<RemoteError> for Undone {
    fn from(error: RemoteError) -> Undone {
        let RemoteError::Refused { problem, .. } = &error else { return Undone::Broken(error.into()) };
        let (code, words) = (&problem.code, &problem.detail);
        if let Some((vi, en)) = rule(code, words) {
            return Undone::Refused(code.clone(), vi.into(), en.into());
        }
        match Kind::of_code(code) {
            Some(Kind::Flawed) => Undone::Flawed(problem.findings.iter().map(Wrong::from).collect()),
            Some(_) => Undone::Broken(error.into()),
            None => Undone::Refused(code.clone(), words.clone(), words.clone()),
        }
    }
}

/// A rule in both languages, by its code and by its words in one of them.
fn rule(code: &str, words: &str) -> Option<(&'static str, &'static str)> {
    macro_rules! all {
        ($($list:ty),*) => {
            [$(<$list>::ALL.iter().map(|one| (one.as_str(), one.vi(), one.en())).collect::<Vec<_>>()),*]
        };
    }
    let rules = all!(Refusal, HoldRefusal, SecrecyRefusal, arranging::Refusal).concat();
    let found = rules.into_iter().find(|(its, vi, en)| *its == code && [*vi, *en].contains(&words));
    found.map(|(_, vi, en)| (vi, en))
}

impl From<&flaw::Flaw> for Wrong {
    fn from(flaw: &flaw::Flaw) -> Wrong {
        let detail = flaw.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        let line = |said: &str| format!("{}{detail}: {said}", flaw.place);
        Wrong { json: json!(flaw), vi: line(flaw.vi), en: line(flaw.en) }
    }
}

impl From<&retention::flaw::Flaw> for Wrong {
    fn from(flaw: &retention::flaw::Flaw) -> Wrong {
        let class = flaw.class.as_ref().map(|class| format!("{class}: ")).unwrap_or_default();
        let detail = flaw.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        let line = |row: &str, said: &str| {
            let row = flaw.row.map(|at| format!("{row} {at}: ")).unwrap_or_default();
            format!("{row}{class}{said}{detail}")
        };
        Wrong { json: json!(flaw), vi: line("dòng", flaw.code.vi()), en: line("row", flaw.code.en()) }
    }
}

/// As a server tells it; what this program knows by its code is told as here.
impl From<&remote::Told> for Wrong {
    fn from(told: &remote::Told) -> Wrong {
        let (code, place) = (told.code.as_str(), told.field.as_deref().unwrap_or_default());
        let said = told.text.as_str();
        if let Some(known) = flaw::Code::ALL.iter().find(|one| one.as_str() == code && one.en() == said) {
            let flaw = flaw::Flaw { detail: told.detail.clone(), ..flaw::Flaw::new(*known, place) };
            return Wrong::from(&flaw);
        }
        if let Some(known) = retention::flaw::FlawCode::ALL.iter().find(|one| one.as_str() == code) {
            let part = |name: &str| place.split(", ").find_map(|part| part.strip_prefix(name)).map(str::to_owned);
            let flaw = retention::flaw::Flaw {
                row: part("row ").and_then(|row| row.parse().ok()),
                class: part("class "),
                detail: told.detail.clone(),
                ..retention::flaw::Flaw::new(*known)
            };
            return Wrong::from(&flaw);
        }
        let line = format!("{place}: {said}");
        Wrong { json: json!(told), vi: line.clone(), en: line }
    }
}

/// A flaw, as a line for people.
pub fn line(screen: &Screen, flaw: impl Into<Wrong>) -> String {
    let Wrong { vi, en, .. } = flaw.into();
    screen.say(vi, en)
}

/// What an act came to: 0 done, 1 refused.
pub fn told(screen: &Screen, done: Result<impl Into<Told>, impl Into<Undone>>) -> Result<ExitCode, CommandError> {
    let Told { unit, name, entry, flaws }: Told = match done {
        Ok(done) => done.into(),
        Err(error) => return refused(screen, error),
    };
    let said = screen.say("Đã ghi vào sổ cái, sự kiện số", "In the ledger, entry");
    let mut json = json!({"unit": unit, "entry": entry});
    let mut lines = vec![format!("{said} {entry}: {name}")];
    if let Some(flaws) = flaws {
        json["flaws"] = flaws.iter().map(|flaw| flaw.json.clone()).collect();
        lines.extend(flaws.into_iter().map(|flaw| line(screen, flaw)));
    }
    screen.answer(|| json, || lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// Why an act was refused, as an answer.
pub fn refused(screen: &Screen, error: impl Into<Undone>) -> Result<ExitCode, CommandError> {
    match error.into() {
        Undone::Refused(code, vi, en) => {
            screen.answer(|| json!({"refused": code, "vi": vi, "en": en}), || screen.say(vi.clone(), en.clone()));
        }
        Undone::Flawed(flaws) => {
            let json: Vec<Value> = flaws.iter().map(|flaw| flaw.json.clone()).collect();
            let lines: Vec<String> = flaws.into_iter().map(|flaw| line(screen, flaw)).collect();
            screen.answer(|| json!({"refused": "flawed", "flaws": json}), || lines.join("\n"));
        }
        Undone::Broken(error) => return Err(error),
    }
    Ok(ExitCode::from(1))
}

/// What stops a command, a refusal as well.
pub fn broken(error: impl Into<Undone>) -> CommandError {
    match error.into() {
        Undone::Refused(_, vi, en) => CommandError::usage(vi, en),
        Undone::Flawed(flaws) => CommandError::Usage(format!("{} thiếu sót / flaws", flaws.len())),
        Undone::Broken(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::remote::Problem;

    #[test]
    fn who_is_asked_for_where_a_person_is_wanted() {
        for (error, wants) in [
            (Refusal::NotFresh.into(), true),
            (Refusal::Reviewer.into(), true),
            (Refusal::NotOfTheCouncil.into(), true),
            (Refusal::NotDue.into(), false),
            (HoldRefusal::SamePerson.into(), true),
            (HoldRefusal::TooLate.into(), false),
            (SecrecyRefusal::NotYours.into(), true),
            (SecrecyRefusal::NotConfirmed.into(), false),
            (arranging::Refusal::NotYourRole.into(), true),
            (arranging::Refusal::NotThere.into(), false),
        ] {
            let error: DispositionError = error;
            let said = error.to_string();
            assert_eq!(Undone::from(error).wants_somebody(), wants, "{said}");
        }
    }

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

    /// What a server says of a rule, in the language that it was asked in.
    #[test]
    fn a_refusal_comes_back_from_a_server_as_it_was() {
        let afar = |code: &str, detail: &str| {
            let problem = Problem { code: code.into(), detail: detail.into(), ..Problem::default() };
            Undone::from(RemoteError::Refused { url: "u".into(), problem: Box::new(problem) })
        };
        for (code, vi, en) in [
            (HoldRefusal::SamePerson.as_str(), HoldRefusal::SamePerson.vi(), HoldRefusal::SamePerson.en()),
            (SecrecyRefusal::SamePerson.as_str(), SecrecyRefusal::SamePerson.vi(), SecrecyRefusal::SamePerson.en()),
            (Refusal::Reviewer.as_str(), Refusal::Reviewer.vi(), Refusal::Reviewer.en()),
        ] {
            let Undone::Refused(its, told_vi, told_en) = afar(code, en) else { panic!("{code}") };
            assert_eq!((its.as_str(), told_vi.as_str(), told_en.as_str()), (code, vi, en));
        }
        assert!(matches!(afar("newer", "so; do this"), Undone::Refused(_, vi, en) if vi == en), "in its own words");
        assert!(matches!(afar("forbidden", ""), Undone::Broken(_)));
        assert!(matches!(afar("flawed", ""), Undone::Flawed(_)));
    }

    #[test]
    fn flaws_come_back_from_a_server_as_they_were() {
        let told = |code: &str, field: &str, text: &str| remote::Told {
            code: code.into(),
            severity: "error".into(),
            field: Some(field.into()),
            detail: Some("x".into()),
            text: text.into(),
        };
        let code = flaw::Code::TitleMissing;
        let (ours, afar) = (flaw::Flaw::new(code, "title").with_detail("x"), told(code.as_str(), "title", code.en()));
        let (ours, afar) = (Wrong::from(&ours), Wrong::from(&afar));
        assert_eq!((ours.json, ours.vi, ours.en), (afar.json, afar.vi, afar.en));
        let code = retention::flaw::FlawCode::TooLong;
        let ours = retention::flaw::Flaw::new(code).at_row(3).of_class("1.01").with_detail("x");
        let (ours, afar) = (Wrong::from(&ours), Wrong::from(&told(code.as_str(), "row 3, class 1.01", code.en())));
        assert_eq!((ours.json, ours.vi, ours.en), (afar.json, afar.vi, afar.en));
    }
}
