//! The rules of a case, each with its article and an example.

use crate::record::{
    actor::Role,
    digest::Digest,
    disposition::{
        act::{Act, Facts, Lies, UnitFacts, Who},
        after::after,
        case::{Appraisal, Case, Council, Ground, Outcome, Paper, Stage, Unit, Votes},
        refusal::Refusal,
        rules::Rules,
    },
    document::{Document, Salt},
    entry::Instant,
    id::{ActorId, CaseId, FileId, HoldId, RecordId, ScheduleId},
};
use std::collections::BTreeMap;

fn actor(n: u8) -> ActorId {
    ActorId::new(0, [n; 10])
}
fn file(n: u8) -> Unit {
    Unit::File(FileId::new(0, [n; 10]))
}
fn loose(n: u8) -> Unit {
    Unit::Record(RecordId::new(0, [n; 10]))
}
fn now() -> Instant {
    "2026-11-23T03:00:00.000000Z".parse().unwrap()
}
fn later(seconds: i64) -> Instant {
    Instant::from_micros(now().micros() + seconds * 1_000_000)
}
fn paper(number: Option<&str>, day: &str) -> Paper {
    Paper { number: number.map(str::to_owned), day: day.parse().unwrap(), record: None }
}
fn decision() -> Paper {
    paper(Some("48/QĐ-SNV"), "2026-11-20")
}
fn minutes() -> Paper {
    paper(None, "2026-11-21")
}
fn expired(due: &str) -> Ground {
    let version = Digest::of(b"v");
    Ground::Expired { due: due.parse().unwrap(), schedule: ScheduleId::new(0, [1; 10]), version, class: "12".into() }
}
fn duplicate(kept: u8, found_by: u8) -> Ground {
    Ground::Duplicate { kept: RecordId::new(0, [kept; 10]), found_by: actor(found_by) }
}
fn council() -> Council {
    Council { paper: decision(), chair: actor(1), members: vec![actor(2), actor(3)] }
}
fn who(n: u8, role: Role) -> Who {
    Who { actor: actor(n), role, authenticated: Some(now()) }
}
fn clerk() -> Who {
    who(4, Role::Archivist)
}
fn head() -> Who {
    who(9, Role::Head)
}
fn plain(lies: Lies) -> UnitFacts {
    UnitFacts {
        lies,
        holds: vec![],
        due: Some(20260101),
        schedule_approved: true,
        changed: false,
        listed_elsewhere: false,
        gone: false,
        kept_stays: true,
    }
}

/// A case and what is known of its units.
struct Desk {
    case: Case,
    units: BTreeMap<Unit, UnitFacts>,
    rules: Rules,
}

impl Desk {
    fn empty() -> Desk {
        let case = Case::new(CaseId::new(0, [1; 10]), "Sở Nội vụ", true, Salt::new([0x0a; 32]));
        let units = [(file(1), plain(Lies::File)), (file(2), plain(Lies::File))].into_iter();
        let records = [(loose(3), plain(Lies::Loose)), (loose(4), plain(Lies::InFile))];
        Desk { case, units: units.chain(records).collect(), rules: Rules::default() }
    }

    fn try_at(&self, act: &Act, who: &Who, at: Instant) -> Result<Case, Refusal> {
        after(&self.case, act, who, &Facts { rules: &self.rules, units: self.units.clone() }, at)
    }

    fn may(&self, act: &Act, who: &Who) -> Result<(), Refusal> {
        self.try_at(act, who, now()).map(|_| ())
    }

    fn does(mut self, act: Act, who: &Who) -> Desk {
        self.case = self.try_at(&act, who, now()).unwrap_or_else(|refusal| panic!("{act:?}: {refusal}"));
        self
    }

    fn knowing(mut self, unit: Unit, change: impl FnOnce(&mut UnitFacts)) -> Desk {
        change(self.units.get_mut(&unit).unwrap());
        self
    }

    fn listed() -> Desk {
        let list = |unit| Act::List { unit, ground: expired("2026-01-01") };
        Desk::empty().does(list(file(1)), &clerk()).does(list(file(2)), &clerk())
    }

    fn sitting() -> Desk {
        Desk::listed().does(Act::SetUpCouncil { council: council() }, &clerk())
    }

    fn heard() -> Desk {
        let opine = |unit| Act::Opine { unit, outcome: Outcome::Destroy, reason: "Hết giá trị".into() };
        [(file(1), 1), (file(2), 1), (file(1), 2), (file(2), 2)]
            .into_iter()
            .fold(Desk::sitting(), |desk, (unit, by)| desk.does(opine(unit), &who(by, Role::Official)))
    }

