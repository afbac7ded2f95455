//! Lists of files, backlog work and the register of agencies: kept as units, carried out once, and what is built anew says
//! the same.

use crate::world::{World, row};
use std::process::{Command, Stdio};
use vankho::{
    access::{self, ask},
    archive::Archive,
    arrangement::{self, Arranged, ArrangementError, PlanDraft, Work},
    record::{
        access::Reader,
        actor::Role,
        agencies::{
            Draft,
            custody::{Because, Share},
        },
        arranging::Refusal,
        backlog::{BacklogState, Rejected},
        date::PartialDate,
        file::About,
        file_state::Who,
        flaw,
        fonds::{self, Closed},
        id::{ActorId, BacklogId, FondsId, PlanId, RecordId},
        overdue::Limits,
        plan::{Heading, Planned},
        unit::Unit,
    },
};

const SAMPLE: &str = include_str!("../../deploy/sample/agencies.json");

fn who(n: u8, role: Role) -> Who {
    Who { id: ActorId::new(0, [n; 10]), role }
}

fn keeper() -> Who {
    who(2, Role::Archivist)
}

fn head() -> Who {
    who(9, Role::Head)
}

fn day(text: &str) -> PartialDate {
    text.parse().unwrap()
}

fn of(creator: &str) -> fonds::About {
    fonds::About {
        code: creator.into(),
        name: format!("Phông {creator}"),
        kind: fonds::Kind::Fonds,
        creator: creator.parse().unwrap(),
        custodians: vec![],
        history: None,
        started: None,
        ended: None,
        groups: vec![],
        languages: vec!["01".into()],
        security_copy: None,
        note: None,
        closed: None,
    }
}

async fn fonds_of(archive: &Archive, creator: &str) -> FondsId {
    let opened = arrangement::open_fonds(archive, &keeper(), of(creator), None).await.unwrap();
    let Unit::Fonds(id) = opened.unit else { panic!("{opened:?}") };
    id
}

fn plan_of(arranged: &Arranged) -> PlanId {
    let Unit::Plan(id) = arranged.unit else { panic!("{arranged:?}") };
    id
}

fn backlog_of(arranged: &Arranged) -> BacklogId {
    let Unit::Backlog(id) = arranged.unit else { panic!("{arranged:?}") };
    id
}

