//! Is this a schedule that can be used? Everything that is wrong with one, by the law of its day.
//!
//! # Why
//! A schedule is checked against the law that was in force when it was issued: the one of 2011 may say "as long as the
//! construction", the next one may not. Which law is told by the date of its legal source, and where that is known only
//! as a year the later day of it counts, so that the stricter law does.

use crate::record::retention::{
    day::Day,
    flaw::{Flaw, FlawCode},
    period::Period,
    rules::Rules,
    schedule::{Action, Class, LegalSource, Schedule},
    trigger::Trigger,
    words,
};
use std::collections::{HashMap, HashSet};

const CODE_CHARACTERS_MAX: usize = 32;
/// Titles and notes.
pub const TEXT_CHARACTERS_MAX: usize = 2000;

/// What is wrong with a schedule: nothing, where it can be approved.
pub fn check(schedule: &Schedule, rules: &Rules) -> Vec<Flaw> {
    let mut flaws = whole(schedule);
    let strict = dated(schedule) >= rules.years_only_from;
    let (mut codes, mut titles) = (HashSet::new(), HashMap::new());
    for class in &schedule.classes {
        let mut found = Vec::new();
        if !codes.insert(class.code.as_str()) {
            found.push(Flaw::new(FlawCode::DuplicateCode));
        }
        let title = (class.group.as_str(), class.title.as_str(), class.subtitle.as_deref());
        if let Some(other) = titles.insert(title, class.code.as_str()) {
            found.push(Flaw::new(FlawCode::DuplicateTitle).with_detail(other));
        }
        found.extend(words_of(class));
        found.extend(terms(class));
        if strict {
            found.extend(by_law_of_2024(class, rules));
        }
        flaws.extend(found.into_iter().map(|flaw| flaw.of_class(&class.code)));
    }
    flaws
}

/// The day by whose law it is judged.
fn dated(schedule: &Schedule) -> Day {
    schedule.source.as_ref().map_or(schedule.from, |source| Day::last_of(source.issued))
}

fn whole(schedule: &Schedule) -> Vec<Flaw> {
    let blank = |text: &str| text.trim().is_empty();
    let named = |source: &LegalSource| !blank(&source.number) && !blank(&source.title) && !blank(&source.agency);
    let early = |source: &LegalSource| schedule.from < Day::first_of(source.issued);
    let texts = [Some(schedule.title.as_str()), schedule.note.as_deref()];
    let told = [
        (blank(&schedule.title), FlawCode::NoTitle),
        (!schedule.source.as_ref().is_some_and(named), FlawCode::NoSource),
        (schedule.classes.is_empty(), FlawCode::NoClasses),
        (schedule.until.is_some_and(|until| until <= schedule.from), FlawCode::UntilBeforeFrom),
        (schedule.source.as_ref().is_some_and(early), FlawCode::FromBeforeIssued),
        (schedule.incomplete && schedule.approved.is_some(), FlawCode::ApprovedIncomplete),
        (schedule.incomplete, FlawCode::Incomplete),
        (texts.into_iter().flatten().any(|text| text.chars().count() > TEXT_CHARACTERS_MAX), FlawCode::TooLong),
    ];
    told.into_iter().filter(|(wrong, _)| *wrong).map(|(_, code)| Flaw::new(code)).collect()
}

fn words_of(class: &Class) -> Vec<Flaw> {
    let formed = class.code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    let long = |text: &str| text.chars().count() > TEXT_CHARACTERS_MAX;
    let texts = [Some(class.group.as_str()), Some(&class.title), class.subtitle.as_deref(), class.note.as_deref()];
    let told = [
        (!formed || class.code.is_empty() || class.code.len() > CODE_CHARACTERS_MAX, FlawCode::MalformedCode),
        (class.title.trim().is_empty(), FlawCode::NoClassTitle),
        (texts.into_iter().flatten().any(long), FlawCode::TooLong),
    ];
    told.into_iter().filter(|(wrong, _)| *wrong).map(|(_, code)| Flaw::new(code)).collect()
}

/// Period, trigger and action must go together, whatever the law.
fn terms(class: &Class) -> Vec<Flaw> {
    let told_by_period = !matches!(class.period, Period::Years(_) | Period::Permanent);
    let mut flaws = Vec::new();
    if told_by_period && class.trigger != class.period.trigger() {
        flaws.push(Flaw::new(FlawCode::TriggerMismatch).with_detail(format!("{}; {}", class.period, class.trigger)));
    }
    if let Trigger::Event(code) = class.trigger
        && !words::is_known(&code)
    {
        flaws.push(Flaw::new(FlawCode::UnknownEvent).with_detail(code));
    }
    match (class.period == Period::Permanent, class.action) {
        (true, Action::Destroy) => flaws.push(Flaw::new(FlawCode::PermanentDestroyed)),
        (false, Action::Transfer) => flaws.push(Flaw::new(FlawCode::LimitedTransferred)),
        _ => {}
    }
    flaws
}

