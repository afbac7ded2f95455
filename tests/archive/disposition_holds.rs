//! Holds against orders, through two archives over one place: what is first in the ledger wins, whoever looked at what.

use crate::{
    disposing::{
        ARCHIVIST, Settled, actor, canary, decided, deposit, entries, forget, loose, order, refused, said, settled,
        text, who, years_pass,
    },
    world::{World, folder},
};
use futures::{StreamExt, stream};
use std::collections::BTreeSet;
use tempfile::TempDir;
use vankho::{
    access,
    archive::{Archive, ArchiveError},
    disposition::{DispositionError, execution, holds},
    index::query::Query,
    record::{
        access::Reader,
        disposition::{case::Unit as Listable, refusal::Refusal},
        entry::{Entry, Event},
        hold::{HoldRefusal, Reason, Scope},
        id::{CaseId, HoldId, RecordId},
        unit::Unit,
    },
};

/// Two processes on one place, each with a catalog and a desk of its own, and a case that is ready to be ordered.
struct Two {
    world: World,
    /// Of the second.
    _derived: TempDir,
    archives: [Archive; 2],
    settled: Settled,
    case: CaseId,
}

impl Two {
    async fn ready() -> Two {
        let world = World::founded().await;
        let first = world.open().await.unwrap();
        let settled = settled(&world, &first).await;
        years_pass(&world, 11);
        let case = decided(&first, &settled.units()).await;
        let derived = folder();
        let second = world.open_over(world.objects.clone().unwrap(), derived.path()).await.unwrap();
        Two { world, _derived: derived, archives: [first, second], settled, case }
    }

    fn loose(&self) -> Listable {
        Listable::Record(self.settled.loose)
    }

    /// Something else happens at an archive: it learns what it has missed.
    async fn catch_up(&self, at: usize) {
        let archive = &self.archives[at];
        let (since, to) = (archive.clock.now(), archive.ledger.size());
        let event = Event::FixityChecked { place: 1, since, to, records: 0, components: 0, bytes: 0, faults: 0 };
        archive.note(event).await.unwrap();
        archive.settle().await.unwrap();
    }

    async fn place(&self, at: usize, scope: Scope) -> Result<HoldId, DispositionError> {
        let archive = &self.archives[at];
        let placed = holds::place_hold(archive, &who(archive, ARCHIVIST), asked(scope), &[]).await?;
        let Unit::Hold(hold) = placed.unit else { panic!("{placed:?}") };
        Ok(hold)
    }

    async fn release(&self, at: usize, hold: HoldId, n: u8) -> Result<(), DispositionError> {
        let archive = &self.archives[at];
        holds::release_hold(archive, &who(archive, n), hold, "Vụ án đã kết thúc").await.map(|_| ())
    }

    /// By the entries alone: nothing was ordered while a hold was in force on it, and nothing held after its order.
    /// `whole`: and the archive is held against one that is built anew.
    async fn ends(self, whole: bool) {
        judge(&entries(&self.archives[0]).await, &self.settled);
        for at in [0, 1] {
            self.catch_up(at).await;
            execution::resume(&self.archives[at]).await.unwrap();
        }
        let told = entries(&self.archives[1]).await;
        judge(&told, &self.settled);
        let ordered: Vec<RecordId> = told.iter().filter_map(|entry| entry.event.ends()).collect();
        for record in &ordered {
            assert_eq!(crate::disposing::ends(&told, *record), (1, 1), "carried out once, by whichever");
        }
        forget(&self.world, &ordered);
        for archive in self.archives {
            archive.close().await.unwrap();
        }
        if whole {
            self.world.check().await;
        }
    }
}

fn asked(scope: Scope) -> holds::HoldAsked {
    holds::HoldAsked {
        authority: "Thanh tra tỉnh, 8/QĐ-TTT".into(),
        reason: Reason::Inspection,
        reason_text: "Thanh tra việc quản lý tài liệu".into(),
        scope,
        asked_by: None,
    }
}

