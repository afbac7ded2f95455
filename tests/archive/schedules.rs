//! Retention schedules and what they make due: versions and their approval, the day in the catalog against the day from
//! the descriptions, a day in the past, what a change would move, and the list of what is due.

use crate::{
    disposing::{
        ARCHIVIST, CLASS, FONDS, HEAD, PERMANENT, SECOND, about, all_until, answers, approve, approved_schedule, class,
        deposit, draft, grounds, keeper, loose, opened_case, opened_file, opened_fonds, proceed, said, schedule_of,
        text, today, who, years_pass,
    },
    world::World,
};
use std::collections::{BTreeMap, BTreeSet};
use vankho::{
    archive::Archive,
    arrangement,
    catalog::retention::{DueFilter, DueMark, DueUnit},
    disposition::{DispositionError, Who, due, holds, schedules},
    record::{
        arranging::Refusal,
        disposition::{act::Act, case::Unit as Listable},
        file::About,
        file_state::FileAct,
        hold::{Reason, Scope},
        id::{FileId, FondsId, RecordId, ScheduleId},
        metadata::Metadata,
        package::Source,
        retention::{
            clock::{Awaited, Due},
            day::Day,
            flaw::FlawCode,
            gate::Obstacle,
            period::Period,
            schedule::{Class, Draft},
            trigger::{Told, Trigger},
        },
        unit::{self, Unit},
    },
};

const FIVE: &str = "1.02";
const TWENTY: &str = "1.11";
const IN_FORCE: &str = "1.01";

fn on(day: &str) -> Due {
    Due::On(day.parse().unwrap())
}

