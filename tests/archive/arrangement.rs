//! Fonds and files: opened, filled, closed, given back, taken; and what is built anew says the same.

use crate::world::{World, row};
use std::process::{Command, Stdio};
use vankho::{
    archive::Archive,
    arrangement::{self, Arranged, ArrangementError},
    record::{
        actor::Role,
        arranging::Refusal,
        file::About,
        file_state::{FileAct, FileState, Who},
        flaw,
        fonds::{self, Closed},
        id::{ActorId, FileId, FondsId},
        unit::Unit,
    },
    verify::receipt::verify_receipt,
};

fn who(n: u8, role: Role) -> Who {
    Who { id: ActorId::new(0, [n; 10]), role }
}

fn of_snv() -> fonds::About {
    fonds::About {
        code: "SNV".into(),
        name: "Phông Sở Nội vụ".into(),
        kind: fonds::Kind::Fonds,
        creator: "SNV".parse().unwrap(),
        custodians: vec![],
        history: None,
        started: "2016".parse().ok(),
        ended: None,
        groups: vec![],
        languages: vec!["01".into()],
        security_copy: None,
        note: None,
        closed: None,
    }
}

fn about(code: &str) -> About {
    About {
        code: Some(code.into()),
        title: "Hồ sơ công bố thủ tục hành chính năm 2026".into(),
        retention_code: Some("06".into()),
        languages: vec!["01".into()],
        started: "2026-01-05".parse().ok(),
        ended: "2026-11-20".parse().ok(),
        maker: Some("Nguyễn Thị Lan".into()),
        ..About::default()
    }
}

fn fonds_of(arranged: &Arranged) -> FondsId {
    let Unit::Fonds(id) = arranged.unit else { panic!("{arranged:?}") };
    id
}

fn file_of(arranged: &Arranged) -> FileId {
    let Unit::File(id) = arranged.unit else { panic!("{arranged:?}") };
    id
}