/// Law 33/2024 art. 15: permanent, or 2 to 70 years from the year in which the work ended.
fn by_law_of_2024(class: &Class, rules: &Rules) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    match class.period.years() {
        Some(years) if !(rules.years_min..=rules.years_max).contains(&years) => {
            let detail = format!("{years}; {} – {}", rules.years_min, rules.years_max);
            flaws.push(Flaw::new(FlawCode::YearsOutside).with_detail(detail));
        }
        None if class.period != Period::Permanent => {
            flaws.push(Flaw::new(FlawCode::NoNumberOfYears).with_detail(class.period.vi()));
        }
        _ => {}
    }
    if class.period.years().is_some() && class.trigger != Trigger::WorkEnded {
        flaws.push(Flaw::new(FlawCode::CountedOtherwise).with_detail(class.trigger.vi()));
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::retention::schedule::tests::example;

    fn codes(schedule: &Schedule) -> Vec<FlawCode> {
        check(schedule, &Rules::default()).iter().map(|flaw| flaw.code).collect()
    }

    /// A class that counts so long from what its period says.
    fn with(period: &str) -> impl Fn(&mut Schedule) {
        let period: Period = period.parse().unwrap();
        move |schedule| {
            let class = &mut schedule.classes[0];
            (class.period, class.trigger, class.action) = (period, period.trigger(), Action::of(period));
        }
    }

    #[test]
    fn what_is_wrong_with_a_schedule() {
        assert_eq!(codes(&example()), []);
        type Change = fn(&mut Schedule);
        let wrong: [(Change, FlawCode); 16] = [
            (|s| s.title = " ".into(), FlawCode::NoTitle),
            (|s| s.source = None, FlawCode::NoSource),
            (|s| s.source.as_mut().unwrap().agency = String::new(), FlawCode::NoSource),
            (|s| s.classes.clear(), FlawCode::NoClasses),
            (|s| s.until = Some(s.from), FlawCode::UntilBeforeFrom),
            (|s| s.from = Day::LAW_OF_2024, FlawCode::FromBeforeIssued),
            (|s| (s.incomplete, s.approved) = (true, None), FlawCode::Incomplete),
            (|s| s.classes[1].code = "1.01".into(), FlawCode::DuplicateCode),
            (|s| s.classes[1].code = "mục 1".into(), FlawCode::MalformedCode),
            (|s| s.classes[1].code = "1".repeat(33), FlawCode::MalformedCode),
            (|s| s.classes[1].title = String::new(), FlawCode::NoClassTitle),
            (|s| s.classes[1].title = s.classes[0].title.clone(), FlawCode::DuplicateTitle),
            (|s| s.classes[1].note = Some("ệ".repeat(2001)), FlawCode::TooLong),
            (|s| s.classes[0].action = Action::Destroy, FlawCode::PermanentDestroyed),
            (|s| s.classes[1].action = Action::Transfer, FlawCode::LimitedTransferred),
            (|s| s.classes[1].trigger = Trigger::DocumentIssued, FlawCode::CountedOtherwise),
        ];
        for (n, (change, code)) in wrong.into_iter().enumerate() {
            let mut schedule = example();
            change(&mut schedule);
            assert_eq!(codes(&schedule), [code], "case {n}");
        }
        let both = Schedule { incomplete: true, ..example() };
        assert_eq!(codes(&both), [FlawCode::ApprovedIncomplete, FlawCode::Incomplete]);
    }

    /// Law 33/2024 art. 15, for schedules dated from 01/7/2025 on; before, each kind of period was allowed.
    #[test]
    fn each_schedule_is_judged_by_the_law_of_its_day() {
        use FlawCode::{CountedOtherwise, NoNumberOfYears, YearsOutside};
        for (period, later) in [
            ("permanent", &[][..]),
            ("years:2", &[]),
            ("years:70", &[]),
            ("years:1", &[YearsOutside]),
            ("years:71", &[YearsOutside]),
            ("while_in_force", &[NoNumberOfYears]),
            ("life_of_work", &[NoNumberOfYears]),
            ("life_of_equipment", &[NoNumberOfYears]),
            ("years_after:5:contract_ended", &[CountedOtherwise]),
            ("years_after:1:contract_ended", &[YearsOutside, CountedOtherwise]),
        ] {
            for (issued, strict) in
                [("2011-06-03", false), ("2025-06-30", false), ("2025-06", false), ("2025-07-01", true), ("2025", true)]
            {
                let mut schedule = Schedule { from: "2025-08-01".parse().unwrap(), ..example() };
                with(period)(&mut schedule);
                let source = schedule.source.take();
                schedule.source = source.map(|source| LegalSource { issued: issued.parse().unwrap(), ..source });
                assert_eq!(codes(&schedule), if strict { later } else { &[] }, "{period} {issued}");
            }
        }
        // Without a source the first day in force counts.
        let mut schedule = Schedule { source: None, from: "2011-07-18".parse().unwrap(), ..example() };
        with("life_of_work")(&mut schedule);
        assert_eq!(codes(&schedule), [FlawCode::NoSource]);
    }

    #[test]
    fn period_and_trigger_go_together() {
        for (period, trigger, expected) in [
            ("while_in_force", "work_ended", &[FlawCode::TriggerMismatch][..]),
            ("while_in_force", "document_ceased", &[]),
            ("years_after:5:contract_ended", "event:handed_over", &[FlawCode::TriggerMismatch]),
            ("years_after:5:cap_phep", "event:cap_phep", &[FlawCode::UnknownEvent]),
            ("years:5", "event:contract_ended", &[]),
        ] {
            let mut schedule = example();
            schedule.source.as_mut().unwrap().issued = "2011".parse().unwrap();
            with(period)(&mut schedule);
            schedule.classes[0].trigger = trigger.parse().unwrap();
            let found = check(&schedule, &Rules::default());
            assert_eq!(found.iter().map(|flaw| flaw.code).collect::<Vec<_>>(), expected, "{period} {trigger}");
            assert!(found.iter().all(|flaw| flaw.class.as_deref() == Some("1.01")));
        }
    }
}