    fn met() -> Desk {
        Desk::heard().does(Act::EndReview { minutes: minutes() }, &who(1, Role::Official))
    }

    fn proposed() -> Desk {
        let keep = Outcome::KeepLonger { until: Some("2031".parse().unwrap()) };
        Desk::met().does(propose(file(1), Outcome::Destroy), &chair()).does(propose(file(2), keep), &chair())
    }

    fn appraised() -> Desk {
        Desk::proposed().does(appraise(true, ""), &clerk())
    }

    fn decided() -> Desk {
        Desk::appraised().does(decide(&[]), &head())
    }

    fn ordered() -> Desk {
        let desk = Desk::decided().does(Act::HandOver { minutes: minutes() }, &clerk());
        desk.does(Act::Order { unit: file(1) }, &clerk())
    }
}

fn chair() -> Who {
    who(1, Role::Official)
}
fn propose(unit: Unit, outcome: Outcome) -> Act {
    let votes = Votes { agree: 2, against: 0, abstained: 1 };
    Act::Propose { unit, outcome, reason: "Hết thời hạn lưu trữ".into(), votes }
}
fn appraise(agreed: bool, reason: &str) -> Act {
    let paper = paper(Some("12/SNV-VTLT"), "2026-11-22");
    let appraisal = Appraisal { paper, authority: "Sở Nội vụ".into(), agreed };
    Act::Appraise { appraisal, reason: reason.into() }
}
fn decide(spared: &[Unit]) -> Act {
    Act::Decide { paper: decision(), spared: spared.to_vec(), reason: "Còn giá trị tra cứu".into() }
}

