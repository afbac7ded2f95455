//! From descriptions to what the end of a record hangs on: where it lies, when it is due, and what an act of a case says.
//! Pure: [`crate::archive::fold`] reads what they are given.

use crate::record::{
    date::PartialDate,
    disposition::{
        case::{Case, Ground, Outcome, Unit as CaseUnit},
        order::{Fact, Why},
    },
    file::File,
    hold::On,
    id::{FileId, ScheduleId},
    retention::{
        clock::{self, Due, Reading},
        day::Day,
        schedule::Schedule,
        trigger::Fact as Start,
    },
    term::ClassRef,
    unit::Unit,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// What a file or a fonds was ever called, and what a file is now.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub ever: BTreeSet<String>,
    pub file: Option<Arc<File>>,
}
/// When something of a class is due, by the newest approved version that has the class and was in force by then; `None`
/// where there is none.
pub fn due(
    schedules: &HashMap<ScheduleId, Vec<Arc<Schedule>>>,
    class: Option<&ClassRef>,
    facts: &[Start],
    reading: Reading,
    today: Day,
) -> Option<Due> {
    let named = class?;
    let versions = schedules.get(&named.schedule)?.iter();
    let (schedule, class) = versions.filter_map(|version| Some((version, version.class(&named.class)?))).next()?;
    let due = clock::count(class.period, class.trigger, facts, reading).due;
    schedule.is_approved_on(today).then_some(due)
}

/// Where a record lies that names a file and a fonds by their codes. A file that is asked about holds what names its code
/// now; a hold holds what names any code that its place ever had.
pub fn lies(
    (file, fonds): (Option<&str>, Option<&str>),
    asked: &BTreeSet<FileId>,
    places: &BTreeMap<Unit, Place>,
) -> BTreeSet<On> {
    let mut on = BTreeSet::new();
    for (unit, place) in places {
        let Unit::File(id) = unit else { continue };
        let Some(code) = file else { continue };
        let now = place.file.as_ref().and_then(|file| file.about.code.as_deref()) == Some(code);
        if now || (!asked.contains(id) && place.ever.contains(code)) {
            on.insert(On::File(*id));
            on.extend(place.file.as_ref().map(|file| On::Fonds(file.fonds)));
        }
    }
    for (unit, place) in places {
        if let (Unit::Fonds(id), Some(code)) = (unit, fonds)
            && place.ever.contains(code)
        {
            on.insert(On::Fonds(*id));
        }
    }
    on
}

/// What a hold lies on.
pub fn on(unit: Unit) -> Option<On> {
    match unit {
        Unit::Record(record) => Some(On::Record(record)),
        Unit::File(file) => Some(On::File(file)),
        Unit::Fonds(fonds) => Some(On::Fonds(fonds)),
        _ => None,
    }
}

/// What an act of a case says, as the case stands after it.
pub fn of_act(case: &Case, act: &str, unit: Option<CaseUnit>) -> Vec<Fact> {
    let id = case.case;
    let council = || {
        let people = case.council.as_ref().map(|council| council.people().collect());
        Fact::CouncilSet { case: id, people: people.unwrap_or_default() }
    };
    let listed = unit.and_then(|unit| case.find(unit));
    match (act, listed) {
        ("list", Some(listed)) => vec![Fact::Listed { case: id, unit: listed.unit, why: why(&listed.ground) }],
        // Whatever sends a case back begins the review anew.
        ("set_up_council" | "reconsider" | "send_back", _) => vec![council()],
        ("end_review", _) => vec![Fact::Reviewed { case: id }],
        ("propose", Some(listed)) => {
            let destroy = listed.proposal.as_ref().is_some_and(|proposal| proposal.outcome == Outcome::Destroy);
            vec![Fact::Proposed { case: id, unit: listed.unit, destroy }]
        }
        ("appraise", _) if case.appraisal.is_some() => vec![Fact::Appraised { case: id }],
        ("appraise", _) => vec![council()],
        ("decide", _) => {
            let decided = case.listed.iter().filter_map(|listed| Some((listed.unit, listed.decided.as_ref()?)));
            let fact = |(unit, outcome): (CaseUnit, &Outcome)| Fact::Decided {
                case: id,
                unit,
                destroy: *outcome == Outcome::Destroy,
            };
            decided.map(fact).collect()
        }
        ("spare", Some(listed)) => vec![Fact::Decided { case: id, unit: listed.unit, destroy: false }],
        _ => Vec::new(),
    }
}

fn why(ground: &Ground) -> Why {
    let last = |day: &PartialDate| day.span().1;
    match ground {
        Ground::Expired { due, schedule, version, .. } => {
            Why::Expired { due: last(due), schedule: *schedule, version: *version }
        }
        Ground::Duplicate { kept, found_by } => Why::Duplicate { kept: *kept, found_by: *found_by },
    }
}
