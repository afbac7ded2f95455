//! The papers of a case that is closed are records, with a period of their own.

use crate::{
    disposing::{
        ARCHIVIST, CLASS, about, all_until, class, decided, deposit, forget, keeper, opened_file, order_all, paper,
        said, settled, text, who, years_pass,
    },
    world::World,
};
use futures::TryStreamExt;
use vankho::{
    access,
    archive::Archive,
    arrangement,
    catalog::Known,
    config::Config,
    disposition::cases,
    record::{
        access::{Access, Reader},
        disposition::{
            act::Act,
            case::{Case, Unit as Listable},
        },
        file::About,
        file_state::FileAct,
        id::{CaseId, RecordId},
        metadata::Metadata,
        retention::{day::Day, period::Period},
    },
    worker::dossiers::{self, Kept},
};

/// What each paper begins with.
const PAPERS: [&str; 8] = [
    "Danh mục tài liệu hết thời hạn lưu trữ",
    "Thuyết minh tài liệu hết thời hạn lưu trữ",
    "Quyết định thành lập Hội đồng xét hủy",
    "Biên bản họp Hội đồng xét hủy",
    "Văn bản thẩm định",
    "Quyết định hủy",
    "Biên bản bàn giao",
    "Biên bản hủy",
];

/// Everything of a case is destroyed; it is not closed yet.
async fn destroyed(world: &World, archive: &Archive, units: &[Listable]) -> CaseId {
    years_pass(world, 11);
    let case = decided(archive, units).await;
    order_all(archive, case, units).await;
    case
}

async fn close(archive: &Archive, case: CaseId) {
    let minutes = paper(archive, "03/BB-HTL");
    cases::act(archive, &who(archive, ARCHIVIST), case, Act::Close { minutes }).await.unwrap();
}

/// A round of a process that knows nothing yet.
async fn round(archive: &Archive) {
    dossiers::keep(archive, &mut Kept::default()).await.unwrap();
}

/// The papers of a case that are records, by their numbers.
async fn kept(archive: &Archive, case: CaseId) -> Vec<(usize, Known)> {
    let short: String = case.to_string().chars().skip(24).collect();
    let mut kept = Vec::new();
    for number in 1..=PAPERS.len() {
        let found = archive.catalog.by_external_id(&format!("huy-{short}-{number}")).await.unwrap();
        kept.extend(found.into_iter().map(|known| (number, known)));
    }
    kept
}

/// The eight of them, each once.
async fn eight(archive: &Archive, case: CaseId) -> Vec<Known> {
    let kept = kept(archive, case).await;
    let numbers: Vec<usize> = kept.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=PAPERS.len()).collect::<Vec<_>>(), "each of the eight papers once");
    kept.into_iter().map(|(_, known)| known).collect()
}

async fn page(archive: &Archive, record: RecordId) -> String {
    let opened = access::open(archive, &Reader::Cleared, record).await.unwrap().unwrap();
    let pieces: Vec<_> = access::read(archive, &opened, 1).await.unwrap().unwrap().try_collect().await.unwrap();
    String::from_utf8(pieces.concat()).unwrap()
}

/// What is said of the papers, and what they say.
async fn told(archive: &Archive, case: &Case, years: u16) {
    let code = Period::Years(years).maintenance().code;
    for (n, known) in eight(archive, case.case).await.into_iter().enumerate() {
        let opened = access::open(archive, &Reader::Archivist, known.record).await.unwrap();
        let said = &opened.expect("an archivist reads it").description;
        assert!(said.metadata.subject.starts_with(PAPERS[n]), "{}", said.metadata.subject);
        assert!(said.metadata.subject.contains(&case.case.to_string()), "{}", said.metadata.subject);
        assert_eq!(said.metadata.retention_code.as_deref(), Some(code), "{}", said.metadata.subject);
        assert!(said.metadata.note.as_deref().is_some_and(|note| note.contains(&format!("{years} năm"))));
        assert_eq!((said.metadata.file.as_deref(), said.metadata.access), (None, Access::Conditional));
        assert!(said.metadata.loose_reason.is_some(), "it says why it lies in no file");
        let [component] = &said.components[..] else { panic!("{:?}", said.components) };
        let name = component.original_name.as_deref().unwrap();
        assert!(name.starts_with(&format!("{}-", n + 1)) && name.ends_with(".html"), "{name}");
        assert!(access::open(archive, &Reader::Anyone, known.record).await.unwrap().is_none());
        let page = page(archive, known.record).await;
        assert!(page.starts_with("<!") && page.contains(&case.agency), "{name}: {page}");
        let number = [None, None, Some("20/QĐ-SNV"), Some("01/BB-HĐ"), None, Some("50/QĐ-SNV"), Some("02/BB-BG")];
        if let Some(number) = number.get(n).copied().flatten() {
            assert_eq!(said.metadata.number.as_deref(), Some(number), "{name}");
            assert!(page.contains(number), "{name}: {page}");
        }
        if n == 7 {
            assert_eq!(said.metadata.number.as_deref(), Some("03/BB-HTL"));
            for certificate in case.listed.iter().flat_map(|listed| &listed.certificates) {
                assert!(page.contains(&certificate.to_string()), "the certificates are annexed: {page}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_eight_papers_of_a_closed_case_are_records_for_as_long_as_is_set() {
    for years in [20, 50, 33] {
        let mut world = World::founded().await;
        world.config.disposition.dossier_years = years;
        let archive = world.open().await.unwrap();
        let settled = settled(&world, &archive).await;
        let case = destroyed(&world, &archive, &settled.units()).await;
        round(&archive).await;
        assert_eq!(kept(&archive, case).await, [], "a case that is open may still change");
        close(&archive, case).await;
        round(&archive).await;
        let (closed, _) = cases::case(&archive, case).await.unwrap().unwrap();
        told(&archive, &closed, years).await;
        archive.close().await.unwrap();
        forget(&world, &settled.going());
        world.check().await;
    }
}

/// By the same process, by another, without its catalog, and without its desk.
#[tokio::test(flavor = "multi_thread")]
async fn they_are_kept_once_whoever_looks_again() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let settled = settled(&world, &archive).await;
    let case = destroyed(&world, &archive, &settled.units()).await;
    close(&archive, case).await;
    let mut known = Kept::default();
    dossiers::keep(&archive, &mut known).await.unwrap();
    let (size, first) = (archive.ledger.size(), eight(&archive, case).await);
    dossiers::keep(&archive, &mut known).await.unwrap();
    round(&archive).await;
    assert_eq!(archive.ledger.size(), size, "nothing is told twice");
    archive.close().await.unwrap();
    for lost in ["nothing", "catalog", "desk"] {
        match lost {
            "catalog" => world.lose_catalog(),
            "desk" => world.lose_desk(),
            _ => {}
        }
        // Another day: the page of today would be another one.
        years_pass(&world, 1);
        let archive = world.open().await.unwrap();
        round(&archive).await;
        assert_eq!(eight(&archive, case).await, first, "{lost} was lost");
        archive.close().await.unwrap();
    }
    forget(&world, &settled.going());
    world.check().await;
}

/// What another record is called does not keep a paper away.
#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_record_is_not_taken_for_a_paper() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let settled = settled(&world, &archive).await;
    let case = destroyed(&world, &archive, &settled.units()).await;
    let short: String = case.to_string().chars().skip(24).collect();
    let strange = said(&format!("huy-{short}-8"));
    let strange = deposit(&world, &archive, "người lạ", vec![(strange, text("Không phải biên bản"))]).await.unwrap()[0];
    close(&archive, case).await;
    round(&archive).await;
    round(&archive).await;
    let numbers: Vec<usize> = kept(&archive, case).await.into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 8], "theirs, and all of ours once");
    let ours = kept(&archive, case).await.pop().unwrap().1;
    assert!(ours.record != strange && ours.subject.starts_with(PAPERS[7]), "{}", ours.subject);
    archive.close().await.unwrap();
    forget(&world, &settled.going());
    let faults = world.faults().await;
    assert!(matches!(&faults[..], [one] if one.contains("is doubled")), "the identifier alone: {faults:?}");
}

