//! The two ways round the council: a wrong deposit that two people withdraw, and a state secret that two people expel.

use crate::{
    disposing::{
        ARCHIVIST, CLASS, Canaries, HEAD, MEMBERS, SECOND, Settled, actor, class, component_names, deposit, ends,
        entries, forget, loose, refused, settled, who, years_pass,
    },
    scan::{self, Needle},
    world::{World, folder},
};
use std::path::Path;
use vankho::{
    access,
    archive::Archive,
    backup,
    disposition::{DispositionError, Who, execution, holds, secrets},
    index::query::Query,
    record::{
        access::Reader,
        disposition::{
            basis::Basis,
            certificate::Remains,
            refusal::Refusal,
            withdrawal::{Asked, Mistake},
        },
        entry::{Event, Instant},
        finding::Code,
        hold::{HoldRefusal, Reason, Scope},
        id::RecordId,
        metadata::Metadata,
        package::Source,
        secrecy::{Level, Secrecy, SecrecyRefusal, Suspect},
    },
};

/// A settled archive, and one record more that should not be there.
async fn with_one(config: impl FnOnce(&mut World)) -> (World, Archive, Settled, RecordId, Canaries) {
    let mut world = World::replicated(2).await;
    config(&mut world);
    let archive = world.open().await.unwrap();
    let settled = settled(&world, &archive).await;
    let planted = Canaries::new();
    let metadata = Metadata { class: class(settled.schedule, CLASS), ..loose(&planted.metadata()) };
    let given = vec![(metadata, planted.components(&world))];
    let record = deposit(&world, &archive, "nhầm", given).await.unwrap()[0];
    world.characterize(&archive).await.unwrap();
    archive.store.replicas().settle().await;
    archive.settle().await.unwrap();
    (world, archive, settled, record, planted)
}

async fn needles(archive: &Archive, record: RecordId, planted: &Canaries) -> Vec<Needle> {
    let mut needles: Vec<Needle> = vec![("title".into(), planted.title.clone().into_bytes())];
    needles.extend(planted.needles().into_iter().map(|(name, bytes)| (name.to_owned(), bytes)));
    let names = component_names(archive, record).await;
    needles.extend(names.into_iter().map(|name| ("component's digest".to_owned(), name.into_bytes())));
    needles
}

/// Nothing is left, of the title neither: no stub tells anything of these.
fn gone(root: &Path, needles: &[Needle]) {
    let left = scan::found(root, needles, |_, _| false);
    assert!(left.is_empty(), "there is still: {left:?}");
}

async fn hits(archive: &Archive, planted: &Canaries) -> u64 {
    archive.settle().await.unwrap();
    let mut total = 0;
    for word in [&planted.title, &planted.text, &planted.keyword, &planted.note] {
        let mut query = Query::new(word, Reader::Cleared);
        query.facets = true;
        let page = access::search(archive, query, true).await.unwrap();
        total += page.total + page.found.len() as u64;
    }
    total
}

async fn can_be_read(archive: &Archive, record: RecordId) -> bool {
    let readers = [Reader::Archivist, Reader::Cleared, Reader::Official { agency: "Sở Nội vụ".into() }];
    let mut open = false;
    for reader in readers {
        open |= access::open(archive, &reader, record).await.unwrap().is_some();
    }
    open
}