/// What the order of the entries says.
fn judge(told: &[Entry], settled: &Settled) {
    let covers = |unit: &Unit, record: RecordId| match unit {
        Unit::Record(one) => *one == record,
        Unit::File(file) => *file == settled.file && settled.inside.contains(&record),
        Unit::Fonds(fonds) => *fonds == settled.fonds,
        _ => false,
    };
    let mut standing: Vec<(HoldId, Unit)> = Vec::new();
    let mut ordered: BTreeSet<RecordId> = BTreeSet::new();
    for (seq, entry) in told.iter().enumerate() {
        match &entry.event {
            Event::HoldPlaced { unit, hold, .. } => {
                if let Unit::Record(record) = unit {
                    assert!(!ordered.contains(record), "entry {seq}: a hold came too late and is there");
                }
                standing.push((*hold, *unit));
            }
            Event::HoldReleased { unit: Unit::Hold(hold), .. } => {
                standing.retain(|(other, _)| other != hold);
            }
            event => {
                let Some(record) = event.ends() else { continue };
                let held = standing.iter().find(|(_, unit)| covers(unit, record));
                assert_eq!(held, None, "entry {seq}: {record} was ordered while it was on hold");
                assert!(ordered.insert(record), "entry {seq}: {record} was ordered twice");
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    Place,
    Release,
    Order,
}

const ORDERS: [[Op; 3]; 6] = [
    [Op::Place, Op::Release, Op::Order],
    [Op::Place, Op::Order, Op::Release],
    [Op::Release, Op::Place, Op::Order],
    [Op::Release, Op::Order, Op::Place],
    [Op::Order, Op::Place, Op::Release],
    [Op::Order, Op::Release, Op::Place],
];

/// One interleaving; `at` says by its bits at which archive each happens. Where nobody catches up, an archive may not
/// know of the other's hold to release it: everything else must be refused or done all the same.
async fn one(two: &Two, ops: [Op; 3], at: usize, knowing: bool) {
    let scope = Scope::Record { record: two.settled.loose };
    let (mut hold, mut held, mut ordered): (Option<HoldId>, bool, bool) = (None, false, false);
    for (n, op) in ops.into_iter().enumerate() {
        let here = (at >> n) & 1;
        if knowing {
            two.catch_up(here).await;
        }
        let told = format!("{ops:?} at {at:03b}, {op:?}, knowing: {knowing}");
        match op {
            Op::Place => match two.place(here, scope.clone()).await {
                Ok(placed) => {
                    assert!(!ordered, "{told}: a hold after the order");
                    (hold, held) = (Some(placed), true);
                }
                Err(DispositionError::Held(HoldRefusal::TooLate)) => assert!(ordered, "{told}: too late"),
                // Told by the writer, who alone knows.
                Err(DispositionError::Archive(ArchiveError::Conflict(_))) if !knowing => assert!(ordered, "{told}"),
                Err(DispositionError::Refused(Refusal::TooLate)) if !knowing => assert!(ordered, "{told}"),
                Err(error) => panic!("{told}: {error:?}"),
            },
            Op::Release => {
                let unheard = HoldId::new(0, [9; 10]);
                let done = two.release(here, hold.unwrap_or(unheard), crate::disposing::SECOND).await;
                match done {
                    Ok(()) => {
                        assert!(held, "{told}: nothing was there to release");
                        held = false;
                    }
                    Err(_) => assert!(!held || !knowing, "{told}: {done:?}"),
                }
            }
            Op::Order => match order(&two.archives[here], two.case, two.loose()).await {
                Ok(_) => {
                    assert!(!held, "{told}: ordered while it was on hold");
                    ordered = true;
                }
                // Who has not heard of the release is careful.
                Err(DispositionError::Refused(Refusal::OnHold)) => assert!(held || !knowing, "{told}"),
                Err(DispositionError::Archive(ArchiveError::Conflict(_))) if !knowing => {}
                Err(error) => panic!("{told}: {error:?}"),
            },
        }
    }
    let first = ops.iter().position(|op| *op == Op::Order).unwrap();
    let placed = ops.iter().position(|op| *op == Op::Place).unwrap();
    let released = ops.iter().position(|op| *op == Op::Release).unwrap();
    if knowing {
        let stopped = placed < first && !(placed < released && released < first);
        assert_eq!(ordered, !stopped, "{ops:?} at {at:03b}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_interleaving_of_hold_release_and_order_ends_as_the_entries_say() {
    let each = |ops| (0..8).flat_map(move |at| [true, false].map(|knowing| (ops, at, knowing)));
    let cases: Vec<([Op; 3], usize, bool)> = ORDERS.into_iter().flat_map(each).collect();
    assert_eq!(cases.len(), 96);
    let run = async |(ops, at, knowing): ([Op; 3], usize, bool)| {
        let two = Two::ready().await;
        one(&two, ops, at, knowing).await;
        two.ends(at == 5).await;
    };
    stream::iter(cases).for_each_concurrent(4, run).await;
}

/// At the same moment: one of them is first, and the other is told so.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_and_an_order_at_the_same_moment_do_not_both_happen() {
    let (mut held, mut gone) = (0, 0);
    for n in 0..12 {
        let two = Two::ready().await;
        let scope = match n % 3 {
            0 => Scope::Record { record: two.settled.loose },
            1 => Scope::Fonds { fonds: two.settled.fonds },
            _ => Scope::File { file: two.settled.file },
        };
        let unit = if n % 3 == 2 { two.settled.units()[0] } else { two.loose() };
        // Each is sometimes at the one and sometimes at the other.
        let (a, b) = (n / 3 % 2, 1 - n / 3 % 2);
        let (placed, ordered) = tokio::join!(two.place(a, scope.clone()), order(&two.archives[b], two.case, unit));
        match (&placed, &ordered) {
            (Ok(_), Err(_)) => held += 1,
            (Err(_), Ok(_)) => gone += 1,
            // A file or a fonds may be held after its records were ordered: it is for what comes later.
            (Ok(_), Ok(_)) => assert_ne!(n % 3, 0, "both happened to one record"),
            (Err(one), Err(two)) => panic!("neither happened: {one:?} {two:?}"),
        }
        two.ends(true).await;
    }
    eprintln!("{held} holds were first, {gone} orders");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_for_a_hold_does_not_release_it_at_either_archive() {
    let two = Two::ready().await;
    let hold = two.place(0, Scope::File { file: two.settled.file }).await.unwrap();
    two.catch_up(1).await;
    for at in [0, 1] {
        let done = two.release(at, hold, ARCHIVIST).await;
        assert!(matches!(done, Err(DispositionError::Held(HoldRefusal::SamePerson))), "{done:?}");
    }
    // Nor past the flow: the writer knows from the ledger who asked.
    let archive = &two.archives[1];
    let (described, replaces) = holds::hold(archive, hold).await.unwrap().unwrap();
    let released = vankho::record::hold::Hold {
        salt: vankho::record::document::Salt::new([7; 32]),
        replaces: Some(replaces),
        asked_by: actor(crate::disposing::SECOND),
        released: Some(vankho::record::hold::Released { by: actor(ARCHIVIST), reason: "xong".into() }),
        ..vankho::record::hold::Hold::clone(&described)
    };
    let bytes = vankho::record::document::Document::to_bytes(&released).unwrap();
    let told = (vankho::record::described::Described::Hold(released.into()), bytes);
    let event = |unit, description| Event::HoldReleased { unit, description, replaces };
    let done = archive.keep_described(actor(ARCHIVIST), told, event).await;
    assert!(done.is_err(), "{done:?}");
    two.release(1, hold, crate::disposing::SECOND).await.unwrap();
    let again = two.release(1, hold, crate::disposing::SECOND).await;
    assert!(matches!(again, Err(DispositionError::Held(HoldRefusal::AlreadyReleased))), "{again:?}");
    two.ends(true).await;
}

async fn found(archive: &Archive, query: &str) -> Vec<RecordId> {
    archive.settle().await.unwrap();
    let page = access::search(archive, Query::new(query, Reader::Cleared), false).await.unwrap();
    page.found.iter().map(|found| found.known.record).collect()
}

/// "A hold on a saved search also catches later arrivals if so set."
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_on_a_saved_search_catches_what_comes_later_if_it_is_to() {
    for later_arrivals in [true, false] {
        let world = World::founded().await;
        let archive = world.open().await.unwrap();
        let settled = settled(&world, &archive).await;
        let word = canary();
        let give = |name: &'static str| {
            let class = crate::disposing::class(settled.schedule, crate::disposing::CLASS);
            let metadata = vankho::record::metadata::Metadata { class, ..loose(&said(name)) };
            vec![(metadata, text(&format!("Khiếu nại về {word}")))]
        };
        let early = deposit(&world, &archive, "sớm", give("sớm")).await.unwrap()[0];
        world.characterize(&archive).await.unwrap();
        assert_eq!(found(&archive, &word).await, [early]);
        let scope = Scope::Search { query: word.clone(), later_arrivals };
        let placed = holds::place_hold(&archive, &who(&archive, ARCHIVIST), asked(scope), &[early]).await.unwrap();
        let Unit::Hold(hold) = placed.unit else { panic!("{placed:?}") };
        let known = archive.catalog.hold(hold).await.unwrap().unwrap();
        assert_eq!((known.scope.as_str(), known.placed, known.asked_by), ("search", 1, actor(ARCHIVIST)));
        years_pass(&world, 0);
        let late = deposit(&world, &archive, "muộn", give("muộn")).await.unwrap()[0];
        world.characterize(&archive).await.unwrap();
        let now: BTreeSet<RecordId> = found(&archive, &word).await.into_iter().collect();
        assert_eq!(now, BTreeSet::from([early, late]));
        let caught = holds::catch(&archive, hold, &[early, late]).await.unwrap();
        assert_eq!(caught, u64::from(later_arrivals));
        assert_eq!(holds::catch(&archive, hold, &[early, late]).await.unwrap(), 0, "each gets one entry");
        let on: Vec<Unit> =
            archive.catalog.placements(hold, 0, 100).await.unwrap().iter().map(|placed| placed.unit).collect();
        let expected: Vec<Unit> = if later_arrivals { vec![early.into(), late.into()] } else { vec![early.into()] };
        assert_eq!(on, expected);
        years_pass(&world, 11);
        let units = [Listable::Record(early), Listable::Record(late)];
        let case = decided_but_for_holds(&archive, &units, later_arrivals).await;
        for (unit, held) in [(early, true), (late, later_arrivals)] {
            assert_eq!(!archive.catalog.holds_on(unit.into()).await.unwrap().is_empty(), held, "{later_arrivals}");
        }
        if let Some(case) = case {
            order(&archive, case, units[1]).await.unwrap();
            execution::resume(&archive).await.unwrap();
            forget(&world, &[late]);
        }
        archive.close().await.unwrap();
        world.check().await;
    }
}

/// What is on hold is not even decided; where nothing else is, the rest is.
async fn decided_but_for_holds(archive: &Archive, units: &[Listable; 2], both: bool) -> Option<CaseId> {
    use crate::disposing::{proceed, scripted};
    let (case, acts) = scripted(archive, units, false).await;
    assert_eq!(refused(proceed(archive, case, &acts).await), Refusal::OnHold, "the first is held anyway");
    if both {
        return None;
    }
    let (_, act) = acts.iter().find(|(_, act)| act.as_str() == "decide").unwrap();
    let vankho::record::disposition::act::Act::Decide { paper, .. } = act else { panic!("{act:?}") };
    let spared = vankho::record::disposition::act::Act::Decide {
        paper: paper.clone(),
        spared: vec![units[0]],
        reason: "Đang có lệnh tạm dừng hủy".into(),
    };
    proceed(archive, case, &[(crate::disposing::HEAD, spared), acts.last().unwrap().clone()]).await.unwrap();
    Some(case)
}

/// A hold on a fonds covers what is moved into it or out of it, and the record of a file that is added later.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_on_a_fonds_covers_what_comes_later() {
    let two = Two::ready().await;
    let hold = two.place(0, Scope::Fonds { fonds: two.settled.fonds }).await.unwrap();
    two.catch_up(1).await;
    let archive = &two.archives[1];
    let late = deposit(&two.world, archive, "muộn", vec![(loose(&said("muộn")), text("Đến muộn"))]).await.unwrap()[0];
    two.catch_up(0).await;
    for (record, at) in [(late, 0), (late, 1), (two.settled.inside[2], 0), (two.settled.loose, 1)] {
        let on = two.archives[at].catalog.holds_on(record.into()).await.unwrap();
        assert_eq!(on.iter().map(|placed| placed.hold).collect::<Vec<_>>(), [hold], "{record} at {at}");
    }
    let all = two.archives[0].catalog.holds().await.unwrap();
    assert_eq!((all.len(), all[0].hold, all[0].released), (1, hold, None));
    for unit in two.settled.units() {
        assert_eq!(refused(order(&two.archives[1], two.case, unit).await), Refusal::OnHold, "{unit:?}");
    }
    two.release(1, hold, crate::disposing::SECOND).await.unwrap();
    two.catch_up(0).await;
    assert!(two.archives[0].catalog.holds_on(late.into()).await.unwrap().is_empty());
    let ever = two.archives[0].catalog.holds_ever_on(late.into()).await.unwrap();
    assert!(ever.len() == 1 && ever[0].released.is_some(), "{ever:?}");
    order(&two.archives[0], two.case, two.loose()).await.unwrap();
    two.ends(true).await;
}
