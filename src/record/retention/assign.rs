//! What descriptions say for the clock: which facts they tell, which version of a schedule rules a class, and whether there
//! is a class at all.
//!
//! Luật Lưu trữ 33/2024/QH15 art. 15: a period counts from the year in which the work ended, and a file takes the longest
//! period of its documents.
//!
//! # Why
//! - *Catalog and flow ask the same functions.* The catalog counts due dates to find what falls due, the flow counts them
//!   again before anything happens: were there two readings of a description, the list would propose what the order refuses.
//! - *A newer approved version rules at once*, also what was classed by an older one: whoever approves a schedule means its
//!   periods. Where it has dropped a class the newest version that has it goes on ruling, for nobody has said otherwise.
//! - *The work of a record is that of its file.* A record with a class of its own does not end before its file does.

use crate::record::{
    entry::Instant,
    file::{About, File},
    metadata::Metadata,
    retention::{
        schedule::{Class, Schedule},
        trigger::{Evidence, Fact, Told, Trigger, When},
    },
    term::ClassRef,
};

/// The facts of a file that start clocks: the end of its work, which is its last date or else the day on which it was
/// closed, and what else is told. Known since a moment.
pub fn facts_of_file(about: &About, known: Instant) -> Vec<Fact> {
    let end = about.ended.map(|date| (date, "ended")).or(about.closed.map(|date| (date, "closed")));
    let ended = end.map(|(date, field)| fact(Trigger::WorkEnded, When::Date(date), field, known));
    ended.into_iter().chain(told(&about.facts, known)).collect()
}

/// The same of a description that is in force, by its state: a file that was opened again keeps the day on which it was
/// closed before, and its work goes on.
pub fn facts_of(file: &File, known: Instant) -> Vec<Fact> {
    let stale = |fact: &Fact| file.state.is_open() && fact.evidence == Evidence::Field("closed".into());
    facts_of_file(&file.about, known).into_iter().filter(|fact| !stale(fact)).collect()
}

/// The facts of a record that start clocks: when it was issued, and what else is told. Known since a moment.
pub fn facts_of_record(metadata: &Metadata, known: Instant) -> Vec<Fact> {
    let issued = metadata.issued.map(|date| fact(Trigger::DocumentIssued, When::Date(date), "issued", known));
    issued.into_iter().chain(told(&metadata.facts, known)).collect()
}

/// The facts by which the class of a record in a file counts: its own, and those of its file that are of the work and not
/// of a document.
pub fn facts_inside(mut own: Vec<Fact>, of_file: &[Fact]) -> Vec<Fact> {
    let of_work = |fact: &&Fact| !matches!(fact.trigger, Trigger::DocumentIssued | Trigger::DocumentCeased);
    own.extend(of_file.iter().filter(of_work).cloned());
    own
}

fn told(facts: &[Told], known: Instant) -> impl Iterator<Item = Fact> {
    facts.iter().map(move |told| fact(told.trigger, When::Date(told.when), "facts", known))
}

fn fact(trigger: Trigger, when: When, field: &str, known: Instant) -> Fact {
    Fact { trigger, when, evidence: Evidence::Field(field.into()), known }
}

/// The version that rules a class that was given, and what it says: the newest approved and complete version that has
/// the class, else the version that was named. Of a version both descriptions may be among them, before its approval and
/// after. `None`: nobody has said how long it lives.
pub fn ruling_class<'a>(versions: &'a [Schedule], named: &ClassRef) -> Option<(&'a Schedule, &'a Class)> {
    let of_it = versions.iter().filter(|version| version.schedule == named.schedule);
    let having = of_it.filter_map(|version| version.class(&named.class).map(|class| (version, class)));
    let order = |(version, _): &(&Schedule, &Class)| (rules(version), version.version, version.approved.is_some());
    having.filter(|(version, _)| rules(version) || version.version == named.version).max_by_key(order)
}

fn rules(version: &Schedule) -> bool {
    version.approved.is_some() && !version.incomplete
}