/// TT 05/2025 art. 48: the expired and the duplicate are listed; the unit is the file, a single record only where it is
/// loose (art. 17.2) or a duplicate. Luật Lưu trữ 33/2024/QH15 art. 15, 16: only what is due, by an approved schedule.
#[test]
fn what_may_be_listed() {
    let same = |_: &mut UnitFacts| {};
    type Change = fn(&mut UnitFacts);
    type Row = (&'static str, Unit, Ground, Change, Result<(), Refusal>);
    let rows: Vec<Row> = vec![
        ("a file that is due", file(1), expired("2026-01-01"), same, Ok(())),
        ("due today", file(1), expired("2026-11-23"), |u| u.due = Some(20261123), Ok(())),
        ("due tomorrow", file(1), expired("2026-11-24"), same, Err(Refusal::NotDue)),
        ("due some day this year", file(1), expired("2026"), same, Err(Refusal::NotDue)),
        (
            "due by its list, not by the clock",
            file(1),
            expired("2026-01-01"),
            |u| u.due = Some(20270101),
            Err(Refusal::NotDue),
        ),
        ("permanent", file(1), expired("2026-01-01"), |u| u.due = None, Err(Refusal::NotDue)),
        (
            "no approved schedule",
            file(1),
            expired("2026-01-01"),
            |u| u.schedule_approved = false,
            Err(Refusal::NoSchedule),
        ),
        ("destroyed already", file(1), expired("2026-01-01"), |u| u.gone = true, Err(Refusal::AlreadyGone)),
        ("on another list", file(1), expired("2026-01-01"), |u| u.listed_elsewhere = true, Err(Refusal::AlreadyListed)),
        ("nowhere", file(7), expired("2026-01-01"), same, Err(Refusal::NotKnown)),
        ("a loose record", loose(3), expired("2026-01-01"), same, Ok(())),
        ("a record of a file", loose(4), expired("2026-01-01"), same, Err(Refusal::PartOfAFile)),
        ("a duplicate in a file", loose(4), duplicate(3, 4), same, Ok(())),
        ("a duplicate of itself", loose(4), duplicate(4, 4), same, Err(Refusal::NotADuplicate)),
        ("a file as a duplicate", file(1), duplicate(3, 4), same, Err(Refusal::NotADuplicate)),
        ("the kept one is going", loose(4), duplicate(3, 4), |u| u.kept_stays = false, Err(Refusal::KeptIsGoing)),
        // A hold stops the destruction and not the list: people are to see what it holds back.
        ("on hold", file(1), expired("2026-01-01"), |u| u.holds = vec![HoldId::new(0, [1; 10])], Ok(())),
    ];
    for (why, unit, ground, change, expected) in rows {
        let mut desk = Desk::empty();
        desk.units.get_mut(&unit).into_iter().for_each(change);
        assert_eq!(desk.may(&Act::List { unit, ground }, &clerk()), expected, "{why}");
    }
    let again = Act::List { unit: file(1), ground: expired("2026-01-01") };
    assert_eq!(Desk::listed().may(&again, &clerk()), Err(Refusal::AlreadyListed));
    assert_eq!(Desk::sitting().knowing(file(1), |u| u.changed = true).may(&again, &clerk()), Ok(()), "listed anew");
    assert_eq!(Desk::met().may(&again, &clerk()), Err(Refusal::NotThisStage), "the council has met");
    // a is a duplicate of b, and b of a: both would go.
    let one = Desk::empty().does(Act::List { unit: loose(4), ground: duplicate(3, 4) }, &clerk());
    for ground in [duplicate(4, 4), expired("2026-01-01")] {
        assert_eq!(one.may(&Act::List { unit: loose(3), ground }, &clerk()), Err(Refusal::KeptIsGoing));
    }
    let other = Desk::empty().does(Act::List { unit: loose(3), ground: expired("2026-01-01") }, &clerk());
    assert_eq!(other.may(&Act::List { unit: loose(4), ground: duplicate(3, 4) }, &clerk()), Err(Refusal::KeptIsGoing));
    let off = |reason: &str| Act::TakeOff { unit: file(1), reason: reason.into() };
    for (desk, act, expected) in [
        (Desk::listed(), off("Nhầm hồ sơ"), Ok(())),
        (Desk::listed(), off(" "), Err(Refusal::NoReason)),
        (Desk::empty(), off("Nhầm hồ sơ"), Err(Refusal::NotListed)),
        (Desk::met(), off("Nhầm hồ sơ"), Err(Refusal::NotThisStage)),
    ] {
        assert_eq!(desk.may(&act, &clerk()), expected);
    }
    assert_eq!(Desk::listed().case.listed[0].status(), ("Xem xét hủy", "Considered for destruction"));
}

/// TT 06/2025: Hội đồng xét hủy with a chair and members, by a decision.
#[test]
fn who_makes_a_council() {
    let of = |chair: u8, members: &[u8], paper: Paper| Act::SetUpCouncil {
        council: Council { paper, chair: actor(chair), members: members.iter().map(|n| actor(*n)).collect() },
    };
    for (act, expected) in [
        (of(1, &[2, 3], decision()), Ok(())),
        (of(1, &[2], decision()), Err(Refusal::NoCouncil)),
        (of(1, &[2, 2], decision()), Err(Refusal::NoCouncil)),
        (of(1, &[1, 2], decision()), Err(Refusal::NoCouncil)),
        (of(1, &[2, 3], minutes()), Err(Refusal::NoPaper)),
        (of(1, &[2, 3], paper(Some("48/QĐ-SNV"), "2026")), Err(Refusal::NoPaper)),
    ] {
        assert_eq!(Desk::listed().may(&act, &clerk()), expected, "{act:?}");
    }
    assert_eq!(Desk::met().may(&of(1, &[2, 3], decision()), &clerk()), Err(Refusal::NotThisStage));
    let anew = Desk::heard().does(of(5, &[6, 7], decision()), &clerk());
    assert!(anew.case.listed.iter().all(|listed| listed.opinions.is_empty()), "another council begins anew");
    assert!(anew.case.reviewers.contains(&actor(1)), "who was of the former one has reviewed");
}

/// The issue: "reviews inside the system"; "opinions and votes kept".
#[test]
fn how_a_council_reviews() {
    let opine = |unit, reason: &str| Act::Opine { unit, outcome: Outcome::Destroy, reason: reason.into() };
    for (desk, act, who, expected) in [
        (Desk::sitting(), opine(file(1), "Hết giá trị"), who(2, Role::Official), Ok(())),
        (Desk::sitting(), opine(file(1), ""), who(2, Role::Official), Err(Refusal::NoReason)),
        (Desk::sitting(), opine(loose(3), "Hết giá trị"), who(2, Role::Official), Err(Refusal::NotListed)),
        (Desk::sitting(), opine(file(1), "Hết giá trị"), clerk(), Err(Refusal::NotOfTheCouncil)),
        (Desk::sitting(), opine(file(1), "Hết giá trị"), who(2, Role::Administrator), Err(Refusal::NotYours)),
        (Desk::listed(), opine(file(1), "Hết giá trị"), who(2, Role::Official), Err(Refusal::NoCouncil)),
        (Desk::met(), opine(file(1), "Hết giá trị"), who(2, Role::Official), Err(Refusal::NotThisStage)),
        (Desk::heard(), Act::EndReview { minutes: minutes() }, chair(), Ok(())),
        (Desk::sitting(), Act::EndReview { minutes: minutes() }, chair(), Err(Refusal::NotReviewed)),
        (Desk::heard(), Act::EndReview { minutes: paper(None, "2026-11") }, chair(), Err(Refusal::NoPaper)),
        (Desk::heard(), Act::EndReview { minutes: minutes() }, clerk(), Err(Refusal::NotOfTheCouncil)),
        (Desk::met(), Act::Reconsider { reason: "Thiếu ý kiến".into() }, chair(), Ok(())),
        (Desk::met(), Act::Reconsider { reason: "".into() }, chair(), Err(Refusal::NoReason)),
        (Desk::decided(), Act::Reconsider { reason: "Muộn".into() }, chair(), Err(Refusal::NotThisStage)),
    ] {
        assert_eq!(desk.may(&act, &who), expected, "{act:?} {who:?}");
    }
    // One voice of three, without the chair's, is no review.
    let quiet = Desk::sitting().does(opine(file(1), "Hết giá trị"), &who(2, Role::Official));
    let quiet = quiet.does(opine(file(1), "Nên giữ"), &who(3, Role::Official));
    assert_eq!(quiet.case.listed[0].opinions.len(), 2);
    assert_eq!(quiet.may(&Act::EndReview { minutes: minutes() }, &chair()), Err(Refusal::NotReviewed));
    let twice = quiet.does(opine(file(1), "Hết giá trị"), &who(3, Role::Official));
    assert_eq!(twice.case.listed[0].opinions.len(), 2, "a second opinion takes the place of the first");
}

/// The issue: "proposes: keep longer, reclassify, transfer, destroy, each with reason".
#[test]
fn what_a_council_proposes() {
    let (schedule, class) = (ScheduleId::new(0, [1; 10]), "15".to_owned());
    for outcome in [
        Outcome::KeepLonger { until: None },
        Outcome::Reclassify { schedule, class },
        Outcome::Transfer { to: "Lưu trữ lịch sử tỉnh".into() },
        Outcome::Destroy,
    ] {
        assert!(outcome.vi() != outcome.en());
        assert_eq!(Desk::met().may(&propose(file(1), outcome.clone()), &chair()), Ok(()), "{outcome:?}");
    }
    let with = |reason: &str, agree, against, abstained| {
        let votes = Votes { agree, against, abstained };
        Act::Propose { unit: file(1), outcome: Outcome::Destroy, reason: reason.into(), votes }
    };
    for (act, by, expected) in [
        (with("Hết giá trị", 3, 0, 0), chair(), Ok(())),
        (with("", 3, 0, 0), chair(), Err(Refusal::NoReason)),
        (with("Hết giá trị", 1, 1, 1), chair(), Err(Refusal::NoVotes)),
        (with("Hết giá trị", 4, 0, 0), chair(), Err(Refusal::NoVotes)),
        (with("Hết giá trị", 0, 0, 0), chair(), Err(Refusal::NoVotes)),
        (with("Hết giá trị", 3, 0, 0), who(2, Role::Official), Err(Refusal::NotOfTheCouncil)),
    ] {
        assert_eq!(Desk::met().may(&act, &by), expected, "{act:?}");
    }
    assert_eq!(Desk::heard().may(&propose(file(1), Outcome::Destroy), &chair()), Err(Refusal::NotThisStage));
    assert_eq!(Desk::proposed().case.stage, Stage::Proposed);
}

/// TT 06/2025 art. 16.3.b: an agency outside the transfer to a historical archive decides without an appraisal.
#[test]
fn when_an_appraisal_is_needed() {
    assert_eq!(Desk::proposed().may(&decide(&[]), &head()), Err(Refusal::NoAppraisal));
    let mut outside = Desk::proposed();
    outside.case.to_historical = false;
    assert_eq!(outside.may(&decide(&[]), &head()), Ok(()));
    assert_eq!(Desk::proposed().may(&appraise(false, ""), &clerk()), Err(Refusal::NoReason));
    let back = Desk::proposed().does(appraise(false, "Hồ sơ 1 còn giá trị"), &clerk());
    assert_eq!((back.case.stage, back.case.minutes.is_none()), (Stage::Council, true));
    assert!(back.case.listed.iter().all(|listed| listed.proposal.is_none() && listed.opinions.len() == 2));
    let mut unnumbered = appraise(true, "");
    if let Act::Appraise { appraisal, .. } = &mut unnumbered {
        appraisal.paper.number = None;
    }
    assert_eq!(Desk::proposed().may(&unnumbered, &clerk()), Err(Refusal::NoPaper));
    assert_eq!(Desk::met().may(&appraise(true, ""), &clerk()), Err(Refusal::NotThisStage));
}

/// The issue: "the competent head decides, never one who reviewed, with re-authentication".
#[test]
fn who_decides() {
    let of_council = who(2, Role::Head);
    let with = |authenticated| Who { authenticated, ..head() };
    for (who, expected) in [
        (head(), Ok(())),
        (clerk(), Err(Refusal::NotYours)),
        (of_council, Err(Refusal::Reviewer)),
        (with(Some(later(-300))), Ok(())),
        (with(Some(later(-301))), Err(Refusal::NotFresh)),
        (with(Some(later(60))), Err(Refusal::NotFresh)),
        (with(None), Err(Refusal::NotFresh)),
    ] {
        assert_eq!(Desk::appraised().may(&decide(&[]), &who), expected, "{who:?}");
    }
    // Whoever found a duplicate has reviewed it.
    let found = Desk::empty().does(Act::List { unit: loose(4), ground: duplicate(3, 9) }, &clerk());
    assert!(found.case.reviewers.contains(&head().actor));
    let mut unnumbered = decide(&[]);
    if let Act::Decide { paper, .. } = &mut unnumbered {
        paper.number = Some(" ".into());
    }
    assert_eq!(Desk::appraised().may(&unnumbered, &head()), Err(Refusal::NoPaper));
    assert_eq!(Desk::met().may(&decide(&[]), &head()), Err(Refusal::NotThisStage));
}

/// The head may spare what the council would destroy; what it would keep, the head can only send back.
#[test]
fn what_is_decided() {
    let decided = Desk::decided();
    assert_eq!(decided.case.listed[0].decided, Some(Outcome::Destroy));
    assert_eq!(decided.case.listed[1].decided, Some(Outcome::KeepLonger { until: Some("2031".parse().unwrap()) }));
    let spared = Desk::appraised().does(decide(&[file(1)]), &head());
    assert!(spared.case.listed.iter().all(|listed| !listed.is_to_be_destroyed()));
    let silent = Act::Decide { paper: decision(), spared: vec![file(1)], reason: "".into() };
    assert_eq!(Desk::appraised().may(&silent, &head()), Err(Refusal::NoReason));
    assert_eq!(Desk::appraised().may(&decide(&[loose(3)]), &head()), Err(Refusal::NotListed));
    let back = Desk::appraised().does(Act::SendBack { reason: "Xem lại hồ sơ 2".into() }, &head());
    assert_eq!(back.case.stage, Stage::Council);
    type Change = fn(&mut UnitFacts);
    let rows: [(Change, Refusal); 4] = [
        (|unit| unit.holds = vec![HoldId::new(0, [1; 10])], Refusal::OnHold),
        (|unit| unit.changed = true, Refusal::ChangedSince),
        (|unit| unit.schedule_approved = false, Refusal::NoSchedule),
        (|unit| unit.due = Some(20300101), Refusal::NotDue),
    ];
    for (change, refusal) in rows {
        assert_eq!(Desk::appraised().knowing(file(1), change).may(&decide(&[]), &head()), Err(refusal));
        assert_eq!(Desk::appraised().knowing(file(1), change).may(&decide(&[file(1)]), &head()), Ok(()), "spared");
        assert_eq!(Desk::appraised().knowing(file(2), change).may(&decide(&[]), &head()), Ok(()), "is kept anyway");
    }
}

/// TT 06/2025: handing over, destruction, minutes; the issue: a hold wins until the order.
#[test]
fn how_a_decision_is_executed() {
    let (order, over) = (Act::Order { unit: file(1) }, Act::HandOver { minutes: minutes() });
    let done = |unit| Act::Destroyed { unit, certificates: vec![Digest::of(b"c")] };
    let close = Act::Close { minutes: minutes() };
    assert_eq!(Desk::decided().may(&order, &clerk()), Err(Refusal::NoHandover));
    let handed = || Desk::decided().does(over.clone(), &clerk());
    let spare = Act::Spare { unit: file(1), reason: "Có đơn khiếu nại".into() };
    for (desk, act, who, expected) in [
        (handed(), order.clone(), clerk(), Ok(())),
        (handed(), order.clone(), head(), Err(Refusal::NotYours)),
        (handed(), Act::Order { unit: file(2) }, clerk(), Err(Refusal::NotDecided)),
        (handed(), Act::Order { unit: loose(3) }, clerk(), Err(Refusal::NotListed)),
        (Desk::appraised(), order.clone(), clerk(), Err(Refusal::NotDecided)),
        (
            handed().knowing(file(1), |u| u.holds = vec![HoldId::new(0, [1; 10])]),
            order.clone(),
            clerk(),
            Err(Refusal::OnHold),
        ),
        (handed().knowing(file(1), |u| u.changed = true), order.clone(), clerk(), Err(Refusal::ChangedSince)),
        (Desk::ordered(), order.clone(), clerk(), Err(Refusal::AlreadyOrdered)),
        (handed(), done(file(1)), clerk(), Err(Refusal::NotOrdered)),
        (Desk::ordered(), done(file(1)), clerk(), Ok(())),
        (Desk::ordered(), Act::Destroyed { unit: file(1), certificates: vec![] }, clerk(), Err(Refusal::Unfinished)),
        (Desk::ordered().does(done(file(1)), &clerk()), done(file(1)), clerk(), Err(Refusal::AlreadyGone)),
        (handed(), spare.clone(), head(), Ok(())),
        (handed(), spare.clone(), clerk(), Err(Refusal::NotYours)),
        (Desk::ordered(), spare.clone(), head(), Err(Refusal::TooLate)),
        (Desk::appraised(), spare.clone(), head(), Err(Refusal::NotThisStage)),
        (Desk::ordered(), close.clone(), clerk(), Err(Refusal::Unfinished)),
        (Desk::ordered().does(done(file(1)), &clerk()), close.clone(), clerk(), Ok(())),
        (handed().does(spare.clone(), &head()), close.clone(), clerk(), Ok(())),
    ] {
        assert_eq!(desk.may(&act, &who), expected, "{act:?} {:?}", desk.case.stage);
    }
    let closed = Desk::ordered().does(done(file(1)), &clerk()).does(close.clone(), &clerk());
    assert_eq!(closed.may(&close, &clerk()), Err(Refusal::Closed));
    assert_eq!(closed.case.listed[0].status().0, "Đã hủy");
}

/// TT 06/2025: within 15 days after the decision, with reminders.
#[test]
fn when_the_execution_is_due() {
    let (desk, rules) = (Desk::decided(), Rules::default());
    assert_eq!(desk.case.execution_until(rules.execution_days_max), Some(20261205), "from the day of the paper");
    for (today, left) in
        [(20261123, None), (20261129, None), (20261130, Some(5)), (20261205, Some(0)), (20261207, Some(-2))]
    {
        assert_eq!(desk.case.execution_reminder(today, &rules), left, "{today}");
    }
    let mut later = Desk::decided().case;
    later.decision.as_mut().unwrap().paper.day = "2026-12-01".parse().unwrap();
    assert_eq!(later.execution_until(15), Some(20261208), "or from the day on which it was entered");
    let done = Desk::ordered().does(Act::Destroyed { unit: file(1), certificates: vec![Digest::of(b"c")] }, &clerk());
    assert_eq!(done.case.execution_reminder(20261210, &rules), None, "nothing is left to do");
    assert_eq!(Desk::appraised().case.execution_reminder(20261210, &rules), None);
}

/// TT 05/2025 art. 50: the system keeps the full trace; and a case has one spelling.
#[test]
fn a_case_keeps_its_trace_and_its_form() {
    let case = Desk::ordered().case;
    let acts: Vec<&str> = case.trace.iter().map(|one| one.act.as_str()).collect();
    assert_eq!(acts[..3], ["list", "list", "set_up_council"]);
    assert_eq!(acts[acts.len() - 3..], ["decide", "hand_over", "order"]);
    let bytes = case.to_bytes().unwrap();
    assert_eq!(Case::from_bytes(&bytes).unwrap(), case);
    let next = case.clone().following(Digest::of(&bytes), Salt::new([0x0b; 32]));
    assert_eq!((next.replaces, next.salt == case.salt), (Some(Digest::of(&bytes)), false));
}