fn refused<T: std::fmt::Debug>(done: Result<T, DispositionError>) -> Refusal {
    match done {
        Err(DispositionError::Arranging(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn flaws<T: std::fmt::Debug>(done: Result<T, DispositionError>) -> Vec<FlawCode> {
    match done {
        Err(DispositionError::Flawed(flaws)) => flaws.iter().map(|flaw| flaw.code).collect(),
        other => panic!("{other:?}"),
    }
}

async fn ruling(archive: &Archive, id: ScheduleId) -> Option<u32> {
    archive.catalog.ruling(id).await.unwrap().map(|known| known.version)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_rules_from_its_approval_by_another_person_on() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let (archivist, head) = (who(&archive, ARCHIVIST), who(&archive, HEAD));
    let incomplete = Draft { incomplete: true, ..draft() };
    let id = schedule_of(&schedules::open_schedule(&archive, &archivist, incomplete).await.unwrap());
    assert_eq!(ruling(&archive, id).await, None);
    let approve_by =
        async |by: &Who, decision: &str, on: Day| schedules::approve_schedule(&archive, by, id, decision, on).await;
    let now = today(&archive);
    assert!(flaws(approve_by(&head, "15/QĐ-SNV", now).await).contains(&FlawCode::ApprovedIncomplete));
    schedules::revise_schedule(&archive, &archivist, id, draft()).await.unwrap();
    assert_eq!(refused(approve_by(&archivist, "15/QĐ-SNV", now).await), Refusal::NotYourRole);
    assert_eq!(refused(approve_by(&head, " ", now).await), Refusal::NoDecision);
    assert_eq!(refused(approve_by(&head, "15/QĐ-SNV", now.next()).await), Refusal::NoDecision);
    assert_eq!(ruling(&archive, id).await, None, "nothing of this approved it");
    approve_by(&head, "15/QĐ-SNV", now).await.unwrap();
    assert_eq!(ruling(&archive, id).await, Some(2));
    assert_eq!(refused(approve_by(&head, "16/QĐ-SNV", now).await), Refusal::NotNow);
    // A head who drafts does not approve it too; another one does.
    schedules::revise_schedule(&archive, &head, id, draft()).await.unwrap();
    assert_eq!(refused(approve_by(&head, "17/QĐ-SNV", now).await), Refusal::SamePerson);
    assert_eq!(ruling(&archive, id).await, Some(2), "what was approved rules on");
    let other = Who { actor: crate::disposing::actor(9), ..head };
    approve_by(&other, "17/QĐ-SNV", now).await.unwrap();
    assert_eq!(ruling(&archive, id).await, Some(3));
    // One row a version, and each can be read with its approval.
    let versions = archive.catalog.versions(id).await.unwrap();
    let told: Vec<(u32, bool, bool)> =
        versions.iter().map(|known| (known.version, known.incomplete, known.approved.is_some())).collect();
    assert_eq!(told, [(1, true, false), (2, false, true), (3, false, true)]);
    for known in &versions {
        let (read, digest) = schedules::version(&archive, id, known.version).await.unwrap().unwrap();
        assert_eq!(
            (read.version, digest, read.classes.len()),
            (known.version, known.description, known.classes as usize)
        );
        let classes = archive.catalog.classes(id, known.version).await.unwrap();
        let same = classes.iter().zip(&read.classes).all(|(known, class)| {
            (&known.code, &known.title, known.period, known.trigger, known.action)
                == (&class.code, &class.title, class.period, class.trigger, class.action)
        });
        assert!(same && classes.len() == read.classes.len(), "version {}", known.version);
    }
    let (newest, _) = schedules::schedule(&archive, id).await.unwrap().unwrap();
    let approval = newest.approved.as_ref().unwrap();
    assert_eq!((approval.decision.as_str(), approval.on, approval.by), ("17/QĐ-SNV", now, other.actor));
    let names: Vec<String> = archive.catalog.life(id).await.unwrap().into_iter().map(|one| one.event).collect();
    assert_eq!(names, ["opened", "described", "approved", "described", "approved"]);
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_with_a_flaw_that_stops_is_not_kept_and_who_may_not_draft_does_not() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let size = archive.ledger.size();
    let whole = draft();
    let twice = Draft { classes: [&whole.classes[..], &whole.classes[..1]].concat(), ..whole.clone() };
    let archivist = who(&archive, ARCHIVIST);
    let told = flaws(schedules::open_schedule(&archive, &archivist, twice.clone()).await);
    assert!(told.contains(&FlawCode::DuplicateCode), "{told:?}");
    let none = Draft { classes: vec![], ..whole.clone() };
    assert!(flaws(schedules::open_schedule(&archive, &archivist, none).await).contains(&FlawCode::NoClasses));
    let official = who(&archive, 4);
    assert_eq!(refused(schedules::open_schedule(&archive, &official, whole.clone()).await), Refusal::NotYourRole);
    let unheard = ScheduleId::new(0, [9; 10]);
    assert_eq!(refused(schedules::revise_schedule(&archive, &archivist, unheard, whole).await), Refusal::NotThere);
    assert_eq!(archive.ledger.size(), size);
    let id = approved_schedule(&archive).await;
    let size = archive.ledger.size();
    assert!(!flaws(schedules::revise_schedule(&archive, &archivist, id, twice).await).is_empty());
    assert_eq!((archive.ledger.size(), archive.catalog.schedules().await.unwrap().len()), (size, 1));
    archive.close().await.unwrap();
    world.check().await;
}

fn of_file(code: &str, of: FondsId, about: About) -> (String, FondsId, About) {
    (code.to_owned(), of, about)
}

/// Opens files, and puts one record into each.
async fn filled(world: &World, archive: &Archive, files: Vec<(String, FondsId, About)>) -> Vec<FileId> {
    let (mut ids, mut given) = (Vec::new(), Vec::<(Metadata, Vec<Source>)>::new());
    for (code, of, about) in files {
        let fonds = archive.catalog.fonds().await.unwrap().into_iter().find(|known| known.fonds == of).unwrap();
        ids.push(opened_file(archive, of, about).await);
        let metadata = Metadata { file: Some(code.clone()), fonds: Some(fonds.code), ..said(&format!("trong {code}")) };
        given.push((metadata, text(&format!("Văn bản của hồ sơ {code}"))));
    }
    let delivery = format!("hồ sơ {}", archive.ledger.size());
    deposit(world, archive, &delivery, given).await.unwrap();
    ids
}

/// The day in the catalog, which is that from the descriptions.
async fn due_of(archive: &Archive, unit: impl Into<Unit>) -> Due {
    let unit = unit.into();
    let counted = due::due(archive, unit).await.unwrap();
    let known = archive.catalog.due_of(unit).await.unwrap().map(|known| known.due);
    assert_eq!(known, Some(counted), "{unit:?}: the catalog has another day than the descriptions");
    counted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_and_what_is_told_make_a_day_in_the_catalog() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let schedule = approved_schedule(&archive).await;
    let fonds = opened_fonds(&archive, FONDS).await;
    let ceased = Told { trigger: Trigger::DocumentCeased, when: "2027-06-30".parse().unwrap() };
    let waits = Due::Waiting(Awaited::Fact(Trigger::DocumentCeased));
    let (mut files, mut expected) = (Vec::new(), Vec::new());
    for (n, (code, ended, facts, due)) in [
        (Some(FIVE), Some("2026-03-20"), vec![], on("2032-01-01")),
        (Some(CLASS), Some("2026-03-20"), vec![], on("2037-01-01")),
        (Some(CLASS), Some("2025"), vec![], on("2036-01-01")),
        (Some(TWENTY), Some("2026-12-31"), vec![], on("2047-01-01")),
        (Some(PERMANENT), Some("2026-03-20"), vec![], Due::Never),
        (Some(IN_FORCE), Some("2026-03-20"), vec![], waits),
        (Some(IN_FORCE), Some("2026-03-20"), vec![ceased], on("2028-01-01")),
        (Some(CLASS), None, vec![], Due::Waiting(Awaited::Fact(Trigger::WorkEnded))),
        (Some("99.99"), Some("2026-03-20"), vec![], Due::Waiting(Awaited::Class)),
        (None, Some("2026-03-20"), vec![], Due::Waiting(Awaited::Class)),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("H49.64.2026.T{n:02}");
        let class = code.and_then(|code| class(schedule, code));
        let ended = ended.map(|ended| ended.parse().unwrap());
        let started = "2024-01-05".parse().ok();
        files.push(of_file(&name, fonds, About { started, ended, facts, ..about(&name, class) }));
        expected.push((name, due));
    }
    let ids = filled(&world, &archive, files).await;
    for (id, (name, due)) in ids.iter().zip(&expected) {
        assert_eq!(due_of(&archive, *id).await, *due, "{name}");
    }
    // A record that lives longer keeps its file; a loose one has its own day.
    let own = |name: &str, file: Option<&str>, code: &str| {
        let metadata = Metadata { class: class(schedule, code), file: file.map(str::to_owned), ..said(name) };
        (metadata, text(name))
    };
    let in_short = own("sống lâu hơn", Some("H49.64.2026.T00"), TWENTY);
    let in_long = own("sống ngắn hơn", Some("H49.64.2026.T03"), FIVE);
    let (alone, words) = own("tài liệu rời", None, FIVE);
    let longer = Metadata { facts: loose(&alone).facts, ..in_short.0 };
    let shorter = Metadata { facts: loose(&alone).facts, ..in_long.0 };
    let given = vec![(longer, in_short.1), (shorter, in_long.1), (loose(&alone), words)];
    let records = deposit(&world, &archive, "riêng", given).await.unwrap();
    assert_eq!(due_of(&archive, ids[0]).await, on("2047-01-01"), "by the longest of what lies in it");
    assert_eq!(due_of(&archive, ids[3]).await, on("2047-01-01"), "and never earlier than it is due itself");
    assert_eq!(due_of(&archive, records[2]).await, on("2032-01-01"));
    // A description that tells another day moves it, and a class that is given moves it.
    let (described, _) = arrangement::file(&archive, ids[1]).await.unwrap().unwrap();
    let later = About { ended: "2026-12-31".parse().ok(), class: class(schedule, TWENTY), ..described.about.clone() };
    arrangement::describe_file(&archive, &keeper(), ids[1], later).await.unwrap();
    assert_eq!(due_of(&archive, ids[1]).await, on("2047-01-01"));
    // A new version moves nothing before it is approved, and everything of its classes afterwards.
    let archivist = who(&archive, ARCHIVIST);
    let changed = with(FIVE, Period::Years(7));
    schedules::revise_schedule(&archive, &archivist, schedule, changed).await.unwrap();
    assert_eq!(due_of(&archive, records[2]).await, on("2032-01-01"), "a draft moves nothing");
    approve(&archive, schedule).await;
    assert_eq!(due_of(&archive, records[2]).await, on("2034-01-01"));
    assert_eq!(due_of(&archive, ids[2]).await, on("2036-01-01"), "what it does not change stays");
    let said_before = answers(&archive).await;
    archive.close().await.unwrap();
    world.lose_catalog();
    let archive = world.open().await.unwrap();
    assert_eq!(answers(&archive).await, said_before, "the same after a rebuild");
    archive.close().await.unwrap();
    world.check().await;
}

/// The schedule with another period for one class.
fn with(code: &str, period: Period) -> Draft {
    let mut draft = draft();
    let class = draft.classes.iter_mut().find(|class| class.code == code).unwrap();
    (class.period, class.trigger) = (period, Trigger::WorkEnded);
    draft
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_in_the_past_is_explained_by_what_was_known_then() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let before_all = archive.clock.now();
    years_pass(&world, 0);
    let opened = schedules::open_schedule(&archive, &who(&archive, ARCHIVIST), draft()).await.unwrap();
    let schedule = schedule_of(&opened);
    let fonds = opened_fonds(&archive, FONDS).await;
    let name = "H49.64.2026.T00";
    let ids = filled(&world, &archive, vec![of_file(name, fonds, about(name, class(schedule, CLASS)))]).await;
    let unit = Unit::File(ids[0]);
    let mut moments = vec![archive.clock.now()];
    let passes = || years_pass(&world, 0);
    // What happens, each a week after what was before: the end of each week is asked afterwards.
    passes();
    approve(&archive, schedule).await;
    moments.push(archive.clock.now());
    passes();
    let asked = holds::HoldAsked {
        authority: "Tòa án nhân dân khu vực 1".into(),
        reason: Reason::Litigation,
        reason_text: "Đang giải quyết vụ án".into(),
        scope: Scope::File { file: ids[0] },
        asked_by: None,
    };
    let placed = holds::place_hold(&archive, &who(&archive, ARCHIVIST), asked, &[]).await.unwrap();
    let Unit::Hold(hold) = placed.unit else { panic!("{placed:?}") };
    moments.push(archive.clock.now());
    passes();
    holds::release_hold(&archive, &who(&archive, SECOND), hold, "Vụ án đã kết thúc").await.unwrap();
    moments.push(archive.clock.now());
    passes();
    schedules::revise_schedule(&archive, &who(&archive, ARCHIVIST), schedule, with(CLASS, Period::Years(20)))
        .await
        .unwrap();
    approve(&archive, schedule).await;
    moments.push(archive.clock.now());
    passes();
    let (described, _) = arrangement::file(&archive, ids[0]).await.unwrap().unwrap();
    let later = About { ended: "2027-01-15".parse().ok(), ..described.about.clone() };
    arrangement::describe_file(&archive, &keeper(), ids[0], later).await.unwrap();
    moments.push(archive.clock.now());
    assert!(due::explain(&archive, unit, Some(before_all)).await.unwrap().is_none(), "there was no such file");
    let held = Obstacle::Held(hold);
    for (moment, (day, version, obstacles)) in moments.iter().zip([
        ("2037-01-01", 1, vec![Obstacle::NotApproved, Obstacle::NotDue]),
        ("2037-01-01", 1, vec![Obstacle::NotDue]),
        ("2037-01-01", 1, vec![held, Obstacle::NotDue]),
        ("2037-01-01", 1, vec![Obstacle::NotDue]),
        ("2047-01-01", 2, vec![Obstacle::NotDue]),
        ("2048-01-01", 2, vec![Obstacle::NotDue]),
    ]) {
        let told = due::explain(&archive, unit, Some(*moment)).await.unwrap().unwrap();
        let term = &told.terms[0];
        assert_eq!((told.due, term.version, told.as_of), (on(day), version, *moment), "{moment}");
        assert_eq!(told.obstacles, obstacles, "{moment}");
        assert_eq!(
            (term.class.as_str(), told.holds.len()),
            (CLASS, usize::from(obstacles.contains(&held))),
            "{moment}"
        );
        let counted = term.counted.as_ref().unwrap();
        assert_eq!(Due::On(counted.over), on(day));
        assert!(!told.lines_vi().is_empty() && !told.lines_en().is_empty());
    }
    let now = due::explain(&archive, unit, None).await.unwrap().unwrap();
    assert_eq!(now.due, due_of(&archive, ids[0]).await);
    archive.close().await.unwrap();
    world.lose_catalog();
    let archive = world.open().await.unwrap();
    for moment in moments {
        assert!(due::explain(&archive, unit, Some(moment)).await.unwrap().is_some(), "{moment}");
    }
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_change_would_move_is_what_it_then_moves() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let schedule = approved_schedule(&archive).await;
    let fonds = opened_fonds(&archive, FONDS).await;
    let (mut files, classes) = (Vec::new(), [FIVE, CLASS, CLASS, TWENTY, PERMANENT]);
    for n in 0..20 {
        let name = format!("H49.64.2026.T{n:02}");
        let ended = format!("{}-05-15", 2017 + n % 10).parse().ok();
        let started = "2016-01-05".parse().ok();
        files.push(of_file(&name, fonds, About { started, ended, ..about(&name, class(schedule, classes[n % 5])) }));
    }
    let ids = filled(&world, &archive, files).await;
    let mut alone = loose(&said("tài liệu rời"));
    alone.class = class(schedule, CLASS);
    let record = deposit(&world, &archive, "rời", vec![(alone, text("Tài liệu rời"))]).await.unwrap()[0];
    let units: Vec<Unit> = ids.iter().map(|id| Unit::File(*id)).chain([Unit::Record(record)]).collect();
    let mut before = BTreeMap::new();
    for unit in &units {
        before.insert(*unit, due_of(&archive, *unit).await);
    }
    let changed = with(CLASS, Period::Years(3));
    let size = archive.ledger.size();
    let told = due::simulate(&archive, schedule, &changed.classes).await.unwrap();
    assert_eq!(archive.ledger.size(), size, "it is a question");
    for unit in &units {
        assert_eq!(due_of(&archive, *unit).await, before[unit], "it is a question");
    }
    // None of the classes: nothing moves.
    let same = due::simulate(&archive, schedule, &Vec::<Class>::new()).await.unwrap();
    assert_eq!((same.totals().moved.records, same.totals().seen.records), (0, 21));
    schedules::revise_schedule(&archive, &who(&archive, ARCHIVIST), schedule, changed).await.unwrap();
    approve(&archive, schedule).await;
    let (mut moved, mut at_once) = (BTreeMap::<(Due, Due), u64>::new(), 0);
    let now = today(&archive);
    for unit in &units {
        let after = due_of(&archive, *unit).await;
        if after != before[unit] {
            *moved.entry((before[unit], after)).or_default() += 1;
            at_once += u64::from(after.is_due(now) && !before[unit].is_due(now));
        }
    }
    assert!(moved.len() > 3 && at_once > 0, "else this shows nothing: {moved:?}");
    let mut foretold = BTreeMap::<(Due, Due), u64>::new();
    for group in told.moves() {
        assert_eq!((group.class_before.as_str(), group.class_after.as_str()), (CLASS, CLASS));
        assert!(group.bytes > 0, "{group:?}");
        *foretold.entry((group.before, group.after)).or_default() += group.records;
    }
    assert_eq!(foretold, moved);
    let totals = told.totals();
    assert_eq!(totals.seen.records, 21);
    let all: u64 = moved.values().sum();
    assert_eq!((totals.moved.records, totals.earlier.records), (all, all));
    assert_eq!((totals.due_at_once.records, totals.later.records, totals.due_no_more.records), (at_once, 0, 0));
    archive.close().await.unwrap();
    world.check().await;
}

/// Everything of a list, page by page.
async fn paged(archive: &Archive, filter: &DueFilter, limit: u32) -> Vec<DueUnit> {
    let (mut all, mut after, mut pages) = (Vec::new(), None::<DueMark>, 0);
    loop {
        let (page, next) = archive.catalog.due_list(filter, after.as_ref(), limit).await.unwrap();
        assert!(page.len() <= limit as usize);
        pages += 1;
        assert!(pages < 100, "it does not end");
        all.extend(page);
        let Some(mark) = next else { return all };
        // As it travels in an address.
        let read: DueMark = mark.to_string().parse().unwrap();
        assert_eq!(read, mark);
        after = Some(read);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_what_is_due_has_pages_and_filters_and_misses_nothing() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let (schedule, other) = (approved_schedule(&archive).await, approved_schedule(&archive).await);
    let (one, two) = (opened_fonds(&archive, FONDS).await, opened_fonds(&archive, "STC").await);
    let (mut files, mut days) = (Vec::new(), Vec::new());
    for n in 0..30usize {
        let (of, by) = (if n % 3 == 0 { two } else { one }, if n % 4 == 0 { other } else { schedule });
        let (code, years) = if n % 2 == 0 { (CLASS, 10) } else { (FIVE, 5) };
        let name = format!("H49.64.2026.T{n:02}");
        // Many of them on the same day, so that a page ends among equals.
        let ended = 2018 + n % 4;
        days.push(format!("{}-01-01", ended + years + 1));
        let (started, last) = ("2016-01-05".parse().ok(), format!("{ended}-06-30").parse().ok());
        files.push(of_file(&name, of, About { started, ended: last, ..about(&name, class(by, code)) }));
    }
    let ids = filled(&world, &archive, files).await;
    let alone = (0..5).map(|n| {
        let metadata = Metadata { class: class(schedule, FIVE), ..loose(&said(&format!("rời {n}"))) };
        (metadata, text(&format!("Tài liệu rời {n}")))
    });
    let records: Vec<RecordId> = deposit(&world, &archive, "rời", alone.collect()).await.unwrap();
    years_pass(&world, 12);
    let until = all_until(today(&archive));
    // What still takes in is on no list, however long ago its work ended.
    assert_eq!(archive.catalog.due_list(&until, None, 1000).await.unwrap().0.len(), records.len());
    for id in &ids {
        arrangement::act(&archive, &keeper(), *id, &FileAct::Close).await.unwrap();
    }
    let whole = archive.catalog.due_list(&until, None, 1000).await.unwrap();
    assert_eq!((whole.0.len(), whole.1), (35, None));
    let units: BTreeSet<Unit> = whole.0.iter().map(|unit| unit.unit).collect();
    let expected: BTreeSet<Unit> =
        ids.iter().map(|id| Unit::File(*id)).chain(records.iter().map(|id| Unit::Record(*id))).collect();
    assert_eq!(units, expected, "each once, and none is missing");
    for limit in [1, 4, 7, 34, 35, 36] {
        assert_eq!(paged(&archive, &until, limit).await, whole.0, "pages of {limit}");
    }
    let dues: Vec<Due> = whole.0.iter().map(|unit| unit.due).collect();
    assert!(dues.is_sorted(), "the longest overdue first: {dues:?}");
    for unit in &whole.0 {
        let day = match unit.unit {
            Unit::File(id) => days[ids.iter().position(|one| *one == id).unwrap()].as_str(),
            _ => "2032-01-01",
        };
        assert!(unit.records == 1 && unit.bytes > 0 && !unit.held && unit.case.is_none(), "{unit:?}");
        assert_eq!(unit.due, on(day), "{unit:?}");
        assert_eq!(Some(unit.due), archive.catalog.due_of(unit.unit).await.unwrap().map(|known| known.due));
    }
    // A day before and the day itself.
    let of = |day: &str| days.iter().filter(|due| due.as_str() <= day).count();
    for (day, loose) in [("2023-12-31", 0), ("2024-01-01", 0), ("2031-12-31", 0), ("2032-01-01", 5)] {
        let listed = paged(&archive, &all_until(day.parse().unwrap()), 10).await;
        assert_eq!(listed.len(), of(day) + loose, "{day}");
    }
    // A hold on one, a case with another.
    let asked = holds::HoldAsked {
        authority: "Thanh tra tỉnh".into(),
        reason: Reason::Inspection,
        reason_text: "Đang thanh tra".into(),
        scope: Scope::File { file: ids[1] },
        asked_by: None,
    };
    holds::place_hold(&archive, &who(&archive, ARCHIVIST), asked, &[]).await.unwrap();
    let case = opened_case(&archive, false).await;
    let (unit, ground) = grounds(&archive, &[Listable::File(ids[2])]).await.remove(0);
    proceed(&archive, case, &[(ARCHIVIST, Act::List { unit, ground })]).await.unwrap();
    let every = |is: &dyn Fn(usize) -> bool| (0..30).filter(|n| is(*n)).count();
    for (told, filter, files, loose) in [
        ("a fonds", DueFilter { fonds: Some("STC".into()), ..until.clone() }, every(&|n| n % 3 == 0), 0),
        ("the other", DueFilter { fonds: Some(FONDS.into()), ..until.clone() }, every(&|n| n % 3 != 0), 5),
        ("a schedule", DueFilter { schedule: Some(other), ..until.clone() }, every(&|n| n % 4 == 0), 0),
        ("a class", DueFilter { class: Some(FIVE.into()), ..until.clone() }, every(&|n| n % 2 == 1), 5),
        ("files", DueFilter { kind: Some(unit::Kind::File), ..until.clone() }, 30, 0),
        ("records", DueFilter { kind: Some(unit::Kind::Record), ..until.clone() }, 0, 5),
        ("held", DueFilter { held: Some(true), ..until.clone() }, 1, 0),
        ("not held", DueFilter { held: Some(false), ..until.clone() }, 29, 5),
        ("considered", DueFilter { considered: Some(true), ..until.clone() }, 1, 0),
        ("not considered", DueFilter { considered: Some(false), ..until.clone() }, 29, 5),
        (
            "all at once",
            DueFilter {
                fonds: Some("STC".into()),
                schedule: Some(schedule),
                class: Some(FIVE.into()),
                kind: Some(unit::Kind::File),
                held: Some(false),
                considered: Some(false),
                ..until.clone()
            },
            every(&|n| n % 3 == 0 && n % 4 != 0 && n % 2 == 1),
            0,
        ),
        ("nothing", DueFilter { fonds: Some("KHÔNG".into()), ..until.clone() }, 0, 0),
    ] {
        let listed = paged(&archive, &filter, 3).await;
        let of_files = listed.iter().filter(|one| matches!(one.unit, Unit::File(_))).count();
        assert_eq!((of_files, listed.len() - of_files), (files, loose), "{told}");
        let once: BTreeSet<Unit> = listed.iter().map(|one| one.unit).collect();
        assert_eq!(once.len(), listed.len(), "{told}: twice");
    }
    let held = archive.catalog.due_of(Unit::File(ids[1])).await.unwrap().unwrap();
    let considered = archive.catalog.due_of(Unit::File(ids[2])).await.unwrap().unwrap();
    assert_eq!((held.held, held.case, considered.held, considered.case), (true, None, false, Some(case)));
    assert_eq!(archive.catalog.cases_of(Unit::File(ids[2])).await.unwrap(), [case]);
    // A mark of nowhere is none.
    for wrong in ["", "20250101", "x.y", "20250101.", "20250101.1 OR 1=1"] {
        assert!(wrong.parse::<DueMark>().is_err(), "{wrong}");
    }
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forecast_counts_everything_once() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let schedule = approved_schedule(&archive).await;
    let fonds = opened_fonds(&archive, FONDS).await;
    let mut files = Vec::new();
    for (n, code) in [FIVE, FIVE, CLASS, PERMANENT, IN_FORCE].into_iter().enumerate() {
        let name = format!("H49.64.2026.T{n:02}");
        files.push(of_file(&name, fonds, about(&name, class(schedule, code))));
    }
    filled(&world, &archive, files).await;
    let alone = Metadata { class: class(schedule, FIVE), ..loose(&said("rời")) };
    deposit(&world, &archive, "rời", vec![(alone, text("Tài liệu rời"))]).await.unwrap();
    let told = due::forecast(&archive).await.unwrap();
    let count = |year: Option<i16>, due: &str, code: &str| -> u64 {
        let of = |one: &&vankho::catalog::retention::Falling| {
            one.year == year && one.due == due && one.class.as_deref() == Some(code)
        };
        told.iter().filter(of).map(|one| one.records).sum()
    };
    assert_eq!(count(Some(2032), "on", FIVE), 3);
    assert_eq!(count(Some(2037), "on", CLASS), 1);
    assert_eq!(count(None, "never", PERMANENT), 1);
    assert_eq!(count(None, "waiting", IN_FORCE), 1);
    assert_eq!(told.iter().map(|one| one.records).sum::<u64>(), 6, "{told:?}");
    assert!(told.iter().all(|one| one.bytes > 0 && one.fonds.as_deref() == Some(FONDS)), "{told:?}");
    archive.close().await.unwrap();
    world.check().await;
}