fn refused<T: std::fmt::Debug>(done: Result<T, ArrangementError>) -> Refusal {
    match done {
        Err(ArrangementError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn flaws<T: std::fmt::Debug>(done: Result<T, ArrangementError>) -> Vec<flaw::Code> {
    match done {
        Err(ArrangementError::Flawed(flaws)) => flaws.into_iter().map(|flaw| flaw.code).collect(),
        other => panic!("{other:?}"),
    }
}

fn planned(code: &str, title: &str) -> Planned {
    Planned {
        code: code.into(),
        title: title.into(),
        heading: Some("VTLT".into()),
        retention_code: Some("05".into()),
        maker: Some("Quách Thị Mai".into()),
        unit: Some("Văn phòng".into()),
        ..Planned::default()
    }
}

fn draft(fonds: FondsId) -> PlanDraft {
    PlanDraft {
        fonds,
        year: 2025,
        agency: "SNV-LH".parse().unwrap(),
        headings: vec![Heading { code: "VTLT".into(), title: "Văn thư, lưu trữ".into(), parent: None }],
        files: vec![
            planned("2025.VTLT.01", "Danh mục hồ sơ năm 2025"),
            planned("2025.VTLT.02", "Hồ sơ tập huấn năm 2025"),
        ],
    }
}

/// The archive holds, also by the verifier that lies in it.
async fn holds(world: &World) {
    world.check().await;
    let place = world.archive_folder();
    let output = Command::new("python3").arg(place.join("verify.py")).arg("archive").arg(&place).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_copied_issued_and_opened_once() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let fonds = fonds_of(&archive, "SNV-LH").await;
    let last = plan_of(&arrangement::open_plan(&archive, &keeper(), draft(fonds)).await.unwrap());
    let twice = arrangement::open_plan(&archive, &keeper(), draft(fonds)).await;
    assert_eq!(refused(twice), Refusal::AlreadyThere, "one list for a fonds and a year");
    let official = arrangement::copy_plan(&archive, &who(3, Role::Official), last, 2026).await;
    assert_eq!(refused(official), Refusal::NotYourRole);
    let id = plan_of(&arrangement::copy_plan(&archive, &keeper(), last, 2026).await.unwrap());
    assert_eq!(refused(arrangement::open_planned(&archive, &keeper(), id).await), Refusal::NotNow, "not issued");
    let on = day("2026-01-09");
    let approve = |who: Who, decision: &'static str, on| {
        let archive = &archive;
        async move { arrangement::approve_plan(archive, &who, id, decision, on).await }
    };
    assert_eq!(refused(approve(keeper(), "12/QĐ-SNV", on).await), Refusal::NotYourRole);
    assert_eq!(refused(approve(head(), " ", on).await), Refusal::NoDecision);
    assert_eq!(refused(approve(head(), "12/QĐ-SNV", day("2099-01-09")).await), Refusal::NoDecision);
    approve(head(), "12/QĐ-SNV", on).await.unwrap();
    assert_eq!(refused(approve(head(), "13/QĐ-SNV", on).await), Refusal::NotNow);
    // Two who ask at once.
    let (maker, other) = (keeper(), who(4, Role::RecordsClerk));
    let (one, two) =
        tokio::join!(arrangement::open_planned(&archive, &maker, id), arrangement::open_planned(&archive, &other, id));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.opened.len() + two.opened.len(), 2, "{one:?} {two:?}");
    let again = arrangement::open_planned(&archive, &keeper(), id).await.unwrap();
    assert_eq!((again.opened.len(), again.there.len(), again.left.len()), (0, 2, 0));
    let files = archive.catalog.files(fonds, "", 10).await.unwrap();
    let told: Vec<_> = files.iter().map(|file| (file.code.as_deref().unwrap(), file.title.as_str())).collect();
    let expected = [("2026.VTLT.01", "Danh mục hồ sơ năm 2026"), ("2026.VTLT.02", "Hồ sơ tập huấn năm 2026")];
    assert_eq!(told, expected);
    assert_eq!(files[0].maker.as_deref(), Some("Quách Thị Mai"));
    // A file that nobody foresaw comes under the list: it is a draft until it is issued again.
    let (issued, _) = arrangement::plan(&archive, id).await.unwrap().unwrap();
    let mut more = issued.files.clone();
    more.push(planned("2026.VTLT.03", "Hồ sơ đột xuất năm 2026"));
    arrangement::describe_plan(&archive, &keeper(), id, issued.headings.clone(), more).await.unwrap();
    assert_eq!(refused(arrangement::open_planned(&archive, &keeper(), id).await), Refusal::NotNow);
    approve(head(), "40/QĐ-SNV", day("2026-05-20")).await.unwrap();
    let third = arrangement::open_planned(&archive, &keeper(), id).await.unwrap();
    assert_eq!((third.opened.len(), third.there.len()), (1, 2));
    let names: Vec<String> = archive.catalog.life(id).await.unwrap().into_iter().map(|one| one.event).collect();
    assert_eq!(names, ["opened", "approved", "described", "approved"]);
    let known = archive.catalog.plans().await.unwrap();
    let told: Vec<_> = known.iter().map(|plan| (plan.year, plan.approved.as_deref(), plan.files)).collect();
    assert_eq!(told, [(2026, Some("40/QĐ-SNV"), 3), (2025, None, 2)]);
    archive.close().await.unwrap();
    world.lose_catalog();
    let archive = world.open().await.unwrap();
    assert_eq!(archive.catalog.plans().await.unwrap(), known);
    archive.close().await.unwrap();
    holds(&world).await;
}

/// Records of a fonds that lie in no file.
async fn loose(world: &World, archive: &Archive, count: usize) -> Vec<RecordId> {
    let rows: String = (1..=count)
        .map(|n| {
            let more = format!(r#""text":"Văn bản {n}","fonds":"UBND-LH","issued":"2024-03-0{n}""#);
            row(&format!("v{n}"), &format!("Văn bản số {n}"), &more)
        })
        .collect();
    world.ingest_all(archive, &world.file("loose.jsonl", rows)).await;
    let known = archive.catalog.records(0, 100).await.unwrap();
    known.into_iter().map(|known| known.record).collect()
}

fn about(code: &str, title: &str) -> About {
    About {
        code: Some(code.into()),
        title: title.into(),
        retention_code: Some("06".into()),
        started: "2024".parse().ok(),
        ended: "2024".parse().ok(),
        languages: vec!["01".into()],
        maker: Some("Lại Thị Xuân".into()),
        unit: Some("Phòng Hành chính".into()),
        ..About::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backlog_work_is_approved_and_carried_out() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let fonds = fonds_of(&archive, "UBND-LH").await;
    let records = loose(&world, &archive, 5).await;
    let opened = arrangement::open_backlog(&archive, &keeper(), fonds, "Chỉnh lý phông UBND-LH").await.unwrap();
    let id = backlog_of(&opened);
    let (one, two) = (about("2024.VP.01", "Hồ sơ thứ nhất"), about("2024.VP.02", "Hồ sơ thứ hai"));
    // One of the files is there already, and is filled.
    let there = arrangement::open_file(&archive, &keeper(), fonds, two.clone()).await.unwrap();
    arrangement::place_in_draft(&archive, &keeper(), id, one.clone(), &records[..2]).await.unwrap();
    arrangement::place_in_draft(&archive, &keeper(), id, two.clone(), &records[2..4]).await.unwrap();
    let (on, decision) = (day("2026-05-20"), "45/QĐ-SNV");
    let early = arrangement::approve_backlog(&archive, &head(), id, decision, on).await;
    let early = flaws(early);
    for code in [flaw::Code::NotPlaced, flaw::Code::HistoryMissing, flaw::Code::SchemeMissing] {
        assert!(early.contains(&code), "{code:?}: {early:?}");
    }
    let because = vankho::record::backlog::Because::Duplicate;
    let rejected = |reason: &str| Rejected { record: records[4], because, reason: reason.into() };
    assert_eq!(refused(arrangement::reject(&archive, &keeper(), id, rejected(" ")).await), Refusal::NoReason);
    arrangement::reject(&archive, &keeper(), id, rejected("Trùng với văn bản số 1")).await.unwrap();
    let (told, _) = arrangement::backlog(&archive, id).await.unwrap().unwrap();
    let work = Work {
        history: Some("Thành lập năm 1997.".into()),
        scheme: Some("Thời gian – cơ cấu tổ chức.".into()),
        ..Work::from(&*told)
    };
    let described = arrangement::describe_backlog(&archive, &keeper(), id, work).await.unwrap();
    assert_eq!(described.flaws, vec![]);
    assert_eq!(refused(arrangement::carry_out(&archive, &keeper(), id).await), Refusal::NotNow, "not approved");
    let own = arrangement::approve_backlog(&archive, &keeper(), id, decision, on).await;
    assert_eq!(refused(own), Refusal::NotYourRole);
    arrangement::approve_backlog(&archive, &head(), id, decision, on).await.unwrap();
    // What somebody moved already, or a stop left half done, is not done a second time.
    let Unit::File(second) = there.unit else { panic!("{there:?}") };
    arrangement::move_record(&archive, &keeper(), records[2], second, "Đặt nhầm chỗ").await.unwrap();
    let done = arrangement::carry_out(&archive, &keeper(), id).await.unwrap();
    assert_eq!((done.opened, done.moved), (1, 3));
    assert_eq!(refused(arrangement::carry_out(&archive, &keeper(), id).await), Refusal::NotNow, "it is done");
    for (about, expected) in [(&one, &records[..2]), (&two, &records[2..4])] {
        let inside = arrangement::inside(&archive, about).await.unwrap();
        assert_eq!(inside.iter().map(|record| record.record).collect::<Vec<_>>(), expected);
    }
    let moved = archive.description(records[0]).await.unwrap().unwrap().description;
    assert_eq!(
        (moved.metadata.file_ordinal, moved.reasons.as_slice()),
        (Some(1), &["Chỉnh lý theo 45/QĐ-SNV".to_owned()][..])
    );
    assert_eq!(archive.catalog.loose("UBND-LH", 0, 9).await.unwrap().len(), 1, "what was taken out stays");
    let known = archive.catalog.backlogs().await.unwrap();
    assert_eq!(
        (known[0].state, known[0].files, known[0].placed, known[0].rejected),
        (BacklogState::Committed, 2, 4, 1)
    );
    // Their work ended in 2024, and nobody has handed them over.
    let debts = arrangement::overdue(&archive, Some(fonds), &Limits::default()).await.unwrap();
    assert_eq!((debts.len(), debts[0].overdue.len()), (1, 2), "{debts:?}");
    archive.close().await.unwrap();
    world.lose_catalog();
    let archive = world.open().await.unwrap();
    assert_eq!(archive.catalog.backlogs().await.unwrap(), known);
    archive.close().await.unwrap();
    holds(&world).await;
}

async fn found(archive: &Archive, agency: &str) -> Vec<String> {
    let question = ask::Question { agency: Some(agency.into()), limit: 1, facets: false, ..ask::Question::default() };
    let (mut subjects, mut cursor) = (Vec::new(), None);
    loop {
        let query = ask::query(ask::Question { cursor, ..question.clone() }, Reader::Cleared).unwrap();
        let page = access::search(archive, query, false).await.unwrap();
        subjects.extend(page.found.into_iter().map(|found| found.known.subject));
        cursor = page.next;
        if cursor.is_none() {
            subjects.sort();
            return subjects;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_judges_creators_and_widens_searches() {
    let world = World::on_disk().await;
    let archive = world.open().await.unwrap();
    let unknown = fonds_of(&archive, "KHONG-CO").await;
    let rows = [
        ("a", "Quyết định của huyện", "Ủy ban nhân dân huyện Đồng Mơ", "2024-05-01"),
        ("b", "Quyết định của xã", "Ủy ban nhân dân xã Sông Mơ", "2025-08-01"),
        ("c", "Quyết định của Sở", "Sở Nội vụ tỉnh Lam Hải", "2025-08-01"),
    ];
    let rows: String = rows
        .iter()
        .map(|(id, subject, agency, issued)| {
            row(id, subject, &format!(r#""text":"x","agency":"{agency}","issued":"{issued}""#))
        })
        .collect();
    world.ingest_all(&archive, &world.file("m.jsonl", rows)).await;
    archive.settle().await.unwrap();
    let today = "Ủy ban nhân dân xã Sông Mơ";
    assert_eq!(found(&archive, today).await, ["Quyết định của xã"], "no register yet");
    let draft = Draft::read(SAMPLE).unwrap();
    let official = arrangement::take_register(&archive, &who(3, Role::Official), draft.clone()).await;
    assert_eq!(refused(official), Refusal::NotYourRole);
    arrangement::take_register(&archive, &keeper(), draft.clone()).await.unwrap();
    assert_eq!(found(&archive, today).await, ["Quyết định của huyện", "Quyết định của xã"]);
    assert_eq!(found(&archive, "Ủy ban nhân dân huyện Đồng Mơ").await, ["Quyết định của huyện"]);
    // It is described anew, and nothing is taken out of it.
    let mut less = draft.clone();
    less.agencies.retain(|agency| agency.code.as_str() != "SNV-LH");
    assert!(flaws(arrangement::take_register(&archive, &keeper(), less).await).contains(&flaw::Code::UnknownAgency));
    arrangement::take_register(&archive, &keeper(), draft).await.unwrap();
    let refused_creator = arrangement::open_fonds(&archive, &keeper(), of("UBND-XX"), None).await;
    assert_eq!(flaws(refused_creator), [flaw::Code::UnknownAgency]);
    let district = fonds_of(&archive, "UBND-DM").await;
    let to_close = arrangement::to_close(&archive).await.unwrap();
    let told: Vec<_> = to_close.iter().map(|(known, on)| (known.fonds, on.to_string())).collect();
    assert_eq!(told, [(district, "2025-06-30".to_owned())]);
    let closed = |on: &str| Closed { on: day(on), reason: "Kết thúc hoạt động cấp huyện".into() };
    let wrong = arrangement::close_fonds(&archive, &keeper(), district, closed("2025-07-01")).await;
    assert_eq!(flaws(wrong), [flaw::Code::ClosedOnAnotherDay]);
    arrangement::close_fonds(&archive, &keeper(), district, closed("2025-06-30")).await.unwrap();
    assert_eq!(arrangement::to_close(&archive).await.unwrap(), vec![]);
    for (on, agency, because) in
        [("2025-06-30", "UBND-DM", Because::Creator), ("2026-01-01", "LTLS-LH", Because::HistoricalArchive)]
    {
        let custodian =
            arrangement::custodian_at(&archive, district, day(on), Share::Permanent).await.unwrap().unwrap();
        assert_eq!((custodian.agency.as_str(), custodian.because), (agency, because), "{on}");
    }
    let nobody = arrangement::custodian_at(&archive, unknown, day("2026-01-01"), Share::Permanent).await.unwrap();
    assert_eq!(nobody, None);
    archive.close().await.unwrap();
    holds(&world).await;
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
    let sample = |name: &str| format!("{}/deploy/sample/{name}", env!("CARGO_MANIFEST_DIR"));
    let (register, list) = (sample("agencies.json"), sample("lists/SNV-LH-2019.csv"));
    let fonds = ["fonds", "open", "SNV-LH", "--name", "Phông Sở Nội vụ", "--creator", "SNV-LH", "--language", "01"];
    let unknown = ["fonds", "open", "X", "--name", "Phông", "--creator", "UBND-XX", "--language", "01"];
    let ended = ["fonds", "open", "DM", "--name", "Phông huyện", "--creator", "UBND-DM", "--language", "01"];
    for (arguments, code, said) in [
        (&["agency", "list"][..], 3, "vankho agency import FILE"),
        (&["agency", "import", &list][..], 1, "the column name is missing"),
        (&["agency", "import", &register][..], 0, "entry 1"),
        (&["agency", "list", "--on", "2026"][..], 0, "UBND-SM\tỦy ban nhân dân xã Sông Mơ\tcấp xã"),
        (&unknown[..], 1, "the register has no such agency"),
        (&fonds[..], 0, "entry 2"),
        (&ended[..], 0, "close the fonds on its last day"),
        (&["fonds", "list"][..], 0, "to be closed on 2025-06-30"),
        (&["agency", "custodian", "DM", "--on", "01/01/2026"][..], 0, "LTLS-LH"),
        (&["plan", "show", "SNV-LH", "2019"][..], 3, "has no list of files of 2019"),
        (&["plan", "import", "SNV-LH", "2019", &list][..], 0, "entry 4"),
        (&["plan", "import", "SNV-LH", "2019", &list][..], 0, "entry 5"),
        (&["plan", "show", "SNV-LH", "2019"][..], 0, "2019.VTLT.01"),
        (&["plan", "copy", "SNV-LH", "2019", "--to", "2026"][..], 0, "entry 6"),
        (&["plan", "list"][..], 0, "SNV-LH\t2026\t1 files\tdraft"),
        (&["plan", "open", "SNV-LH", "2026"][..], 1, "the present state does not allow this"),
        (&["plan", "print", "SNV-LH", "2026"][..], 0, "SỞ NỘI VỤ TỈNH LAM HẢI"),
        (&["backlog", "open", "SNV-LH", "--title", "Chỉnh lý"][..], 0, "entry 7"),
        (&["backlog", "list"][..], 0, "SNV-LH\tChỉnh lý\tdraft"),
        (&["backlog", "show", "x"][..], 3, "see `vankho backlog list`"),
        (&["file", "overdue"][..], 0, ""),
        (&["verify", "archive"][..], 0, ""),
    ] {
        let told = vankho(arguments);
        assert!(told.0 == code && told.1.contains(said), "{arguments:?}: {told:?}");
    }
    holds(&world).await;
}
