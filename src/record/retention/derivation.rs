//! Why does it live so long? The derivation of a due date: which class of which version, from where, counted from what,
//! how, under which holds (`schemas/derivation.v1.json`). [`crate::record::retention::explain`] has it in words.
//!
//! # Why
//! A date that nobody can check is a date that nobody may destroy by. The derivation is made by the same functions that
//! decide, of inputs that carry the moment since when they are known: so it can be asked of any day in the past, too.

use crate::record::{
    entry::Instant,
    id::{FileId, HoldId, RecordId, ScheduleId},
    retention::{
        clock::{self, Awaited, Due, Reading},
        day::Day,
        gate::{self, Obstacle, Reason},
        period::Period,
        rules::Rules,
        schedule::Schedule,
        trigger::{Evidence, Fact, Trigger, When},
    },
};
use serde::{Deserialize, Serialize};

/// The name of the schema that a derivation follows.
pub const SCHEMA: &str = "derivation.v1";
/// Classes told one by one: the longest ones. A file may have a class for each of its records.
pub const TERMS_MAX: usize = 20;

/// What a derivation is of, or where a class was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whence {
    Record(RecordId),
    File(FileId),
    /// By its code.
    Series(String),
}

/// That a class was given to something, with what is known of it.
#[derive(Clone, Debug)]
pub struct Assigned<'a> {
    pub whence: Whence,
    pub schedule: &'a Schedule,
    pub class: &'a str,
    /// The schedule does not list such documents: they take the class that corresponds (TT 10/2022).
    pub corresponding: bool,
    pub known: Instant,
    pub facts: &'a [Fact],
}

/// A hold, from when to when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    pub hold: HoldId,
    /// The code of its reason.
    pub reason: String,
    pub placed: Instant,
    pub released: Option<Instant>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    pub of: Whence,
    /// Every class that counts: of a record those of its files as well, of a file those of its records.
    pub assigned: &'a [Assigned<'a>],
    pub holds: &'a [Placed],
    pub as_of: Instant,
    pub rules: &'a Rules,
}

/// How a due date came about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derivation {
    /// Always [`SCHEMA`].
    pub schema: String,
    pub of: Whence,
    /// With what was known at this moment.
    pub as_of: Instant,
    pub reading: Reading,
    /// The classes, the one that decides first.
    pub terms: Vec<Term>,
    /// Shorter ones that are not told.
    pub terms_left: u32,
    pub holds: Vec<Held>,
    /// By its classes; a hold does not move it and stands in the way nevertheless.
    pub due: Due,
    /// What stood in the way of destruction on that day.
    pub obstacles: Vec<Obstacle>,
}

/// A hold that stood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    pub hold: HoldId,
    pub reason: String,
}

/// What one class makes of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    pub whence: Whence,
    pub schedule: ScheduleId,
    pub version: u32,
    /// The number of the legal source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether that version was approved then.
    pub approved: bool,
    pub class: String,
    pub corresponding: bool,
    /// What the version says of the class; nothing, where it has no such class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<Says>,
    /// The fact that started the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    pub due: Due,
}

/// What a version says of a class.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    pub period: Period,
    /// What its years count from; nothing, where it is permanent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
}

/// The arithmetic: from a fact and a number of years to a day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    pub when: When,
    pub evidence: Evidence,
    /// The last day that the fact can mean, in Vietnam.
    pub end: Day,
    pub years: u16,
    /// The first day on which they are over.
    pub over: Day,
}

/// The derivation, with what was known at that moment and nothing later.
pub fn derive(asked: &Asked) -> Derivation {
    let as_of = asked.as_of;
    let today = Day::in_vietnam(as_of);
    let known: Vec<&Assigned> = asked.assigned.iter().filter(|assigned| assigned.known <= as_of).collect();
    let mut terms: Vec<Term> = known.iter().map(|assigned| term(assigned, as_of, today, asked.rules.reading)).collect();
    // The longest first; of equals the order in which they were asked.
    terms.sort_by_key(|term| std::cmp::Reverse(term.due));
    let due = clock::longest(terms.iter().map(|term| term.due));
    let terms_left = u32::try_from(terms.len().saturating_sub(TERMS_MAX)).unwrap_or(u32::MAX);
    terms.truncate(TERMS_MAX);
    let stood = |hold: &&Placed| hold.placed <= as_of && hold.released.is_none_or(|released| released > as_of);
    let standing: Vec<&Placed> = asked.holds.iter().filter(stood).collect();
    let ids: Vec<HoldId> = standing.iter().map(|hold| hold.hold).collect();
    let schedules: Vec<&Schedule> = known.iter().map(|assigned| assigned.schedule).collect();
    let obstacles = gate::obstacles(Reason::Expired { due, schedules: &schedules }, &ids, today);
    let holds = standing.iter().map(|hold| Held { hold: hold.hold, reason: hold.reason.clone() }).collect();
    let (schema, of, reading) = (SCHEMA.into(), asked.of.clone(), asked.rules.reading);
    Derivation { schema, of, as_of, reading, terms, terms_left, holds, due, obstacles }
}