fn mistake(archive: &Archive, record: RecordId, by: u8) -> Asked {
    let reason = "Tài liệu của Sở Tài chính, nộp nhầm kho".to_owned();
    Asked { record, mistake: Mistake::WrongPlace, reason, by: actor(by), at: archive.clock.now() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_deposit_is_withdrawn_by_two_people_and_nothing_of_it_is_told() {
    let (world, archive, settled, record, planted) = with_one(|_| {}).await;
    let needles = needles(&archive, record, &planted).await;
    let asked = mistake(&archive, record, ARCHIVIST);
    let second = who(&archive, SECOND);
    let stale = Instant::from_micros(archive.clock.now().micros() - 600_000_000);
    for (who, asked, expected) in [
        (who(&archive, ARCHIVIST), asked.clone(), Refusal::SamePerson),
        (who(&archive, MEMBERS[0]), asked.clone(), Refusal::NotYours),
        (Who { authenticated: None, ..second }, asked.clone(), Refusal::NotFresh),
        (Who { authenticated: Some(stale), ..second }, asked.clone(), Refusal::NotFresh),
        (second, Asked { reason: " ".into(), ..asked.clone() }, Refusal::NoReason),
    ] {
        assert_eq!(refused(execution::withdraw(&archive, &who, &asked).await), expected, "{who:?}");
    }
    // A hold stops it, as it stops everything.
    let scope = Scope::Record { record };
    let hold = holds::HoldAsked {
        authority: "Thanh tra tỉnh".into(),
        reason: Reason::Inspection,
        reason_text: "Đang thanh tra".into(),
        scope,
        asked_by: None,
    };
    let placed = holds::place_hold(&archive, &who(&archive, ARCHIVIST), hold, &[]).await.unwrap();
    assert_eq!(refused(execution::withdraw(&archive, &second, &asked).await), Refusal::OnHold);
    let vankho::record::unit::Unit::Hold(hold) = placed.unit else { panic!("{placed:?}") };
    holds::release_hold(&archive, &second, hold, "Kết thúc thanh tra").await.unwrap();
    execution::withdraw(&archive, &second, &asked).await.unwrap();
    execution::resume(&archive).await.unwrap();
    gone(world.data.path(), &needles);
    assert_eq!(hits(&archive, &planted).await, 0);
    assert!(!can_be_read(&archive, record).await);
    let told = entries(&archive).await;
    assert_eq!(ends(&told, record), (1, 1));
    let order = told.iter().find(|entry| entry.event.ends() == Some(record)).unwrap();
    let Event::DestructionOrdered { case: None, asked_by: Some(by), .. } = order.event else { panic!("{order:?}") };
    assert_eq!((by, order.by), (actor(ARCHIVIST), actor(SECOND)));
    let stub = execution::stub(&archive, record).await.unwrap().unwrap();
    assert_eq!(stub.identity, None, "it was never the archive's to know");
    let certificate = execution::certificate(&archive, record).await.unwrap().unwrap();
    assert_eq!(certificate.check(&[1, 2, 3]), Ok(()));
    assert!(matches!(certificate.basis, Basis::Withdrawal { asked_by, confirmed_by, .. }
        if asked_by == actor(ARCHIVIST) && confirmed_by == actor(SECOND)));
    assert!(certificate.review.is_none() && certificate.decision.is_none());
    // What was deposited long ago is no wrong deposit any more.
    years_pass(&world, 0);
    years_pass(&world, 1);
    let late = mistake(&archive, settled.loose, ARCHIVIST);
    let second = who(&archive, SECOND);
    assert_eq!(refused(execution::withdraw(&archive, &second, &late).await), Refusal::WithdrawalTooLate);
    archive.close().await.unwrap();
    forget(&world, &[record]);
    world.check().await;
}

fn secrecy<T: std::fmt::Debug>(done: Result<T, DispositionError>) -> SecrecyRefusal {
    match done {
        Err(DispositionError::Secrecy(refusal)) => refusal,
        other => panic!("it is not refused by the rules of secrecy: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secrecy_mark_hides_a_record_from_the_first_suspicion_and_shows_it_again_when_refuted() {
    let (world, archive, _, record, planted) = with_one(|_| {}).await;
    assert!(hits(&archive, &planted).await > 0 && can_be_read(&archive, record).await);
    let all = archive.index.search(&Query::new("", Reader::Cleared)).unwrap().total;
    secrets::suspect(&archive, &who(&archive, ARCHIVIST), record, Level::Secret).await.unwrap();
    assert_eq!(hits(&archive, &planted).await, 0, "it is found no more");
    assert!(!can_be_read(&archive, record).await);
    assert_eq!(archive.index.search(&Query::new("", Reader::Cleared)).unwrap().total, all - 1);
    // It is not known by another name either, and a catalog that is built anew hides it as well.
    assert!(access::named(&archive, &Reader::Cleared, &planted.external_id).await.unwrap().is_empty());
    archive.close().await.unwrap();
    world.lose_catalog();
    let archive = world.open().await.unwrap();
    assert_eq!(hits(&archive, &planted).await, 0);
    assert!(!can_be_read(&archive, record).await);
    let expelled = secrets::expel(&archive, &who(&archive, SECOND), record).await;
    assert_eq!(secrecy(expelled), SecrecyRefusal::NotConfirmed);
    let without = secrets::refute(&archive, &who(&archive, SECOND), record, " ").await;
    assert_eq!(secrecy(without), SecrecyRefusal::NoReason);
    secrets::refute(&archive, &who(&archive, SECOND), record, "Quyết định giải mật số 3").await.unwrap();
    assert!(hits(&archive, &planted).await > 0 && can_be_read(&archive, record).await, "it is found again");
    assert_eq!(archive.index.search(&Query::new("", Reader::Cleared)).unwrap().total, all);
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_secret_is_expelled_by_two_people_and_the_backups_that_hold_it_are_listed() {
    let disk = folder();
    let to = disk.path().join("sao lưu");
    let set = |world: &mut World| world.config.backup.to = to.display().to_string();
    let (world, archive, settled, record, planted) = with_one(set).await;
    backup::of(&archive).await.unwrap();
    let needles = needles(&archive, record, &planted).await;
    secrets::suspect(&archive, &who(&archive, ARCHIVIST), record, Level::Higher).await.unwrap();
    let early = secrets::expel(&archive, &who(&archive, SECOND), record).await;
    assert_eq!(secrecy(early), SecrecyRefusal::NotConfirmed);
    let official = secrets::confirm(&archive, &who(&archive, MEMBERS[0]), record, Level::Higher).await;
    assert_eq!(secrecy(official), SecrecyRefusal::NotYours);
    secrets::confirm(&archive, &who(&archive, ARCHIVIST), record, Level::Higher).await.unwrap();
    assert!(!can_be_read(&archive, record).await);
    for (who, expected) in [
        (who(&archive, ARCHIVIST), SecrecyRefusal::SamePerson),
        (Who { authenticated: None, ..who(&archive, HEAD) }, SecrecyRefusal::NotFresh),
        (who(&archive, MEMBERS[0]), SecrecyRefusal::NotYours),
    ] {
        assert_eq!(secrecy(secrets::expel(&archive, &who, record).await), expected, "{who:?}");
    }
    // No hold stops it.
    let asked = holds::HoldAsked {
        authority: "Tòa án nhân dân khu vực 1".into(),
        reason: Reason::Litigation,
        reason_text: "Đang giải quyết vụ án".into(),
        scope: Scope::Fonds { fonds: settled.fonds },
        asked_by: None,
    };
    let placed = holds::place_hold(&archive, &who(&archive, ARCHIVIST), asked, &[]).await.unwrap();
    secrets::expel(&archive, &who(&archive, HEAD), record).await.unwrap();
    let on_it = holds::HoldAsked {
        authority: "Tòa án nhân dân khu vực 1".into(),
        reason: Reason::Litigation,
        reason_text: "Đang giải quyết vụ án".into(),
        scope: Scope::Record { record },
        asked_by: None,
    };
    let late = holds::place_hold(&archive, &who(&archive, ARCHIVIST), on_it, &[]).await;
    assert!(matches!(late, Err(DispositionError::Held(HoldRefusal::TooLate))), "{late:?}");
    execution::resume(&archive).await.unwrap();
    gone(world.data.path(), &needles);
    assert_eq!(hits(&archive, &planted).await, 0);
    let told = entries(&archive).await;
    assert_eq!(ends(&told, record), (1, 1));
    let order = told.iter().find(|entry| entry.event.ends() == Some(record)).unwrap();
    let Event::ExpulsionOrdered { confirmed_by, .. } = order.event else { panic!("{order:?}") };
    assert_eq!((confirmed_by, order.by), (actor(ARCHIVIST), actor(HEAD)));
    assert!(told.iter().any(|entry| matches!(entry.event, Event::Expelled { record: one, .. } if one == record)));
    let ended = archive.catalog.ended(record).await.unwrap().unwrap();
    assert!(ended.expelled && ended.case.is_none());
    let stub = execution::stub(&archive, record).await.unwrap().unwrap();
    assert_eq!(stub.identity, None, "its title may be a secret itself");
    let certificate = execution::certificate(&archive, record).await.unwrap().unwrap();
    assert_eq!(certificate.check(&[1, 2, 3]), Ok(()));
    assert_eq!(certificate.holds.in_force, 1, "the hold is told all the same");
    // The backup still has it, and whoever keeps it is told by its name.
    assert!(!scan::found(&to, &needles, |_, _| false).is_empty());
    let backups: Vec<_> = certificate.windows.iter().filter(|window| window.of == Remains::Backup).collect();
    assert!(!backups.is_empty() && backups.iter().all(|window| window.name.is_some()), "{:?}", certificate.windows);
    let vankho::record::unit::Unit::Hold(hold) = placed.unit else { panic!("{placed:?}") };
    let known = archive.catalog.hold(hold).await.unwrap().unwrap();
    assert!(known.released.is_none(), "it goes on for the rest of the fonds");
    archive.close().await.unwrap();
    forget(&world, &[record]);
    world.check().await;
}

/// A mark in a text that came as text is seen when it arrives, whichever way it came; what speaks of secrets is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_in_what_is_handed_in_hides_the_record_until_a_person_has_looked() {
    let mut world = World::on_disk().await;
    // What is larger is staged as it streams by.
    world.config.ingest.held_bytes_max = 4096;
    let archive = world.open().await.unwrap();
    let settled = settled(&world, &archive).await;
    let text =
        |mark: &str, planted: &Canaries| format!("ỦY BAN NHÂN DÂN\r\n\r\n{mark}\r\n\r\nVề việc {}\r\n", planted.text);
    let rows: [(&str, Option<Level>, bool, usize); 6] = [
        ("TỐI MẬT", Some(Level::Higher), true, 0),
        ("TỐI MẬT", Some(Level::Higher), false, 0),
        ("M Ậ T", Some(Level::Secret), true, 300_000),
        ("V/v bảo vệ bí mật nhà nước", None, true, 0),
        ("QUY CHẾ BẢO MẬT", None, false, 0),
        ("ĐÃ GIẢI MẬT", None, true, 300_000),
    ];
    for (n, (mark, level, named, more)) in rows.into_iter().enumerate() {
        let planted = Canaries::new();
        let text = format!("{}{}", text(mark, &planted), "dòng văn bản\n".repeat(more / 16));
        let file = world.file(&format!("given/dấu-{n}.txt"), &text);
        let source = match named {
            true => Source::File { path: file, name: format!("dấu-{n}.txt"), expected: None },
            false => Source::Text { text },
        };
        let metadata = Metadata { class: class(settled.schedule, CLASS), ..loose(&planted.metadata()) };
        let record = deposit(&world, &archive, &format!("dấu {n}"), vec![(metadata, vec![source])]).await.unwrap()[0];
        world.characterize(&archive).await.unwrap();
        let described = archive.description(record).await.unwrap().unwrap().description;
        let suspected = level.map(|level| Secrecy::Suspected { level, by: Suspect::Program });
        assert_eq!(described.secrecy, suspected, "{mark}");
        assert_eq!(described.findings.iter().any(|one| one.code == Code::SecrecyMark), level.is_some(), "{mark}");
        assert_eq!(can_be_read(&archive, record).await, level.is_none(), "{mark}");
        assert_eq!(hits(&archive, &planted).await == 0, level.is_some(), "{mark}");
        if level.is_some() {
            secrets::refute(&archive, &who(&archive, SECOND), record, "Không phải dấu độ mật").await.unwrap();
            assert!(hits(&archive, &planted).await > 0, "{mark}");
            assert!(can_be_read(&archive, record).await, "{mark}");
        }
    }
    archive.close().await.unwrap();
    world.check().await;
}
