//! Every way to destroy what may not be: by the rules of a case, by the ledger at the order, past the flow, and with a
//! catalog that somebody wrote to.

use crate::{
    disposing::{
        ARCHIVIST, CHAIR, CLASS, CODE, HEAD, MEMBERS, SECOND, Settled, about, actor, all_until, approve, class,
        decided, deposit, draft, ends, entries, forget, grounds, keeper, meddle, opened_case, opened_file, order,
        paper, proceed, refused, said, schedule_of, scripted, settled, settled_under, step, text, today, who,
        years_pass,
    },
    world::World,
};
use std::{path::PathBuf, sync::Arc};
use vankho::{
    access,
    archive::{Archive, Proposal, keep::random, order::OrderError, request},
    arrangement,
    disposition::{
        DispositionError, Who, cases,
        execution::{self, Pending, Waits, Why},
        holds, schedules,
    },
    exchange::dossier::gather::{self, Issued},
    record::{
        access::Reader,
        date::PartialDate,
        described::Described,
        digest::Digest,
        disposition::{
            act::Act,
            basis::Basis,
            case::{
                Case, Council, Decision, Ground, Listed, Outcome, Proposal as Proposed, Stage, Trace, Unit as Listable,
                Votes,
            },
            refusal::Refusal,
            withdrawal::{Asked, Mistake},
        },
        document::{Document, Salt},
        entry::Event,
        hold::{Reason, Scope},
        id::{CaseId, RecordId},
        metadata::Metadata,
        unit::Unit,
    },
};

struct Given {
    world: World,
    archive: Archive,
    settled: Settled,
}

impl Given {
    /// Everything is due.
    async fn due() -> Given {
        let given = Given::early().await;
        years_pass(&given.world, 11);
        given
    }

    /// Nothing is due yet.
    async fn early() -> Given {
        let world = World::founded().await;
        let archive = world.open().await.unwrap();
        let settled = settled(&world, &archive).await;
        Given { world, archive, settled }
    }

    fn file(&self) -> Listable {
        Listable::File(self.settled.file)
    }

    fn catalog(&self) -> PathBuf {
        self.world.data.path().join("catalog.db")
    }

    /// A ground that somebody made up.
    async fn made_up(&self) -> Ground {
        let schedule = self.settled.schedule;
        let (_, version) = schedules::schedule(&self.archive, schedule).await.unwrap().unwrap();
        Ground::Expired { due: "2020-01-01".parse().unwrap(), schedule, version, class: CLASS.into() }
    }

    /// A basis that somebody made up.
    async fn basis(&self, case: CaseId, unit: Listable) -> Basis {
        let decision = paper(&self.archive, "50/QĐ-SNV");
        Basis::Disposition { case, unit, ground: self.made_up().await, decision, decided_by: actor(HEAD) }
    }

    async fn act(&self, n: u8, case: CaseId, act: Act) -> Result<(), DispositionError> {
        proceed(&self.archive, case, &[(n, act)]).await
    }

    /// Nothing was ordered, nothing is gone, and the archive is whole.
    async fn nothing_happened(self) {
        let told = entries(&self.archive).await;
        let ordered: Vec<_> = told.iter().filter(|entry| entry.event.ends().is_some()).collect();
        assert!(ordered.is_empty(), "{ordered:?}");
        execution::resume(&self.archive).await.unwrap();
        for record in self.settled.going().into_iter().chain([self.settled.stays]) {
            let opened = access::open(&self.archive, &Reader::Cleared, record).await.unwrap();
            assert!(opened.is_some(), "{record} is gone");
        }
        self.archive.close().await.unwrap();
        // What somebody wrote into it is no part of the archive.
        self.world.lose_catalog();
        self.world.check().await;
    }
}