fn term(assigned: &Assigned, as_of: Instant, today: Day, reading: Reading) -> Term {
    let schedule = assigned.schedule;
    let mut term = Term {
        whence: assigned.whence.clone(),
        schedule: schedule.schedule,
        version: schedule.version,
        source: schedule.source.as_ref().map(|source| source.number.clone()),
        approved: schedule.is_approved_on(today),
        class: assigned.class.to_owned(),
        corresponding: assigned.corresponding,
        says: None,
        counted: None,
        due: Due::Waiting(Awaited::Class),
    };
    let Some(class) = schedule.class(assigned.class) else { return term };
    let facts = assigned.facts.iter().filter(|fact| fact.known <= as_of);
    let counted = clock::count(class.period, class.trigger, facts, reading);
    term.due = counted.due;
    if let (Some(fact), Some(years), Due::On(over)) = (counted.from, counted.years, counted.due) {
        let (when, evidence, end) = (fact.when, fact.evidence.clone(), fact.when.last_day());
        term.counted = Some(Counted { when, evidence, end, years, over });
    }
    let trigger = class.period.counted(class.trigger).map(|(trigger, _)| trigger);
    let (title, subtitle, period) = (class.title.clone(), class.subtitle.clone(), class.period);
    term.says = Some(Says { title, subtitle, period, trigger });
    term
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::record::retention::schedule::tests::example;

    pub fn at(day: &str) -> Instant {
        format!("{day}T03:00:00.000000Z").parse().unwrap()
    }

    pub fn ended(when: &str, known: &str) -> Fact {
        let when = when.parse().map(When::Moment).unwrap_or_else(|_| When::Date(when.parse().unwrap()));
        Fact { trigger: Trigger::WorkEnded, when, evidence: Evidence::Entry(17), known: at(known) }
    }

    pub fn file() -> FileId {
        FileId::new(1_763_877_600_000, [1; 10])
    }

    pub fn of_file<'a>(schedule: &'a Schedule, class: &'a str, facts: &'a [Fact]) -> Assigned<'a> {
        let known = at("2025-10-01");
        Assigned { whence: Whence::File(file()), schedule, class, corresponding: false, known, facts }
    }

    pub fn ask(assigned: &[Assigned], holds: &[Placed], as_of: &str) -> Derivation {
        let rules = Rules::default();
        derive(&Asked { of: Whence::File(file()), assigned, holds, as_of: at(as_of), rules: &rules })
    }

    #[test]
    fn a_derivation_says_what_decided() {
        let (schedule, facts) = (example(), [ended("2025-12-31T18:00:00.000000Z", "2026-01-02")]);
        let record = Whence::Record(RecordId::new(0, [4; 10]));
        let permanent = Assigned { whence: record.clone(), ..of_file(&schedule, "1.01", &facts) };
        let ten = of_file(&schedule, "1.02", &facts);
        let told = ask(std::slice::from_ref(&ten), &[], "2030-01-01");
        assert_eq!((told.due.to_string().as_str(), told.terms.len()), ("on:2037-01-01", 1));
        let counted = told.terms[0].counted.clone().unwrap();
        assert_eq!((counted.end.to_string().as_str(), counted.years), ("2026-01-01", 10));
        assert_eq!((counted.evidence, told.obstacles), (Evidence::Entry(17), vec![Obstacle::NotDue]));
        // A file lives as long as its longest record (Law 33/2024 art. 15).
        let told = ask(&[ten, permanent], &[], "2030-01-01");
        assert_eq!((told.due, &told.terms[0].whence), (Due::Never, &record));
        let says = told.terms[0].says.clone().unwrap();
        assert_eq!((says.period, says.trigger), (Period::Permanent, None));
    }

    /// The same question about the past is answered with what was known then.
    #[test]
    fn as_of_any_day() {
        let (schedule, facts) = (example(), [ended("2025", "2026-01-10"), ended("2026-03-01", "2026-03-02")]);
        let assigned = [of_file(&schedule, "1.02", &facts)];
        let hold = HoldId::new(0, [9; 10]);
        let (placed, released) = (at("2027-01-01"), Some(at("2028-01-01")));
        let holds = [Placed { hold, reason: "lawsuit".into(), placed, released }];
        for (day, due, obstacles) in [
            ("2025-09-30", "waiting:class", &[Obstacle::NoClass, Obstacle::NotDue][..]),
            ("2025-10-01", "waiting:work_ended", &[Obstacle::NotDue]),
            ("2026-01-10", "on:2036-01-01", &[Obstacle::NotDue]),
            ("2026-03-02", "on:2037-01-01", &[Obstacle::NotDue]),
            ("2027-01-01", "on:2037-01-01", &[Obstacle::Held(hold), Obstacle::NotDue]),
            ("2028-01-01", "on:2037-01-01", &[Obstacle::NotDue]),
            ("2036-12-31", "on:2037-01-01", &[Obstacle::NotDue]),
            ("2037-01-01", "on:2037-01-01", &[]),
        ] {
            let told = ask(&assigned, &holds, day);
            assert_eq!((told.due.to_string().as_str(), &told.obstacles[..]), (due, obstacles), "{day}");
        }
    }

    #[test]
    fn a_class_that_a_version_lacks_waits_and_many_are_cut() {
        let schedule = example();
        let lost = ask(&[of_file(&schedule, "9.99", &[])], &[], "2030-01-01");
        assert_eq!((lost.due, &lost.terms[0].says), (Due::Waiting(Awaited::Class), &None));
        let facts = [ended("2025", "2026-01-10")];
        let mut many = vec![of_file(&schedule, "1.02", &facts); 30];
        many.push(of_file(&schedule, "1.01", &facts));
        let told = ask(&many, &[], "2030-01-01");
        assert_eq!((told.terms.len(), told.terms_left, told.due), (TERMS_MAX, 11, Due::Never));
        let bytes = serde_json_canonicalizer::to_vec(&told).unwrap();
        assert_eq!(serde_json::from_slice::<Derivation>(&bytes).unwrap(), told);
    }
}