/// Nothing lists them for destruction, within their period and beyond: that takes a class, which somebody gives.
#[tokio::test(flavor = "multi_thread")]
async fn they_are_not_due_before_their_years_are_over() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let settled = settled(&world, &archive).await;
    let case = destroyed(&world, &archive, &settled.units()).await;
    close(&archive, case).await;
    round(&archive).await;
    let papers = eight(&archive, case).await;
    for years in [0, 19, 3] {
        years_pass(&world, years);
        let (due, _) = archive.catalog.due_list(&all_until(Day::LAST), None, 1000).await.unwrap();
        for known in &papers {
            assert!(due.iter().all(|one| one.unit != known.record.into()), "{}", known.subject);
            assert!(cases::ground(&archive, Listable::Record(known.record)).await.is_err(), "{}", known.subject);
        }
    }
    archive.close().await.unwrap();
    forget(&world, &settled.going());
    world.check().await;
}

/// The papers tell titles: where one of them is secret, so are they.
#[tokio::test(flavor = "multi_thread")]
async fn papers_that_name_what_is_secret_are_secret() {
    let world = World::founded().await;
    let archive = world.open().await.unwrap();
    let settled = settled(&world, &archive).await;
    let code = "H49.64.2026.KH02";
    let title = "Kế hoạch không ai được biết tên".to_owned();
    let said_of = About { access: Access::Secret, title, ..about(code, class(settled.schedule, CLASS)) };
    let secret = opened_file(&archive, settled.fonds, said_of).await;
    let inside = Metadata { file: Some(code.into()), file_ordinal: Some(1), access: Access::Secret, ..said("mật") };
    let inside = deposit(&world, &archive, "mật", vec![(inside, text("Toàn văn"))]).await.unwrap()[0];
    arrangement::act(&archive, &keeper(), secret, &FileAct::Close).await.unwrap();
    let case = destroyed(&world, &archive, &[Listable::File(settled.file), Listable::File(secret)]).await;
    close(&archive, case).await;
    round(&archive).await;
    let papers = eight(&archive, case).await;
    assert!(
        page(&archive, papers[0].record).await.contains("Kế hoạch không ai được biết tên"),
        "it names what it lists"
    );
    for known in papers {
        assert_eq!(known.access, "secret", "{}", known.subject);
        let official = Reader::Official { agency: "Sở Nội vụ".into() };
        for reader in [Reader::Anyone, official, Reader::Archivist] {
            let opened = access::open(&archive, &reader, known.record).await.unwrap();
            assert!(opened.is_none(), "{reader:?} {}", known.subject);
        }
    }
    archive.close().await.unwrap();
    let [first, second, third, _] = settled.going();
    forget(&world, &[first, second, third, inside]);
    world.check().await;
}

#[test]
fn fewer_than_twenty_years_are_refused() {
    let read = |years: &str| {
        let variable = ("VANKHO_DISPOSITION__DOSSIER_YEARS".to_owned(), years.to_owned());
        Config::read(None, [variable].into_iter())
    };
    for years in ["0", "1", "19"] {
        let refused = read(years).unwrap_err().to_string();
        assert!(refused.contains("dossier_years"), "{years}: {refused}");
    }
    for years in ["20", "70"] {
        assert_eq!(read(years).unwrap().disposition.dossier_years.to_string(), years);
    }
}