fn order_refused<T: std::fmt::Debug>(done: Result<T, OrderError>) -> Refusal {
    match done {
        Err(OrderError::Refused(refusal)) => refusal,
        other => panic!("it is not refused by the ledger: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_due_is_not_listed() {
    let given = Given::early().await;
    let case = opened_case(&given.archive, false).await;
    for unit in given.settled.units() {
        let list = Act::List { unit, ground: given.made_up().await };
        assert_eq!(refused(given.act(ARCHIVIST, case, list).await), Refusal::NotDue, "{unit:?}");
    }
    given.nothing_happened().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_listed_by_a_schedule_that_nobody_approved() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let opened = schedules::open_schedule(&archive, &who(&archive, ARCHIVIST), draft()).await.unwrap();
    let settled = settled_under(&world, &archive, schedule_of(&opened)).await;
    years_pass(&world, 11);
    let given = Given { world, archive, settled };
    let case = opened_case(&given.archive, false).await;
    let list = Act::List { unit: given.file(), ground: given.made_up().await };
    assert_eq!(refused(given.act(ARCHIVIST, case, list).await), Refusal::NoSchedule);
    given.nothing_happened().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_that_was_approved_after_the_list_stops_the_order() {
    let given = Given::due().await;
    let case = decided(&given.archive, &[given.file()]).await;
    let schedule = given.settled.schedule;
    let archivist = who(&given.archive, ARCHIVIST);
    schedules::revise_schedule(&given.archive, &archivist, schedule, draft()).await.unwrap();
    // A draft stops nothing; what was approved does, though it says the same.
    approve(&given.archive, schedule).await;
    assert_eq!(refused(order(&given.archive, case, given.file()).await), Refusal::NoSchedule);
    given.nothing_happened().await;
}

fn asked(scope: Scope) -> holds::HoldAsked {
    holds::HoldAsked {
        authority: "Tòa án nhân dân khu vực 1, 12/2026/QĐ-TA".into(),
        reason: Reason::Litigation,
        reason_text: "Vụ án thụ lý số 45/2026".into(),
        scope,
        asked_by: None,
    }
}

/// On one record of the file, on the file, on its fonds, on what a search finds: the whole unit stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_of_every_scope_stops_the_order_until_it_is_released() {
    let given = Given::due().await;
    let (archive, settled) = (&given.archive, &given.settled);
    let case = decided(archive, &[given.file()]).await;
    let scopes = [
        (Scope::Record { record: settled.inside[1] }, vec![]),
        (Scope::File { file: settled.file }, vec![]),
        (Scope::Fonds { fonds: settled.fonds }, vec![]),
        (Scope::Search { query: "kế hoạch".into(), later_arrivals: false }, vec![settled.inside[2]]),
    ];
    for (scope, found) in scopes {
        let placed = holds::place_hold(archive, &who(archive, ARCHIVIST), asked(scope.clone()), &found).await.unwrap();
        assert_eq!(refused(order(archive, case, given.file()).await), Refusal::OnHold, "{scope:?}");
        // Nor past the flow.
        let basis = given.basis(case, given.file()).await;
        let whole = settled.inside.map(|record| (record, basis.clone()));
        let done = archive.order_destruction(actor(ARCHIVIST), case, &whole).await;
        assert_eq!(order_refused(done), Refusal::OnHold, "{scope:?}");
        let Unit::Hold(hold) = placed.unit else { panic!("{placed:?}") };
        holds::release_hold(archive, &who(archive, SECOND), hold, "Vụ án đã kết thúc").await.unwrap();
    }
    // And it was the hold that stopped it: the first order after all of them were released is let through.
    order(archive, case, given.file()).await.unwrap();
    execution::resume(archive).await.unwrap();
    let going = settled.inside;
    crate::disposing::forget(&given.world, &going);
    for record in going {
        assert!(archive.catalog.ended(record).await.unwrap().unwrap().certificate.is_some());
    }
    let Given { archive, world, .. } = given;
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_after_the_list_stops_the_decision_too() {
    let given = Given::due().await;
    let archive = &given.archive;
    let (case, acts) = scripted(archive, &[given.file()], false).await;
    let (decide, before) = (acts.len() - 2, &acts[..acts.len() - 2]);
    proceed(archive, case, before).await.unwrap();
    let scope = Scope::Record { record: given.settled.inside[0] };
    holds::place_hold(archive, &who(archive, ARCHIVIST), asked(scope), &[]).await.unwrap();
    assert_eq!(refused(proceed(archive, case, &acts[decide..=decide]).await), Refusal::OnHold);
    given.nothing_happened().await;
}

/// Council, chair, votes, head: who may do what, and who may not do two things.
#[tokio::test(flavor = "multi_thread")]
async fn who_reviews_does_not_decide_and_nobody_decides_without_a_review() {
    let given = Given::due().await;
    let archive = &given.archive;
    let (case, acts) = scripted(archive, &[given.file()], false).await;
    let of = |wanted: &str| step(&acts, wanted);
    // No council at all: nobody is of it, it cannot meet, and nothing is decided.
    proceed(archive, case, &acts[..of("set_up_council")]).await.unwrap();
    for step in ["opine", "end_review", "propose"] {
        let found = refused(proceed(archive, case, &acts[of(step)..=of(step)]).await);
        assert_eq!(found, Refusal::NoCouncil, "{step}");
    }
    assert_eq!(refused(proceed(archive, case, &acts[of("decide")..=of("decide")]).await), Refusal::NotThisStage);
    assert_eq!(refused(order(archive, case, given.file()).await), Refusal::NotDecided);
    // A council of one, and one who is in it twice.
    for members in [vec![], vec![actor(CHAIR), actor(MEMBERS[0])]] {
        let council = Council { paper: paper(archive, "20/QĐ-SNV"), chair: actor(CHAIR), members };
        let found = refused(given.act(ARCHIVIST, case, Act::SetUpCouncil { council }).await);
        assert_eq!(found, Refusal::NoCouncil);
    }
    // The head is of the council, and therefore decides nothing.
    let council = Council {
        paper: paper(archive, "20/QĐ-SNV"),
        chair: actor(CHAIR),
        members: vec![actor(4), actor(5), actor(HEAD)],
    };
    given.act(ARCHIVIST, case, Act::SetUpCouncil { council }).await.unwrap();
    proceed(archive, case, &acts[of("opine")..of("decide")]).await.unwrap();
    let decide = &acts[of("decide")..=of("decide")];
    assert_eq!(refused(proceed(archive, case, decide).await), Refusal::Reviewer);
    // Another head, who has not logged in for a while, or never did.
    let (_, act) = &decide[0];
    let other = |authenticated| Who { actor: actor(9), role: vankho::record::actor::Role::Head, authenticated };
    let now = archive.clock.now();
    let stale = vankho::record::entry::Instant::from_micros(now.micros() - 600_000_000);
    for authenticated in [None, Some(stale)] {
        let done = cases::act(archive, &other(authenticated), case, act.clone()).await;
        assert_eq!(refused(done), Refusal::NotFresh, "{authenticated:?}");
    }
    // Nobody who is no head.
    for n in [ARCHIVIST, CHAIR, MEMBERS[0]] {
        assert_eq!(refused(given.act(n, case, act.clone()).await), Refusal::NotYours, "{n}");
    }
    given.nothing_happened().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_decided_without_the_appraisal_nor_ordered_without_the_handing_over() {
    let given = Given::due().await;
    let archive = &given.archive;
    let (case, acts) = scripted(archive, &[given.file()], true).await;
    let of = |wanted: &str| step(&acts, wanted);
    proceed(archive, case, &acts[..of("appraise")]).await.unwrap();
    assert_eq!(refused(proceed(archive, case, &acts[of("decide")..=of("decide")]).await), Refusal::NoAppraisal);
    assert_eq!(refused(order(archive, case, given.file()).await), Refusal::NotDecided);
    proceed(archive, case, &acts[of("appraise")..=of("decide")]).await.unwrap();
    assert_eq!(refused(order(archive, case, given.file()).await), Refusal::NoHandover);
    given.nothing_happened().await;
}

/// Past the flow, with a case in which nobody decided: the ledger has no decision.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_past_the_flow_is_judged_by_the_ledger() {
    let given = Given::due().await;
    let (archive, settled) = (&given.archive, &given.settled);
    let (case, acts) = scripted(archive, &[given.file()], false).await;
    let mut done = 0;
    // Before each act of the review up to the decision.
    for (n, (_, act)) in acts.iter().enumerate() {
        if act.as_str() == "hand_over" {
            break;
        }
        let basis = given.basis(case, given.file()).await;
        let refusal =
            order_refused(archive.order_destruction(actor(ARCHIVIST), case, &[(settled.inside[0], basis)]).await);
        let expected = if n == 0 { Refusal::NotListed } else { Refusal::NotDecided };
        assert_eq!(refusal, expected, "before {}", act.as_str());
        proceed(archive, case, &acts[n..=n]).await.unwrap();
        done += 1;
    }
    assert_eq!(done, acts.len() - 1);
    // A record that is in no file, one of another file, and one that the case never named.
    for record in [settled.stays, settled.loose] {
        let basis = given.basis(case, given.file()).await;
        let done = archive.order_destruction(actor(ARCHIVIST), case, &[(record, basis)]).await;
        assert_eq!(order_refused(done), Refusal::NotListed, "{record}");
    }
    let unheard = RecordId::new(0, [9; 10]);
    let basis = given.basis(case, given.file()).await;
    let done = archive.order_destruction(actor(ARCHIVIST), case, &[(unheard, basis)]).await;
    assert!(done.is_err(), "there is no such record");
    given.nothing_happened().await;
}

/// A proposal that goes straight to the writer, with a stub that nobody folded the ledger for.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_proposed_straight_to_the_writer_is_refused() {
    let given = Given::due().await;
    let (archive, settled) = (&given.archive, &given.settled);
    let open = opened_case(archive, false).await;
    let handed = decided(archive, &[given.file()]).await;
    let size = archive.ledger.size();
    let by = actor(ARCHIVIST);
    for (case, record, asked_by) in [
        (Some(open), settled.inside[0], None),
        (Some(handed), settled.loose, None),
        (Some(handed), settled.stays, None),
        (None, settled.stays, Some(actor(SECOND))),
        (None, settled.inside[0], Some(by)),
    ] {
        let event = Event::DestructionOrdered { record, stub: Digest::of(b"no stub"), case, asked_by };
        let request = request(by, &random().unwrap());
        let done = archive.commit(Proposal { by, request, event, description: None }).await;
        assert!(done.is_err(), "{case:?} {record}: {done:?}");
    }
    // What says that something is gone without an order.
    for event in [
        Event::Destroyed { record: settled.stays, certificate: Digest::of(b"none") },
        Event::Expelled { record: settled.stays, certificate: Digest::of(b"none") },
        Event::ExpulsionOrdered { record: settled.stays, stub: Digest::of(b"none"), confirmed_by: by },
    ] {
        let request = request(by, &random().unwrap());
        let done = archive.commit(Proposal { by, request, event: event.clone(), description: None }).await;
        assert!(done.is_err(), "{event:?}: {done:?}");
    }
    assert_eq!(archive.ledger.size(), size);
    given.nothing_happened().await;
}

/// A description of a case that says that it is decided, committed past the flow by one person: the acts that its trace
/// lacks were never done, and those that it has were all done by whoever committed it.
#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_was_written_past_the_flow_orders_nothing() {
    for acts in [
        &["list", "decide"][..],
        &["list", "set_up_council", "decide"],
        &["list", "set_up_council", "end_review", "decide"],
        &["list", "set_up_council", "propose", "decide"],
        &["list", "set_up_council", "end_review", "propose", "decide"],
    ] {
        let given = Given::due().await;
        let archive = &given.archive;
        let case = opened_case(archive, false).await;
        let (before, replaces) = cases::case(archive, case).await.unwrap().unwrap();
        let (by, at, unit) = (actor(SECOND), archive.clock.now(), given.file());
        let (_, ground) = grounds(archive, &[unit]).await.remove(0);
        let votes = Votes { agree: 3, against: 0, abstained: 0 };
        let proposal = Some(Proposed { outcome: Outcome::Destroy, reason: "Đã hết giá trị".into(), votes });
        let listed = Listed {
            unit,
            ground,
            opinions: vec![],
            proposal,
            decided: Some(Outcome::Destroy),
            ordered: None,
            certificates: vec![],
        };
        let trace = acts.iter().map(|act| Trace { at, by, act: act.to_string(), unit: Some(unit), reason: None });
        let members = MEMBERS.map(actor).to_vec();
        let written = Case {
            stage: Stage::Decided,
            listed: vec![listed],
            council: Some(Council { paper: paper(archive, "20/QĐ-SNV"), chair: actor(CHAIR), members }),
            minutes: Some(paper(archive, "01/BB-HĐ")),
            decision: Some(Decision { paper: paper(archive, "50/QĐ-SNV"), by, at, authenticated: at }),
            handover: Some(paper(archive, "02/BB-BG")),
            trace: trace.collect(),
            ..Case::clone(&before)
        };
        let written = written.following(replaces, Salt::new([3; 32]));
        let told = (Described::Case(Arc::new(written.clone())), written.to_bytes().unwrap());
        let event = |unit, description| Event::Decided { unit, description, replaces };
        // Whether the writer takes it or not: nothing is ordered by it.
        archive.keep_described(by, told, event).await.ok();
        let ordered = order(archive, case, unit).await;
        assert!(ordered.is_err(), "{acts:?} was enough: {ordered:?}");
        let basis = given.basis(case, unit).await;
        let whole = given.settled.inside.map(|record| (record, basis.clone()));
        let ordered = archive.order_destruction(actor(ARCHIVIST), case, &whole).await;
        assert!(matches!(ordered, Err(OrderError::Refused(_))), "{acts:?} was enough: {ordered:?}");
        given.nothing_happened().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_described_anew_after_the_list_is_listed_anew() {
    let given = Given::due().await;
    let archive = &given.archive;
    let case = decided(archive, &[given.file()]).await;
    let (described, _) = arrangement::file(archive, given.settled.file).await.unwrap().unwrap();
    let changed = vankho::record::file::About { title: "Tên khác".into(), ..described.about.clone() };
    arrangement::describe_file(archive, &keeper(), given.settled.file, changed).await.unwrap();
    assert_eq!(refused(order(archive, case, given.file()).await), Refusal::ChangedSince);
    let basis = given.basis(case, given.file()).await;
    let done = archive.order_destruction(actor(ARCHIVIST), case, &[(given.settled.inside[0], basis)]).await;
    assert_eq!(order_refused(done), Refusal::ChangedSince);
    given.nothing_happened().await;
}

/// A record that comes into the file after its list, whatever state its destruction is in.
async fn arrives(given: &Given) -> RecordId {
    let late = Metadata { file: Some(CODE.into()), file_ordinal: Some(4), ..said("đến sau") };
    let taken = deposit(&given.world, &given.archive, "đến sau", vec![(late, text("Văn bản đến sau quyết định hủy"))]);
    taken.await.unwrap()[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_in_a_file_after_its_list_stops_the_order() {
    let given = Given::due().await;
    let case = decided(&given.archive, &[given.file()]).await;
    let late = arrives(&given).await;
    assert_eq!(refused(order(&given.archive, case, given.file()).await), Refusal::ChangedSince);
    let basis = given.basis(case, given.file()).await;
    let done = given.archive.order_destruction(actor(ARCHIVIST), case, &[(late, basis)]).await;
    assert_eq!(order_refused(done), Refusal::ChangedSince, "nor alone, past the flow");
    assert!(access::open(&given.archive, &Reader::Cleared, late).await.unwrap().is_some());
    given.nothing_happened().await;
}

/// Closes a case of which everything is certified; of the file so many.
async fn closed(given: &Given, case: CaseId, certificates: usize) {
    given.act(ARCHIVIST, case, Act::Close { minutes: paper(&given.archive, "3") }).await.unwrap();
    let (closed, _) = cases::case(&given.archive, case).await.unwrap().unwrap();
    assert_eq!(closed.listed[0].certificates.len(), certificates, "of those that were decided on, and of no other");
}

/// Each was ordered once and ended once, and the archive is whole without them.
async fn ended_once(given: Given, going: &[RecordId]) {
    let Given { world, archive, .. } = given;
    let told = entries(&archive).await;
    for record in going {
        assert_eq!(ends(&told, *record), (1, 1), "{record}");
    }
    archive.close().await.unwrap();
    forget(&world, going);
    world.check().await;
}

/// As a stop between two orders leaves it, the file is ordered in part when the record comes: what came is left alone, and
/// so is what was not ordered yet, until what came is taken out as what it is, a wrong deposit, by two people.
#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_in_a_file_that_is_half_ordered_stays_and_the_rest_waits() {
    let given = Given::due().await;
    let (archive, inside) = (&given.archive, given.settled.inside);
    let case = decided(archive, &[given.file()]).await;
    let basis = given.basis(case, given.file()).await;
    archive.order_destruction(actor(ARCHIVIST), case, &[(inside[0], basis)]).await.unwrap();
    let late = arrives(&given).await;
    for _ in 0..2 {
        let resumed = execution::resume(archive).await.unwrap();
        let [Pending { of, why: Why::Refused(Refusal::ChangedSince) }] = &resumed.pending[..] else {
            panic!("it is told why the rest waits: {resumed:?}")
        };
        assert_eq!(*of, Waits::Unit(case, given.file()));
    }
    assert!(archive.catalog.ended(inside[0]).await.unwrap().unwrap().certificate.is_some(), "what was ordered goes");
    for record in [inside[1], inside[2], late] {
        assert_eq!(archive.catalog.ended(record).await.unwrap(), None, "{record}");
        assert!(access::open(archive, &Reader::Cleared, record).await.unwrap().is_some(), "{record}");
    }
    let early = Act::Close { minutes: paper(archive, "3") };
    assert_eq!(refused(given.act(ARCHIVIST, case, early).await), Refusal::Unfinished);
    let asked = Asked {
        record: late,
        mistake: Mistake::WrongPlace,
        reason: "Nộp nhầm vào hồ sơ đã có quyết định hủy".into(),
        by: actor(ARCHIVIST),
        at: archive.clock.now(),
    };
    execution::withdraw(archive, &who(archive, SECOND), &asked).await.unwrap();
    for certified in [3, 0] {
        let resumed = execution::resume(archive).await.unwrap();
        assert!(resumed.pending.is_empty() && resumed.certified == certified, "{resumed:?}");
    }
    closed(&given, case, 3).await;
    ended_once(given, &[inside[0], inside[1], inside[2], late]).await;
}

/// Where all that was decided on is ordered, it goes and the case ends; what came goes by a case of its own.
#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_in_a_file_that_is_ordered_goes_with_nobody() {
    let given = Given::due().await;
    let (archive, inside) = (&given.archive, given.settled.inside);
    let case = decided(archive, &[given.file()]).await;
    order(archive, case, given.file()).await.unwrap();
    let (ordered, _) = cases::case(archive, case).await.unwrap().unwrap();
    let papers = || gather::papers(archive, &ordered, Issued::default(), None);
    let before = papers().await.unwrap();
    let late = arrives(&given).await;
    assert_eq!(papers().await.unwrap(), before, "no paper tells of it");
    for (certified, units) in [(3, 1), (0, 0)] {
        let resumed = execution::resume(archive).await.unwrap();
        let told = (resumed.certified, resumed.units, resumed.pending.is_empty());
        assert_eq!(told, (certified, units, true), "{resumed:?}");
    }
    assert!(access::open(archive, &Reader::Cleared, late).await.unwrap().is_some(), "nobody decided on it");
    closed(&given, case, 3).await;
    let case = decided(archive, &[given.file()]).await;
    order(archive, case, given.file()).await.unwrap();
    assert_eq!(execution::resume(archive).await.unwrap().certified, 1);
    closed(&given, case, 1).await;
    ended_once(given, &[inside[0], inside[1], inside[2], late]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_file_does_not_go_alone_and_nothing_is_on_two_lists() {
    let given = Given::due().await;
    let archive = &given.archive;
    let case = opened_case(archive, false).await;
    let one = Listable::Record(given.settled.inside[0]);
    let alone = Act::List { unit: one, ground: given.made_up().await };
    assert_eq!(refused(given.act(ARCHIVIST, case, alone).await), Refusal::PartOfAFile);
    let permanent = Act::List { unit: Listable::Record(given.settled.stays), ground: given.made_up().await };
    assert_eq!(refused(given.act(ARCHIVIST, case, permanent).await), Refusal::NotDue);
    decided(archive, &[given.file()]).await;
    let twice = Act::List { unit: given.file(), ground: given.made_up().await };
    assert_eq!(refused(given.act(ARCHIVIST, case, twice).await), Refusal::AlreadyListed);
    given.nothing_happened().await;
}

/// A record finds itself in two files; only one of them is destroyed.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_file_refers_to_stays() {
    let given = Given::early().await;
    let (archive, settled) = (&given.archive, &given.settled);
    let shared = vankho::record::file::Shared { record: settled.inside[0], ordinal: None };
    let other = vankho::record::file::About {
        shared: vec![shared],
        ..about("H49.64.2026.KH02", class(settled.schedule, CLASS))
    };
    opened_file(archive, settled.fonds, other).await;
    years_pass(&given.world, 11);
    let case = decided(archive, &[given.file()]).await;
    let basis = given.basis(case, given.file()).await;
    let done = archive.order_destruction(actor(ARCHIVIST), case, &[(settled.inside[0], basis)]).await;
    assert_eq!(order_refused(done), Refusal::LivesElsewhere);
    given.nothing_happened().await;
}

/// The catalog says that it is due, and has another day in every column.
#[tokio::test(flavor = "multi_thread")]
async fn a_due_date_in_the_catalog_destroys_nothing() {
    let given = Given::early().await;
    let due = "due = 'on:2020-01-01', due_rank = 20200101";
    meddle(
        &given.catalog(),
        &[
            format!("UPDATE files SET own_due = 'on:2020-01-01', own_rank = 20200101, {due}"),
            format!("UPDATE records SET {due} WHERE file IS NULL"),
        ],
    )
    .await;
    let archive = &given.archive;
    let (listed, _) = archive.catalog.due_list(&all_until(today(archive)), None, 100).await.unwrap();
    assert!(!listed.is_empty(), "the lie is read: else this shows nothing");
    let case = opened_case(archive, false).await;
    for unit in given.settled.units() {
        let ground = cases::ground(archive, unit).await;
        let ground = ground.unwrap_or(given.made_up().await);
        if let Ground::Expired { due, .. } = &ground {
            let told: PartialDate = "2037-01-01".parse().unwrap();
            let made_up: PartialDate = "2020-01-01".parse().unwrap();
            assert!([told, made_up].contains(due), "{due} is the catalog's");
        }
        for ground in [ground, given.made_up().await] {
            let list = Act::List { unit, ground };
            assert_eq!(refused(given.act(ARCHIVIST, case, list).await), Refusal::NotDue, "{unit:?}");
        }
    }
    given.nothing_happened().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_in_the_catalog_destroys_nothing() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let opened = schedules::open_schedule(&archive, &who(&archive, ARCHIVIST), draft()).await.unwrap();
    let settled = settled_under(&world, &archive, schedule_of(&opened)).await;
    years_pass(&world, 11);
    let given = Given { world, archive, settled };
    meddle(&given.catalog(), &["UPDATE schedules SET approved = '2026-01-01', incomplete = 0".into()]).await;
    let case = opened_case(&given.archive, false).await;
    let list = Act::List { unit: given.file(), ground: given.made_up().await };
    assert_eq!(refused(given.act(ARCHIVIST, case, list).await), Refusal::NoSchedule);
    given.nothing_happened().await;
}

/// Holds are gone from every table: the entries that placed them are not.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_is_gone_from_the_catalog_holds() {
    let given = Given::due().await;
    let (archive, settled) = (&given.archive, &given.settled);
    let case = decided(archive, &given.settled.units()).await;
    for scope in [Scope::File { file: settled.file }, Scope::Record { record: settled.loose }] {
        holds::place_hold(archive, &who(archive, ARCHIVIST), asked(scope), &[]).await.unwrap();
    }
    meddle(&given.catalog(), &["DELETE FROM placements".into(), "DELETE FROM holds".into()]).await;
    assert!(archive.catalog.holds().await.unwrap().is_empty(), "the lie is read: else this shows nothing");
    for unit in settled.units() {
        assert_eq!(refused(order(archive, case, unit).await), Refusal::OnHold, "{unit:?}");
    }
    given.nothing_happened().await;
}

/// The catalog puts a record into the file, and takes one that is on hold out of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_says_what_lies_in_a_file() {
    let given = Given::due().await;
    let (archive, settled) = (&given.archive, &given.settled);
    let case = decided(archive, &[given.file()]).await;
    let into = format!("UPDATE records SET file = '{CODE}' WHERE record = '{}'", settled.stays);
    meddle(&given.catalog(), &[into]).await;
    // The one that was never there is not destroyed: its order is refused, and with it the unit's, or it is passed over.
    let done = order(archive, case, given.file()).await;
    execution::resume(archive).await.unwrap();
    assert!(archive.catalog.ended(settled.stays).await.unwrap().is_none(), "{done:?}");
    assert!(access::open(archive, &Reader::Cleared, settled.stays).await.unwrap().is_some());
    let told = entries(archive).await;
    assert!(told.iter().all(|entry| entry.event.ends() != Some(settled.stays)));
    let Given { archive, world, .. } = given;
    archive.close().await.unwrap();
    world.lose_catalog();
    let ordered: Vec<RecordId> = told.iter().filter_map(|entry| entry.event.ends()).collect();
    crate::disposing::forget(&world, &ordered);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_hold_is_not_taken_out_of_its_file_by_the_catalog() {
    let given = Given::due().await;
    let (archive, settled) = (&given.archive, &given.settled);
    let scope = Scope::Record { record: settled.inside[0] };
    let case = decided(archive, &[given.file()]).await;
    holds::place_hold(archive, &who(archive, ARCHIVIST), asked(scope), &[]).await.unwrap();
    let out = format!("UPDATE records SET file = NULL WHERE record = '{}'", settled.inside[0]);
    meddle(&given.catalog(), &["DELETE FROM placements".into(), out]).await;
    assert_eq!(refused(order(archive, case, given.file()).await), Refusal::OnHold, "the others stay with it");
    given.nothing_happened().await;
}

/// A decision that was altered in the catalog: the description is what the ledger names.
#[tokio::test(flavor = "multi_thread")]
async fn a_stage_in_the_catalog_decides_nothing() {
    let given = Given::due().await;
    let archive = &given.archive;
    let (case, acts) = scripted(archive, &[given.file()], false).await;
    proceed(archive, case, &acts[..1]).await.unwrap();
    meddle(&given.catalog(), &["UPDATE cases SET stage = 'decided', decided = at".into()]).await;
    assert_eq!(refused(order(archive, case, given.file()).await), Refusal::NotDecided);
    given.nothing_happened().await;
}