fn refused<T: std::fmt::Debug>(done: Result<T, ArrangementError>) -> Refusal {
    match done {
        Err(ArrangementError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn state(archive: &Archive, file: FileId) -> FileState {
    archive.catalog.file(file).await.unwrap().unwrap().state
}

const CODE: &str = "H49.64.2026.TTHC01";

#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_a_file() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let (maker, keeper) = (who(1, Role::Depositor), who(2, Role::Archivist));
    assert_eq!(refused(arrangement::open_fonds(&archive, &maker, of_snv(), None).await), Refusal::NotYourRole);
    let fonds = fonds_of(&arrangement::open_fonds(&archive, &keeper, of_snv(), None).await.unwrap());
    let again = arrangement::open_fonds(&archive, &keeper, of_snv(), None).await;
    assert!(matches!(again, Err(ArrangementError::Flawed(_))), "the code is taken: {again:?}");
    let file = file_of(&arrangement::open_file(&archive, &maker, fonds, about(CODE)).await.unwrap());
    let again = arrangement::open_file(&archive, &maker, fonds, about(CODE)).await;
    assert!(matches!(again, Err(ArrangementError::Flawed(_))), "the code is taken: {again:?}");
    // Nothing is in it.
    let Err(ArrangementError::Flawed(flaws)) = arrangement::act(&archive, &maker, file, &FileAct::Close).await else {
        panic!("an empty file was closed");
    };
    assert!(flaws.iter().any(|flaw| flaw.code == flaw::Code::NothingInside), "{flaws:?}");
    let rows: String = ["một", "hai"]
        .iter()
        .zip(1..)
        .map(|(name, n)| {
            let more = format!(
                r#""text":"Quyết định {name}","file":"{CODE}","fonds":"SNV","file_ordinal":{n},"pages":2,"issued":"2026-03-0{n}""#
            );
            row(name, &format!("Quyết định {name}"), &more)
        })
        .collect();
    world.ingest_all(&archive, &world.file("m.jsonl", rows)).await;
    let closed = arrangement::act(&archive, &maker, file, &FileAct::Close).await.unwrap();
    assert!(closed.flaws.iter().all(|flaw| flaw.severity == vankho::record::finding::Severity::Warning), "{closed:?}");
    let (described, _) = arrangement::file(&archive, file).await.unwrap().unwrap();
    assert_eq!(
        (described.state, described.about.records, described.about.pages),
        (FileState::Closed, Some(2), Some(4))
    );
    assert_eq!(refused(arrangement::act(&archive, &keeper, file, &FileAct::Close).await), Refusal::NotNow);
    let nobody = FileAct::Accept { submitted_by: keeper.id };
    assert_eq!(refused(arrangement::act(&archive, &keeper, file, &nobody).await), Refusal::NotNow);
    arrangement::act(&archive, &maker, file, &FileAct::Submit).await.unwrap();
    let reasons = ["Thiếu trang 2".to_owned()];
    arrangement::act(&archive, &keeper, file, &FileAct::Return { reasons: &reasons }).await.unwrap();
    assert_eq!(state(&archive, file).await, FileState::Returned);
    // An archivist who hands it over does not take it as well.
    arrangement::act(&archive, &keeper, file, &FileAct::Submit).await.unwrap();
    assert_eq!(refused(arrangement::act(&archive, &keeper, file, &nobody).await), Refusal::SamePerson);
    arrangement::act(&archive, &who(3, Role::Archivist), file, &nobody).await.unwrap();
    assert_eq!(state(&archive, file).await, FileState::Accepted);
    let reopen = FileAct::Reopen { reason: "Bổ sung văn bản đến sau" };
    assert_eq!(refused(arrangement::act(&archive, &maker, file, &reopen).await), Refusal::NotYourRole);
    arrangement::act(&archive, &keeper, file, &reopen).await.unwrap();
    let names: Vec<String> = archive.catalog.life(file).await.unwrap().into_iter().map(|one| one.event).collect();
    let told = ["opened", "closed", "described", "described", "described", "described", "reopened"];
    assert_eq!(names, told);
    let inside = arrangement::inside(&archive, &about(CODE)).await.unwrap();
    assert_eq!(inside.len(), 2);
    // What lies there is what a catalog that is built anew knows.
    let (fonds_known, files_known) =
        (archive.catalog.fonds().await.unwrap(), archive.catalog.files(fonds, "", 10).await.unwrap());
    archive.close().await.unwrap();
    world.lose_catalog();
    let archive = world.open().await.unwrap();
    assert_eq!(archive.catalog.fonds().await.unwrap(), fonds_known);
    assert_eq!(archive.catalog.files(fonds, "", 10).await.unwrap(), files_known);
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_fonds_takes_what_is_of_its_time() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let keeper = who(2, Role::Archivist);
    let fonds = fonds_of(&arrangement::open_fonds(&archive, &keeper, of_snv(), None).await.unwrap());
    let closed = |reason: &str| Closed { on: "2025-06-30".parse().unwrap(), reason: reason.into() };
    assert_eq!(refused(arrangement::close_fonds(&archive, &keeper, fonds, closed(" ")).await), Refusal::NoReason);
    arrangement::close_fonds(&archive, &keeper, fonds, closed("Cơ quan kết thúc hoạt động")).await.unwrap();
    let twice = arrangement::close_fonds(&archive, &keeper, fonds, closed("Cơ quan kết thúc hoạt động")).await;
    assert_eq!(refused(twice), Refusal::NotNow);
    let late = arrangement::open_file(&archive, &keeper, fonds, about(CODE)).await;
    assert_eq!(refused(late), Refusal::FondsClosed);
    let before = About { started: "2024".parse().ok(), ended: "2025-03".parse().ok(), ..about("H49.64.2024.01") };
    arrangement::open_file(&archive, &keeper, fonds, before).await.unwrap();
    archive.close().await.unwrap();
    world.check().await;
}

/// Two who describe one file at once: the second hears that it was changed.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_describes_what_somebody_else_has_changed_meanwhile() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let keeper = who(2, Role::Archivist);
    let fonds = fonds_of(&arrangement::open_fonds(&archive, &keeper, of_snv(), None).await.unwrap());
    let file = file_of(&arrangement::open_file(&archive, &keeper, fonds, about(CODE)).await.unwrap());
    let describe = |title: &str| {
        let about = About { title: title.into(), ..about(CODE) };
        arrangement::describe_file(&archive, &keeper, file, about)
    };
    let (one, two) = tokio::join!(describe("Hồ sơ thứ nhất"), describe("Hồ sơ thứ hai"));
    let outcomes = [one.is_ok(), two.is_ok()];
    assert!(outcomes.contains(&true), "{one:?} {two:?}");
    let life = archive.catalog.life(file).await.unwrap();
    assert_eq!(life.len(), 1 + outcomes.iter().filter(|done| **done).count());
    archive.close().await.unwrap();
    world.check().await;
}

/// A receipt of what happened to a file, by an outsider: the description stands for the file.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_proved_as_a_record_is() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let keeper = who(2, Role::Archivist);
    let fonds = fonds_of(&arrangement::open_fonds(&archive, &keeper, of_snv(), None).await.unwrap());
    let opened = arrangement::open_file(&archive, &keeper, fonds, about(CODE)).await.unwrap();
    archive.publish().await.unwrap();
    let receipt = archive.ledger.prove(opened.entry).await.unwrap().encode();
    let (_, digest) = arrangement::file(&archive, file_of(&opened)).await.unwrap().unwrap();
    let path = vankho::store::layout::description(opened.unit, digest);
    let description = archive.store.read(&path).await.unwrap();
    let keys = archive.store.read(vankho::store::layout::KEYS).await.unwrap();
    let verdict = verify_receipt(receipt.as_bytes(), &keys, Some(&description), Some(digest));
    assert_eq!(verdict.outcome, vankho::verify::Outcome::Holds, "{}", verdict.english);
    assert!(verdict.english.contains("in file ") && verdict.vietnamese.contains("của hồ sơ "), "{verdict:?}");
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_command_line() {
    let world = World::on_disk().await;
    let vankho = |arguments: &[&str]| {
        let mut command = Command::new(crate::world::PROGRAM);
        command.args(["--language", "en", "--data"]).arg(world.data.path()).args(arguments);
        let output = command.stdin(Stdio::null()).env_remove("VANKHO_CONFIG").output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code().unwrap(), said)
    };
    let fonds = ["fonds", "open", "SNV", "--name", "Phông Sở Nội vụ", "--creator", "SNV", "--language", "01"];
    let open = [
        "file",
        "open",
        CODE,
        "--fonds",
        "SNV",
        "--title",
        "Hồ sơ công bố thủ tục",
        "--started",
        "05/01/2026",
        "--ended",
        "20/11/2026",
        "--retention",
        "10 năm",
        "--maker",
        "Nguyễn Thị Lan",
    ];
    assert_eq!(vankho(&open).0, 3, "there is no such fonds yet");
    for (arguments, code, said) in [
        (&fonds[..], 0, "entry 1"),
        (&fonds[..], 1, "the code is used already"),
        (&open[..], 0, "entry 2"),
        (&["fonds", "list"][..], 0, "SNV\tPhông Sở Nội vụ"),
        (&["file", "list", "SNV"][..], 0, "open"),
        (&["file", "close", CODE][..], 1, "nothing is in the file"),
        (&["file", "reopen", CODE, "--reason", "x"][..], 1, "the present state does not allow this"),
        (&["file", "show", CODE][..], 0, "Hồ sơ công bố thủ tục"),
        (&["file", "show", "H1.2026.1"][..], 3, "no file has the code"),
        (&["fonds", "close", "SNV", "--on", "hôm nay", "--reason", "x"][..], 3, "a date is written"),
        (&["fonds", "close", "SNV", "--on", "30/6/2025", "--reason", "kết thúc hoạt động"][..], 0, "entry 3"),
        (&["verify", "archive"][..], 0, ""),
    ] {
        let told = vankho(arguments);
        assert!(told.0 == code && told.1.contains(said), "{arguments:?}: {told:?}");
    }
    world.check().await;
}
