//! From the list to the certificate: what is destroyed is gone from everywhere, stays gone, and everything else still
//! holds.

use crate::{
    disposing::{
        CODE, Canaries, Settled, answers, canary, component_names, decided, deposit, ends, entries, forget, loose,
        order, order_all, said, settled, text, who, years_pass,
    },
    fixity::round,
    scan::{self, Needle},
    world::{ORIGIN, World},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use vankho::{
    access,
    archive::{
        Archive, Proposal,
        keep::random,
        place::Folders,
        rebuild::{CATALOG, INDEX},
        repair::{Mended, Object},
        request,
    },
    disposition::{cases, execution},
    index::query::Query,
    record::{
        access::Reader,
        described::Described,
        description::Description,
        digest::Digest,
        disposition::{
            act::Act,
            basis::Basis,
            case::{Stage, Unit as Listable},
            certificate::{ALWAYS, Certificate, Held},
        },
        entry::{Damage, Event},
        id::RecordId,
        unit::Unit,
    },
    store::{Place, Replicas, Store, layout},
    verify::{Outcome, archive::verify_archive, receipt::verify_receipt},
};

const PLACES: [(&str, u32); 3] = [("archive", 1), ("two", 2), ("three", 3)];
const VERIFIERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/archive/place");

async fn verified(world: &World, (name, number): (&str, u32)) -> (Outcome, String) {
    let place = Place::local(&world.data.path().join(name)).unwrap();
    let report = verify_archive(&Store::of(place, number, Replicas::default()), &[], &|_, _| {}).await;
    (report.outcome(), format!("{:?}", report.faults))
}

/// Closes it when every place has everything.
async fn closed(archive: Archive) {
    archive.publish().await.unwrap();
    archive.store.replicas().settle().await;
    archive.healing.round(&|_, _| {}).await;
    archive.close().await.unwrap();
}

/// The archive's own verifier and the one that needs nothing of it agree that every place holds.
async fn holds_everywhere(world: &World) {
    for place in PLACES {
        let (outcome, faults) = verified(world, place).await;
        assert_eq!(outcome, Outcome::Holds, "{place:?}: {faults}");
        let mut python = Command::new("python3");
        python.arg(Path::new(VERIFIERS).join("verify.py")).arg("archive").arg(world.data.path().join(place.0));
        python.arg("--place").arg(place.1.to_string());
        let output = python.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{place:?}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

/// The receipt of an entry that names a document, by all three verifiers.
async fn proved(archive: &Archive, entry: u64, document: &[u8]) {
    archive.publish().await.unwrap();
    let receipt = archive.ledger.prove(entry).await.unwrap().encode();
    let keys = archive.store.read(layout::KEYS).await.unwrap();
    let verdict = verify_receipt(receipt.as_bytes(), &keys, Some(document), Some(Digest::of(document)));
    assert_eq!(verdict.outcome, Outcome::Holds, "{}", verdict.english);
    let folder = crate::world::folder();
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    for (program, verifier) in [("bash", "verify.sh"), ("python3", "verify.py")] {
        for (altered, expected) in [(false, 0), (true, 1)] {
            let mut shown = document.to_vec();
            if altered {
                shown[document.len() / 2] ^= 1;
            }
            let mut command = Command::new(program);
            command.arg(Path::new(VERIFIERS).join(verifier)).arg("receipt").arg(write("receipt", receipt.as_bytes()));
            command.arg(write("document.json", &shown)).arg(write("archive.keys", &keys));
            command.arg("--description").arg(write("description.json", &shown));
            let output = command.stdin(Stdio::null()).output().unwrap();
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(output.status.code(), Some(expected), "{verifier}, altered: {altered}: {told}");
        }
    }
}

/// What must be gone of a record, by the names of its canaries and of its components.
async fn needles(archive: &Archive, records: &[RecordId], canaries: &[Canaries]) -> Vec<Needle> {
    let mut needles = Vec::new();
    for (n, (record, planted)) in records.iter().zip(canaries).enumerate() {
        needles.push((format!("{n} title"), planted.title.clone().into_bytes()));
        needles.extend(planted.needles().into_iter().map(|(name, bytes)| (format!("{n} {name}"), bytes)));
        let names = component_names(archive, *record).await;
        needles.extend(names.into_iter().map(|name| (format!("{n} component's digest"), name.into_bytes())));
    }
    needles
}

/// A title may be told by a stub, and by nothing else.
fn stub_tells(name: &str, path: &Path) -> bool {
    name.ends_with("title") && path.components().any(|part| part.as_os_str() == "stubs")
}

/// Nothing of it is left below a folder.
fn gone(root: &Path, needles: &[Needle], when: &str) {
    let left = scan::found(root, needles, stub_tells);
    assert!(left.is_empty(), "{when} there is still: {left:?}");
}

/// What a depositor keeps: the receipt, the description and the digest of a component.
async fn kept_outside(world: &World, archive: &Archive, records: &[RecordId]) -> Vec<(String, Vec<u8>, Digest)> {
    let mut kept = Vec::new();
    let acknowledged = world.acknowledged.lock().unwrap().clone();
    for one in acknowledged.iter().filter(|one| records.contains(&one.record)) {
        let evidence = vankho::evidence::receipt(archive, one.record, false).await.unwrap().unwrap();
        let description = Description::from_bytes(&evidence.description).unwrap();
        kept.push((one.receipt.clone(), evidence.description.to_vec(), description.components[0].sha256));
    }
    assert_eq!(kept.len(), records.len());
    kept
}

async fn knows_nothing(archive: &Archive, canaries: &[Canaries]) {
    archive.settle().await.unwrap();
    for planted in canaries {
        let asked =
            [&planted.title, &planted.note, &planted.keyword, &planted.text, &planted.field, &planted.external_id];
        for word in asked {
            let mut query = Query::new(word, Reader::Cleared);
            query.facets = true;
            let page = access::search(archive, query, true).await.unwrap();
            assert_eq!((page.total, page.found.len()), (0, 0), "{word}");
            assert!(!format!("{:?}", page.facets).contains(word.as_str()), "{word}: {:?}", page.facets);
        }
        assert_eq!(access::named(archive, &Reader::Cleared, &planted.external_id).await.unwrap(), []);
        let mut all = Query::new("", Reader::Cleared);
        all.facets = true;
        let page = access::search(archive, all, false).await.unwrap();
        let told = format!("{:?} {:?}", page.facets, page.found);
        assert!(!told.contains(&planted.field) && !told.contains(&planted.title), "{told}");
    }
}

async fn certificate(archive: &Archive, record: RecordId) -> Certificate {
    execution::certificate(archive, record).await.unwrap().unwrap_or_else(|| panic!("{record} has no certificate"))
}

/// A settled archive at three places, read, whose file and loose record are due.
async fn due() -> (World, Archive, Settled) {
    let world = World::replicated(2).await;
    let archive = world.open().await.unwrap();
    let settled = settled(&world, &archive).await;
    world.characterize(&archive).await.unwrap();
    archive.store.replicas().settle().await;
    years_pass(&world, 11);
    (world, archive, settled)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_destroyed_is_gone_from_everywhere_and_everything_else_holds() {
    let (world, archive, settled) = due().await;
    let (going, data) = (settled.going(), world.data.path().to_owned());
    let needles = needles(&archive, &going, &settled.canaries).await;
    let outside = kept_outside(&world, &archive, &going).await;
    archive.settle().await.unwrap();
    // The question can say yes: all of it is there now, at every place, in the catalog and in the index.
    let before = scan::found(&data, &needles, stub_tells);
    for (name, _) in &needles {
        for (place, _) in PLACES {
            let here = before.iter().any(|one| one.starts_with(&format!("{name}: {place}")));
            assert!(here, "{name} is nowhere at {place}: {before:?}");
        }
    }
    for (name, whence) in
        [("title", "derived/catalog.db"), ("text", "(terms"), ("field", "(terms"), ("keyword", "(terms")]
    {
        assert!(before.iter().any(|one| one.contains(name) && one.contains(whence)), "{name} {whence}: {before:?}");
    }
    let case = decided(&archive, &settled.units()).await;
    order_all(&archive, case, &settled.units()).await;
    // Gone while the archive is open, the logs of its databases included, and after it was closed.
    let index = Folders::of(&data).derived.join(INDEX);
    gone(&data, &needles, "while it is open");
    assert_eq!(scan::remains_of_segments(&index), Vec::<String>::new());
    let file = &cases::case(&archive, case).await.unwrap().unwrap().0;
    assert!(file.listed.iter().all(|listed| !listed.certificates.is_empty()), "the case is told: {:?}", file.listed);
    cases::act(&archive, &who(&archive, 1), case, Act::Close { minutes: crate::disposing::paper(&archive, "3") })
        .await
        .unwrap();
    assert_eq!(cases::case(&archive, case).await.unwrap().unwrap().0.stage, Stage::Closed);
    knows_nothing(&archive, &settled.canaries).await;
    for record in going {
        assert_eq!(archive.catalog.record(record).await.unwrap(), None, "{record}");
        assert!(access::open(&archive, &Reader::Cleared, record).await.unwrap().is_none(), "{record}");
        assert_eq!(ends(&entries(&archive).await, record), (1, 1), "{record}");
    }
    // The evidence of those who were given some outlives the records, and that of others is untouched.
    let keys = archive.store.read(layout::KEYS).await.unwrap();
    for (receipt, description, component) in &outside {
        let verdict = verify_receipt(receipt.as_bytes(), &keys, Some(description), Some(*component));
        assert_eq!(verdict.outcome, Outcome::Holds, "{}", verdict.english);
    }
    assert!(access::open(&archive, &Reader::Cleared, settled.stays).await.unwrap().is_some());
    let answered = answers(&archive).await;
    for (_, number) in PLACES {
        let (_, faults) = round(&archive, number).await.unwrap();
        assert_eq!(faults, [], "a round finds nothing at place {number}");
    }
    closed(archive).await;
    gone(&data, &needles, "after it was closed");
    forget(&world, &going);
    holds_everywhere(&world).await;
    world.check().await;
    // A catalog and an index that are made anew say the same, and hold nothing of it either.
    world.lose_catalog();
    fs::remove_dir_all(&index).unwrap();
    let archive = world.open().await.unwrap();
    assert_eq!(answers(&archive).await, answered);
    knows_nothing(&archive, &settled.canaries).await;
    archive.close().await.unwrap();
    gone(&data, &needles, "after a rebuild");
    assert!(Folders::of(&data).derived.join(CATALOG).exists());
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_says_what_was_done_and_its_receipt_is_verified_by_everybody() {
    let (world, archive, settled) = due().await;
    let case = decided(&archive, &settled.units()).await;
    order_all(&archive, case, &settled.units()).await;
    let (described, _) = cases::case(&archive, case).await.unwrap().unwrap();
    for (record, unit) in settled.going().into_iter().zip([0, 0, 0, 1].map(|n| settled.units()[n])) {
        let certificate = certificate(&archive, record).await;
        assert_eq!(certificate.check(&[1, 2, 3]), Ok(()), "{certificate:?}");
        assert_eq!(certificate.places.iter().map(|one| one.place).collect::<Vec<_>>(), [1, 2, 3]);
        // Two components, the text read of one of them at most, and a description for each time it was described.
        assert!(certificate.places.iter().all(|one| one.objects >= 3), "{:?}", certificate.places);
        assert_eq!((certificate.absence.found, certificate.holds.in_force), (0, 0));
        assert!(ALWAYS.iter().all(|limit| certificate.limits.contains(limit)));
        assert!(Held::ALL.iter().all(|held| certificate.forgotten.iter().any(|one| one.held == *held)));
        let Basis::Disposition { case: under, unit: with, decision, decided_by, .. } = &certificate.basis else {
            panic!("{:?}", certificate.basis)
        };
        assert_eq!((*under, *with, *decided_by), (case, unit, crate::disposing::actor(6)));
        assert_eq!(decision.number.as_deref(), Some("50/QĐ-SNV"));
        let review = certificate.review.as_ref().unwrap();
        assert_eq!((Some(&review.council), review.votes.agree), (described.council.as_ref(), 3));
        assert_eq!(certificate.origin, ORIGIN);
        let stub = execution::stub(&archive, record).await.unwrap().unwrap();
        let identity = stub.identity.as_ref().unwrap();
        let in_file = matches!(unit, Listable::File(_)).then_some(CODE);
        assert_eq!((identity.file.as_deref(), stub.components), (in_file, 2));
        let ended = archive.catalog.ended(record).await.unwrap().unwrap();
        assert_eq!((ended.case, ended.expelled, ended.stub), (Some(case), false, certificate.stub));
        assert_eq!(certificate.order.entry, ended.seq);
        let [stub, certificate] = [ended.stub, ended.certificate.unwrap()].map(|digest| layout::stub(record, digest));
        proved(&archive, ended.seq, &archive.store.read(&stub).await.unwrap()).await;
        proved(&archive, ended.certified.unwrap(), &archive.store.read(&certificate).await.unwrap()).await;
    }
    closed(archive).await;
    forget(&world, &settled.going());
    holds_everywhere(&world).await;
    world.check().await;
}

/// A second round does nothing, and nobody orders what is ordered.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_carried_out_once() {
    let (world, archive, settled) = due().await;
    let case = decided(&archive, &settled.units()).await;
    order_all(&archive, case, &settled.units()).await;
    let size = archive.ledger.size();
    for _ in 0..2 {
        execution::resume(&archive).await.unwrap();
    }
    assert_eq!(archive.ledger.size(), size, "nothing is told twice");
    for unit in settled.units() {
        assert!(order(&archive, case, unit).await.is_err(), "{unit:?}");
    }
    assert_eq!(archive.ledger.size(), size);
    archive.close().await.unwrap();
    forget(&world, &settled.going());
    world.check().await;
}

/// What is there of a place whose disk is away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Away {
    /// Whatever is asked of it fails.
    Broken,
    /// Not even the mount point.
    NoFolder,
    /// The mount point: a folder in which nothing lies.
    EmptyFolder,
}

fn unmount(world: &World, place: &str, how: Away) {
    let path = world.data.path().join(place);
    fs::rename(&path, world.data.path().join(format!("{place}.away"))).unwrap();
    match how {
        Away::Broken => fs::write(&path, b"no folder").unwrap(),
        Away::NoFolder => {}
        Away::EmptyFolder => fs::create_dir(&path).unwrap(),
    }
}

fn mount(world: &World, place: &str) {
    let path = world.data.path().join(place);
    match path.is_dir() {
        true => fs::remove_dir_all(&path).unwrap(),
        false => fs::remove_file(&path).unwrap_or_default(),
    }
    fs::rename(world.data.path().join(format!("{place}.away")), &path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_for_a_place_that_is_away_and_for_everybody_to_see() {
    waits(Away::Broken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_not_mounted_is_no_place_that_was_emptied() {
    waits(Away::NoFolder).await;
    waits(Away::EmptyFolder).await;
}

async fn waits(how: Away) {
    let (world, archive, settled) = due().await;
    let needles = needles(&archive, &settled.going(), &settled.canaries).await;
    let case = decided(&archive, &settled.units()).await;
    unmount(&world, "three", how);
    order_all(&archive, case, &settled.units()).await;
    let open = archive.catalog.orders_open().await.unwrap();
    assert_eq!(open.len(), 4, "every one of them is a debt, {how:?}: {open:?}");
    assert!(open.iter().all(|one| one.certificate.is_none() && one.case == Some(case)));
    for record in settled.going() {
        assert!(execution::certificate(&archive, record).await.unwrap().is_none(), "{record}");
        assert!(access::open(&archive, &Reader::Cleared, record).await.unwrap().is_none(), "{record}");
    }
    knows_nothing(&archive, &settled.canaries).await;
    // Where the archive could reach, nothing is left; the disk that is away has all of it.
    let left = scan::found(world.data.path(), &needles, stub_tells);
    assert!(!left.is_empty() && left.iter().all(|one| one.contains(": three.away/")), "{left:?}");
    let (described, _) = cases::case(&archive, case).await.unwrap().unwrap();
    assert!(described.listed.iter().all(|listed| listed.is_unfinished()), "{:?}", described.listed);
    let early = Act::Close { minutes: crate::disposing::paper(&archive, "3") };
    assert!(cases::act(&archive, &who(&archive, 1), case, early).await.is_err(), "it is not finished");
    // It is pending for the next process too. An empty disk would be taken for a new one by that.
    let archive = match how {
        Away::Broken => {
            archive.close().await.unwrap();
            let archive = world.open().await.unwrap();
            execution::resume(&archive).await.unwrap();
            assert_eq!(archive.catalog.orders_open().await.unwrap().len(), 4);
            archive
        }
        Away::NoFolder | Away::EmptyFolder => archive,
    };
    mount(&world, "three");
    archive.healing.round(&|_, _| {}).await;
    execution::resume(&archive).await.unwrap();
    assert!(archive.catalog.orders_open().await.unwrap().is_empty());
    gone(world.data.path(), &needles, "afterwards");
    for record in settled.going() {
        assert_eq!(certificate(&archive, record).await.check(&[1, 2, 3]), Ok(()));
        assert_eq!(ends(&entries(&archive).await, record), (1, 1));
    }
    closed(archive).await;
    forget(&world, &settled.going());
    holds_everywhere(&world).await;
    world.check().await;
}

/// Everything of these records at one place, to be put back there.
fn copies(world: &World, place: &str, records: &[RecordId]) -> Vec<(PathBuf, Vec<u8>)> {
    let root = world.data.path().join(place);
    let of = |record: &RecordId| scan::files(&root.join(layout::unit(*record)));
    let read = |path: PathBuf| (path.clone(), fs::read(path).unwrap());
    records.iter().flat_map(of).map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_healing_nor_repair_nor_late_reading_bring_it_back() {
    let (world, archive, settled) = due().await;
    // One more, which nobody has read yet.
    let late = Canaries::new();
    let metadata = vankho::record::metadata::Metadata {
        class: crate::disposing::class(settled.schedule, crate::disposing::CLASS),
        ..loose(&late.metadata())
    };
    let given = vec![(metadata, late.components(&world))];
    let unread = deposit(&world, &archive, "chưa đọc", given).await.unwrap()[0];
    archive.store.replicas().settle().await;
    let going = [&settled.going()[..], &[unread]].concat();
    let units = [&settled.units()[..], &[Listable::Record(unread)]].concat();
    let planted = [&settled.canaries[..], &[late]].concat();
    let needles = needles(&archive, &going, &planted).await;
    let saved = copies(&world, "two", &going);
    let known = archive.catalog.record(unread).await.unwrap().unwrap();
    let described = archive.description(unread).await.unwrap().unwrap();
    let case = decided(&archive, &units).await;
    for unit in &units {
        order(&archive, case, *unit).await.unwrap();
    }
    // Ordered: from here on nothing is kept of it, whoever comes late.
    assert_eq!(world.characterize(&archive).await.unwrap(), 0, "it is not read any more");
    assert_eq!(archive.catalog.waiting(0, 100).await.unwrap(), []);
    let text = b"to be read".to_vec();
    let kept = archive.keep_bytes(unread, Digest::of(&text), text.into()).await;
    assert!(kept.is_err(), "a rendition of it was kept");
    let replaces = known.description;
    let read =
        Description { replaces: Some(replaces), salt: "0b".repeat(32), ..Description::clone(&described.description) };
    let bytes = read.to_bytes().unwrap();
    let description = Digest::of(&bytes);
    let by = archive.operator;
    let late_reading = Proposal {
        by,
        request: request(by, &random().unwrap()),
        event: Event::Characterized { record: unread, description, replaces },
        description: Some(Described::Record(std::sync::Arc::new(read))),
    };
    assert!(archive.commit(late_reading).await.is_err(), "an ordered record was described anew");
    execution::resume(&archive).await.unwrap();
    let certified: Vec<Certificate> = {
        let mut all = Vec::new();
        for record in &going {
            all.push(certificate(&archive, *record).await);
        }
        all
    };
    // A disk comes back from a time before: healing leaves it there, a round empties it under the same order.
    let component = described.description.components[0].sha256;
    for (path, bytes) in &saved {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    assert_ne!(verified(&world, PLACES[1]).await.0, Outcome::Holds, "what nobody may have any more is found");
    let object = Object {
        unit: unread.into(),
        named_by: known.description,
        component: 1,
        path: layout::component(unread, component),
        digest: component,
    };
    let mended = archive.repair(&object, 1, Damage::Missing).await;
    assert!(!matches!(mended, Ok(Mended::From(_))), "it was brought back from place 2: {mended:?}");
    archive.healing.round(&|_, _| {}).await;
    for place in ["archive", "three"] {
        gone(&world.data.path().join(place), &needles, "where nothing was brought back");
    }
    for (_, number) in PLACES {
        round(&archive, number).await.unwrap();
    }
    execution::resume(&archive).await.unwrap();
    gone(world.data.path(), &needles, "emptied under the same order");
    let told = entries(&archive).await;
    for (record, before) in going.iter().zip(&certified) {
        assert_eq!(ends(&told, *record), (1, 1), "{record}");
        assert_eq!(certificate(&archive, *record).await, *before);
    }
    let damaged = |event: &Event| matches!(event, Event::Damaged { .. } | Event::Lost { .. } | Event::Repaired { .. });
    let wrong: Vec<_> = told.iter().filter(|entry| damaged(&entry.event)).collect();
    assert!(wrong.is_empty(), "what was destroyed is not lost: {wrong:?}");
    closed(archive).await;
    forget(&world, &going);
    holds_everywhere(&world).await;
    world.check().await;
}

/// What lies in staging, on the desk or half kept beside a record goes with it.
#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_dead_writes_and_of_staging_go_with_the_record() {
    let (world, archive, settled) = due().await;
    let (record, word) = (settled.loose, canary());
    let planted = [
        layout::staged(record, 1),
        layout::damaged(record.into(), 1, 1),
        format!("{}#1", layout::component(record, Digest::of(b"half"))),
        layout::component(record, Digest::of(word.as_bytes())),
    ];
    for (place, _) in PLACES {
        for path in &planted {
            let path = world.data.path().join(place).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &word).unwrap();
        }
    }
    let needle = [("leftover".to_owned(), word.into_bytes())];
    assert!(scan::found(world.data.path(), &needle, stub_tells).len() >= 12);
    let case = decided(&archive, &[Listable::Record(record)]).await;
    order_all(&archive, case, &[Listable::Record(record)]).await;
    gone(world.data.path(), &needle, "afterwards");
    let certificate = certificate(&archive, record).await;
    assert!(certificate.places.iter().all(|one| one.leftovers >= 2), "{:?}", certificate.places);
    archive.close().await.unwrap();
    forget(&world, &[record]);
    world.check().await;
}

/// A file of another year that is due later does not go, nor does a record that the catalog alone puts in the file.
#[tokio::test(flavor = "multi_thread")]
async fn what_stays_is_what_it_was() {
    let (world, archive, settled) = due().await;
    let new =
        deposit(&world, &archive, "mới", vec![(loose(&said("mới")), text("Văn bản mới, mới hôm nay"))]).await.unwrap();
    world.characterize(&archive).await.unwrap();
    let staying = [settled.stays, new[0]];
    let mut before = Vec::new();
    for record in staying {
        let described = archive.description(record).await.unwrap().unwrap();
        before.push((
            archive.catalog.record(record).await.unwrap(),
            described.digest,
            archive.catalog.life(record).await,
        ));
    }
    let case = decided(&archive, &settled.units()).await;
    order_all(&archive, case, &settled.units()).await;
    archive.settle().await.unwrap();
    for (record, (known, digest, life)) in staying.into_iter().zip(before) {
        assert_eq!(archive.catalog.record(record).await.unwrap(), known);
        assert_eq!(archive.description(record).await.unwrap().unwrap().digest, digest);
        assert_eq!(format!("{:?}", archive.catalog.life(record).await), format!("{life:?}"));
    }
    let hits = archive.index.search(&Query::new("ở lại mãi", Reader::Cleared)).unwrap();
    assert_eq!(hits.hits.first().map(|hit| hit.record), Some(settled.stays));
    // The life of what is gone can still be read, to its end.
    let life = archive.catalog.life(settled.loose).await.unwrap();
    let names: Vec<&str> = life.iter().map(|one| one.event.as_str()).collect();
    assert!(names.ends_with(&["destruction_ordered", "destroyed"]), "{names:?}");
    assert!(archive.catalog.unit(Unit::File(settled.file)).await.unwrap().is_some(), "the file is told of");
    archive.close().await.unwrap();
    forget(&world, &settled.going());
    world.check().await;
}