/// Does somebody say how long a record lives? One without a class of its own takes that of its files: where it lies in none,
/// or one of them has no class, nobody knows the longest.
pub fn is_classed<'a>(own: Option<&ClassRef>, files: impl IntoIterator<Item = Option<&'a ClassRef>>) -> bool {
    let mut files = files.into_iter().peekable();
    own.is_some() || (files.peek().is_some() && files.all(|class| class.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        digest::Digest,
        document::{Document, Salt},
        file::tests::whole,
        file_state::FileState,
        id::{FileId, FondsId, ScheduleId},
        retention::{derivation::tests::at, schedule::tests::example},
    };

    fn lines(facts: &[Fact]) -> Vec<String> {
        let one = |fact: &Fact| {
            let Evidence::Field(field) = &fact.evidence else { panic!("{fact:?}") };
            format!("{} {} {field}", fact.trigger, fact.when.last_day())
        };
        facts.iter().map(one).collect()
    }

    fn told(trigger: &str, when: &str) -> Told {
        Told { trigger: trigger.parse().unwrap(), when: when.parse().unwrap() }
    }

    /// Law 33/2024/QH15 art. 15: from the year in which the work ended.
    #[test]
    fn when_the_work_of_a_file_ended() {
        let ended = |text: &str| text.parse().ok();
        let contract = || vec![told("event:contract_ended", "2024-05")];
        for (about, state, expected) in [
            (About { ended: None, ..whole() }, FileState::Open, &[][..]),
            (About { ended: ended("2024-08-09"), ..whole() }, FileState::Open, &["work_ended 2024-08-09 ended"]),
            (About { ended: ended("2024"), ..whole() }, FileState::Closed, &["work_ended 2024-12-31 ended"]),
            (
                About { ended: ended("2024-08-09"), closed: ended("2025-01-15"), ..whole() },
                FileState::Accepted,
                &["work_ended 2024-08-09 ended"],
            ),
            (
                About { ended: None, closed: ended("2025-01-15"), ..whole() },
                FileState::Closed,
                &["work_ended 2025-01-15 closed"],
            ),
            // It was closed, and opened again since: its work goes on.
            (About { ended: None, closed: ended("2025-01-15"), ..whole() }, FileState::Reopened, &[]),
            (
                About { ended: None, facts: contract(), ..whole() },
                FileState::Open,
                &["event:contract_ended 2024-05-31 facts"],
            ),
        ] {
            let (file, fonds, salt) = (FileId::new(0, [1; 10]), FondsId::new(0, [2; 10]), Salt::new([3; 32]));
            let replaces = Some(Digest::of(b"x"));
            let file = File { schema: File::SCHEMA.into(), file, fonds, replaces, salt, state, about };
            let facts = facts_of(&file, at("2026-01-01"));
            assert_eq!(lines(&facts), expected, "{state:?}");
            assert!(facts.iter().all(|fact| fact.known == at("2026-01-01")));
        }
    }

    #[test]
    fn what_starts_the_clock_of_a_record() {
        let record = Metadata {
            issued: "2020-03".parse().ok(),
            facts: vec![told("document_ceased", "2023-07-01")],
            ..Metadata::default()
        };
        let own = facts_of_record(&record, at("2026-01-01"));
        assert_eq!(lines(&own), ["document_issued 2020-03-31 issued", "document_ceased 2023-07-01 facts"]);
        assert_eq!(facts_of_record(&Metadata::default(), at("2026-01-01")), []);
        // In a file the work is that of the file; what ceased to be in force is another document.
        let file = About { facts: vec![told("document_ceased", "2021"), told("event:handed_over", "2022")], ..whole() };
        let inside = facts_inside(own, &facts_of_file(&file, at("2026-01-01")));
        let expected = ["work_ended 2024-08-09 ended", "event:handed_over 2022-12-31 facts"];
        assert_eq!(lines(&inside)[2..], expected);
    }

    /// The issue: every version is kept, and what was classed by an older one is ruled by the newest that was approved.
    #[test]
    fn which_version_rules_a_class() {
        let version = |number, approved: bool, incomplete, classes: &[&str]| {
            let (mut one, with) = (example(), example());
            (one.version, one.incomplete) = (number, incomplete);
            one.approved = one.approved.filter(|_| approved);
            one.classes.retain(|class| classes.contains(&class.code.as_str()));
            assert_eq!(one.classes.len(), classes.len(), "{:?}", with.classes);
            one
        };
        let both = &["1.01", "1.02"][..];
        let (draft, first) = (version(1, false, false, both), version(1, true, false, both));
        let second = version(2, true, false, both);
        let fewer = version(3, true, false, &["1.01"]);
        let (begun, incomplete) = (version(4, false, false, both), version(5, true, true, both));
        let other = Schedule { schedule: ScheduleId::new(0, [7; 10]), ..version(9, true, false, both) };
        let named = |version, class: &str| ClassRef { schedule: example().schedule, version, class: class.into() };
        let upto = |n: usize| [&draft, &first, &second, &fewer, &begun, &incomplete, &other][..n].to_vec();
        for (known, named, expected) in [
            (0, named(1, "1.01"), None),
            // Nothing is approved: what was named, as it was.
            (1, named(1, "1.01"), Some((1, false))),
            (2, named(1, "1.01"), Some((1, true))),
            (3, named(1, "1.02"), Some((2, true))),
            // The newest has dropped it.
            (4, named(1, "1.02"), Some((2, true))),
            (4, named(1, "1.01"), Some((3, true))),
            // A draft and an incomplete one rule nothing, even what names them; nor does another schedule.
            (7, named(4, "1.02"), Some((2, true))),
            (7, named(5, "1.01"), Some((3, true))),
            (7, named(1, "9.99"), None),
        ] {
            let versions: Vec<Schedule> = upto(known).into_iter().cloned().collect();
            let found = ruling_class(&versions, &named);
            assert!(found.is_none_or(|(_, class)| class.code == named.class));
            let found = found.map(|(version, _)| (version.version, version.approved.is_some()));
            assert_eq!(found, expected, "{known} {named}");
        }
        let only = [begun.clone(), incomplete.clone()];
        assert_eq!(ruling_class(&only, &named(4, "1.02")).map(|(version, _)| version.version), Some(4));
        assert_eq!(ruling_class(&only, &named(6, "1.02")), None, "no such version");
    }

    /// Law 33/2024/QH15 art. 15: the longest counts; of a file without a class nobody knows it.
    #[test]
    fn who_says_how_long_a_record_lives() {
        let class = ClassRef { schedule: example().schedule, version: 1, class: "1.01".into() };
        let (yes, no) = (Some(&class), None);
        for (own, files, expected) in [
            (yes, &[][..], true),
            (yes, &[no, yes], true),
            (no, &[], false),
            (no, &[yes, yes], true),
            (no, &[yes, no], false),
        ] {
            assert_eq!(is_classed(own, files.iter().copied()), expected, "{own:?} {files:?}");
        }
    }
}
