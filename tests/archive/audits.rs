//! Audits on demand: pledged before anything is looked at, drawn from a checkpoint and a nonce, told with all that was
//! found, and rechecked by whoever has the report.

use crate::{
    kept::{PLACES, events, objects},
    world::World,
};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};
use vankho::{
    access,
    archive::{Archive, place::Folders},
    config,
    desk::witnesses::Heard,
    evidence::{
        audits::{self, told},
        cosigned,
    },
    fixity::{self, Step},
    ledger::{cosignature::Cosigner, keys::Signer},
    record::{
        access::Reader,
        audit::{Calendar, Ended, Mending, NonceBy, Report, Signed},
        digest::Digest,
        entry::{Damage, Event},
        sampling::{Terms, read_nonce},
    },
    store::{Store, layout, replicas::Pace},
    verify::{
        Outcome, Verdict,
        audit::{Given, recheck},
    },
    worker,
};
use zeroize::Zeroizing;

const DAY: i64 = 86_400_000_000;

fn terms() -> Terms {
    Terms::new(10_000, 950_000).unwrap()
}

async fn taken_in(world: &World, rows: usize) {
    let archive = world.open().await.unwrap();
    let row = |n| format!("{{\"external_id\":\"{n}\",\"subject\":\"văn bản {n}\",\"text\":\"toàn văn {n}\"}}\n");
    let manifest = world.file("in.jsonl", (0..rows).map(row).collect::<String>());
    world.ingest_all(&archive, &manifest).await;
    archive.close().await.unwrap();
}

async fn two_places(rows: usize) -> World {
    let world = World::in_places(&PLACES.map(|(name, _)| name), 2).await;
    taken_in(&world, rows).await;
    world
}

/// An audit to its end, and its report.
async fn audited(archive: &Archive, nonce: &str, terms: Terms) -> (Ended, Report) {
    let ended = audits::audit(archive, archive.operator, Some(read_nonce(nonce)), terms, &|_, _| {}).await.unwrap();
    (ended, reported(archive, ended.pledge).await.1)
}

async fn reported(archive: &Archive, pledge: u64) -> (Vec<u8>, Report) {
    let (_, bytes) = audits::report(archive, pledge).await.unwrap().expect("it has ended");
    let signed = Signed::from_bytes(&bytes).unwrap();
    (bytes.to_vec(), signed.report)
}

async fn keys(archive: &Archive) -> Vec<u8> {
    archive.store.read(layout::KEYS).await.unwrap().to_vec()
}

fn place(world: &World, name: &str) -> Store {
    Store::local(&world.data.path().join(name)).unwrap()
}

async fn judged(report: &[u8], keys: &[u8], bytes: Option<&Store>) -> Verdict {
    recheck(&Given { report, keys, policy: None, nonce: None }, bytes, &|_, _| {}).await
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[3] ^= 4;
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_audit_is_pledged_kept_and_rechecked_on_another_machine() {
    let world = two_places(4).await;
    let archive = world.open().await.unwrap();
    let before = archive.ledger.size();
    let (ended, report) = audited(&archive, "số của hôm nay", terms()).await;
    assert_eq!((ended.pledge, ended.faults, ended.repaired, ended.lost), (before, 0, 0, 0));
    assert_eq!((report.size, report.entries.len() as u64, report.totals.described), (before, before, 4), "all of them");
    assert_eq!((report.places.as_slice(), report.away.as_slice(), report.witnesses), (&[1, 2][..], &[][..], 0));
    assert_eq!((report.nonce_by, report.nonce), (NonceBy::Auditor, Digest::of("số của hôm nay".as_bytes())));
    let told = events(&archive).await;
    let [.., pledge, kept, last] = &told[..] else { panic!() };
    assert!(matches!(pledge, Event::AuditPledged { size, nonce, .. } if (*size, *nonce) == (before, report.nonce)));
    assert!(matches!(kept, Event::Accessioned { record, .. } if *record == ended.record));
    assert!(
        matches!(last, Event::Audited { record, pledge, faults: 0, .. } if (*record, *pledge) == (ended.record, before))
    );
    let [one] = &told::list(&archive, u64::MAX, 10).await.unwrap()[..] else { panic!() };
    assert_eq!((one.state.as_str(), one.audit, one.sample), ("ended", before, before));
    assert_eq!(one.outcome.as_ref().and_then(|outcome| outcome.record.clone()), Some(ended.record.to_string()));
    for (reader, may) in [(Reader::Archivist, true), (Reader::Anyone, false)] {
        let opened = access::open(&archive, &reader, ended.record).await.unwrap();
        assert_eq!(opened.is_some(), may, "{reader:?}");
    }
    let (bytes, keys) = (reported(&archive, before).await.0, keys(&archive).await);
    archive.close().await.unwrap();
    for bytes_of in [None, Some("archive"), Some("two")] {
        let store = bytes_of.map(|name| place(&world, name));
        let verdict = judged(&bytes, &keys, store.as_ref()).await;
        assert_eq!(verdict.outcome, Outcome::Holds, "{bytes_of:?}: {}", verdict.english);
        assert_eq!(verdict.english.contains("archive's word"), bytes_of.is_none(), "{}", verdict.english);
    }
    others_refuse(&world, &bytes, &keys, &ended.record.to_string()).await;
    world.check().await;
}

/// What is not the report, not the key, not the nonce, not the bytes.
async fn others_refuse(world: &World, bytes: &[u8], keys: &[u8], report: &str) {
    let stranger = Signer::from_seed(crate::world::ORIGIN, &Zeroizing::new([66; 32])).unwrap();
    let strange = vankho::ledger::keys::KeyFile::founding(stranger.verifying_key().clone()).to_string();
    assert_eq!(judged(bytes, strange.as_bytes(), None).await.outcome, Outcome::Tampered);
    assert_eq!(judged(bytes, b"no keys", None).await.outcome, Outcome::Usage);
    for other in [&b"{}"[..], b"", b"[]", keys] {
        assert_eq!(judged(other, keys, None).await.outcome, Outcome::Usage);
    }
    assert_eq!(judged(&bytes[..bytes.len() - 1], keys, None).await.outcome, Outcome::Tampered, "cut short");
    for (nonce, outcome) in [("số của hôm nay", Outcome::Holds), ("số của hôm qua", Outcome::Tampered)] {
        let given = Given { report: bytes, keys, policy: None, nonce: Some(read_nonce(nonce)) };
        assert_eq!(recheck(&given, None, &|_, _| {}).await.outcome, outcome, "{nonce}");
    }
    let copy = world.inbox.path().join("copy");
    crate::place::copy(&world.data.path().join("two"), &copy);
    let store = Store::local(&copy).unwrap();
    assert_eq!(judged(bytes, keys, Some(&store)).await.outcome, Outcome::Holds);
    for path in objects(&copy) {
        // The record of the report was not there yet when the sample was drawn.
        let of_report = path.display().to_string().contains(report);
        let expected = |other| if of_report { Outcome::Holds } else { other };
        let kept = fs::read(&path).unwrap();
        flip(&path);
        let verdict = judged(bytes, keys, Some(&store)).await;
        assert_eq!(verdict.outcome, expected(Outcome::Tampered), "{}: {}", path.display(), verdict.english);
        fs::remove_file(&path).unwrap();
        let verdict = judged(bytes, keys, Some(&store)).await;
        assert_eq!(verdict.outcome, expected(Outcome::Incomplete), "{}: {}", path.display(), verdict.english);
        fs::write(&path, kept).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_at_one_place_is_found_repaired_and_told() {
    let world = two_places(3).await;
    for (n, (name, number)) in PLACES.into_iter().enumerate() {
        let folder = world.data.path().join(name);
        let (gone, altered) = (objects(&folder)[0].clone(), objects(&folder)[3].clone());
        let kept = [&gone, &altered].map(|path| fs::read(path).unwrap());
        fs::remove_file(&gone).unwrap();
        flip(&altered);
        let archive = world.open().await.unwrap();
        let (ended, report) = audited(&archive, &format!("lần {n}"), terms()).await;
        assert_eq!((ended.faults, ended.repaired, ended.lost), (2, 2, 0), "{name}: {:?}", report.findings);
        let mut faults: Vec<_> = report.findings.iter().map(|one| (one.fault, one.place, one.outcome)).collect();
        faults.sort_unstable();
        let repaired = Mending::Repaired;
        assert_eq!(faults, [(Damage::Altered, number, repaired), (Damage::Missing, number, repaired)]);
        assert_eq!([&gone, &altered].map(|path| fs::read(path).unwrap()), kept, "it is as it was");
        let told = events(&archive).await;
        assert_eq!(told.iter().filter(|event| matches!(event, Event::Repaired { .. })).count(), 2 * (n + 1));
        let (bytes, keys) = (reported(&archive, ended.pledge).await.0, keys(&archive).await);
        archive.close().await.unwrap();
        let verdict = judged(&bytes, &keys, Some(&place(&world, name))).await;
        assert_eq!(verdict.outcome, Outcome::Holds, "a report that tells of damage holds: {}", verdict.english);
        assert!(verdict.english.contains("2 faults, 2 repaired, 0 lost"), "{}", verdict.english);
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_place_has_is_lost_and_the_report_says_so() {
    let world = two_places(3).await;
    let component = |name: &str| {
        let all = objects(&world.data.path().join(name));
        all.into_iter().find(|path| path.extension().is_none()).unwrap()
    };
    let kept = fs::read(component("archive")).unwrap();
    let (first, second) = (component("archive"), component("two"));
    flip(&first);
    fs::remove_file(&second).unwrap();
    let archive = world.open().await.unwrap();
    let (ended, report) = audited(&archive, "1", terms()).await;
    assert_eq!((ended.faults, ended.repaired, ended.lost), (2, 0, 2), "{:?}", report.findings);
    let seen = report.entries.iter().flat_map(|one| &one.objects).find(|seen| seen.whole.is_empty()).unwrap();
    assert_eq!((seen.answer, seen.bytes), (None, None), "nobody can answer for it");
    let (bytes, keys) = (reported(&archive, ended.pledge).await.0, keys(&archive).await);
    assert_eq!(judged(&bytes, &keys, Some(&place(&world, "two"))).await.outcome, Outcome::Holds, "the rest is there");
    // It stays lost in the next one, and is said in the ledger once.
    let (again, _) = audited(&archive, "2", terms()).await;
    assert_eq!((again.faults, again.lost), (2, 2));
    let lost = events(&archive).await.iter().filter(|event| matches!(event, Event::Lost { .. })).count();
    assert_eq!(lost, 1);
    // Brought back at one place, it is given to the other.
    fs::write(&first, kept).unwrap();
    let (mended, report) = audited(&archive, "3", terms()).await;
    assert_eq!((mended.faults, mended.repaired, mended.lost), (1, 1, 0), "{:?}", report.findings);
    archive.close().await.unwrap();
    world.check().await;
}

fn witness() -> Cosigner {
    Cosigner::from_seed("w.example.vn", &Zeroizing::new([9; 32])).unwrap()
}

/// A witness cosigns what is published now.
async fn cosigned_now(archive: &Archive) -> u64 {
    archive.publish().await.unwrap();
    let size = archive.ledger.size();
    let note = archive.store.read(&layout::checkpoint(size)).await.unwrap();
    let note = String::from_utf8(note.to_vec()).unwrap();
    let body = format!("{}\n", note.split_once("\n\n").unwrap().0);
    let line = witness().cosign(&body, 1_790_000_000).unwrap();
    cosigned::keep(archive, size, &note, &line).await.unwrap();
    let heard = Heard { size, time: 1_790_000_000, why: None };
    archive.desk.hear(&witness().public().to_string(), &heard).await.unwrap();
    size
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_follows_from_the_cosigned_checkpoint_and_the_nonce() {
    let mut world = World::in_places(&["archive"], 1).await;
    let key = witness().public().to_string();
    world.config.evidence.witnesses = vec![config::Witness { url: String::new(), key: key.clone() }];
    taken_in(&world, 200).await;
    let archive = world.open().await.unwrap();
    let cosigned = cosigned_now(&archive).await;
    let terms = Terms::new(100_000, 900_000).unwrap();
    let mut samples = Vec::new();
    for nonce in ["a", "b", "a"] {
        let (ended, report) = audited(&archive, nonce, terms).await;
        assert_eq!((report.size, report.witnesses), (cosigned, 1), "the newest that was cosigned, not the newest");
        assert!(ended.pledge >= cosigned && report.entries.len() == 22);
        samples.push(report.entries.iter().map(|one| one.index).collect::<Vec<_>>());
        let (bytes, keys) = (reported(&archive, ended.pledge).await.0, keys(&archive).await);
        for (quorum, expected) in [("w", Outcome::Holds), ("v", Outcome::Incomplete)] {
            let other = Cosigner::from_seed("v.example.vn", &Zeroizing::new([8; 32])).unwrap();
            let policy = format!("witness w {key}\nwitness v {}\nquorum {quorum}\n", other.public());
            let given = Given { report: &bytes, keys: &keys, policy: Some(policy.as_bytes()), nonce: None };
            let verdict = recheck(&given, Some(&place(&world, "archive")), &|_, _| {}).await;
            assert_eq!(verdict.outcome, expected, "{}", verdict.english);
        }
    }
    assert_eq!(samples[0], samples[2], "the same checkpoint and nonce");
    assert_ne!(samples[0], samples[1], "another nonce");
    let later = cosigned_now(&archive).await;
    let (_, report) = audited(&archive, "a", terms).await;
    assert_eq!(report.size, later);
    assert_ne!(report.entries.iter().map(|one| one.index).collect::<Vec<_>>(), samples[0], "another checkpoint");
    archive.close().await.unwrap();
}

/// The paths of all values in a report that are no objects or lists.
fn leaves(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| leaves(value, format!("{at}/{name}"), found)),
        Value::Array(all) => all.iter().enumerate().for_each(|(n, value)| leaves(value, format!("{at}/{n}"), found)),
        _ => found.push(at),
    }
}

/// Another value of the same form.
fn other(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_u64().unwrap() + 1),
        Value::String(text) if text == "auditor" => "archive".into(),
        Value::String(text) if text.parse::<Digest>().is_ok() => Digest::of(text.as_bytes()).to_string().into(),
        Value::String(text) if text.ends_with('Z') => text.replace("20", "21").into(),
        Value::String(text) => {
            let last = text.char_indices().rev().find(|(_, c)| c.is_ascii_alphanumeric()).unwrap();
            let (head, tail) = text.split_at(last.0);
            let changed = if last.1 == '1' { "2" } else { "1" };
            format!("{head}{changed}{}", &tail[1..]).into()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_that_is_changed_is_refused_also_where_the_archive_signs_it_anew() {
    let world = two_places(2).await;
    let archive = world.open().await.unwrap();
    let (ended, _) = audited(&archive, "n", terms()).await;
    let (bytes, keys) = (reported(&archive, ended.pledge).await.0, keys(&archive).await);
    let size = archive.ledger.size();
    archive.close().await.unwrap();
    let (signer, store) = (Folders::of(world.data.path()).signer().unwrap(), place(&world, "two"));
    let whole: Value = serde_json::from_slice(&bytes).unwrap();
    let mut paths = Vec::new();
    leaves(&whole, String::new(), &mut paths);
    assert!(paths.len() > 60, "{paths:?}");
    for path in &paths {
        let mut changed = whole.clone();
        let value = changed.pointer_mut(path).unwrap();
        *value = other(value);
        let text = serde_json_canonicalizer::to_vec(&changed).unwrap();
        assert_ne!(text, bytes, "{path}");
        let verdict = judged(&text, &keys, None).await;
        assert_eq!(verdict.outcome, Outcome::Tampered, "{path}: {}", verdict.english);
        // What only the archive can say: when, with what, and who did not answer.
        let its_word = ["/report/began", "/report/ended", "/report/made_by", "/signature"];
        if its_word.contains(&path.as_str()) {
            continue;
        }
        let Ok(report) = serde_json::from_value::<Report>(changed["report"].clone()) else { continue };
        let signature = signer.sign_audit(size, report.digest().unwrap()).unwrap();
        let signed = Signed { report, signature }.to_bytes().unwrap();
        let verdict = judged(&signed, &keys, Some(&store)).await;
        assert_eq!(verdict.outcome, Outcome::Tampered, "signed anew, {path}: {}", verdict.english);
    }
    lies(&world, &bytes, &keys, &signer, size).await;
    world.check().await;
}

/// Reports that fit themselves, signed by the archive, and are not of this audit.
async fn lies(world: &World, bytes: &[u8], keys: &[u8], signer: &Signer, size: u64) {
    let store = place(world, "two");
    let lie = async |change: &dyn Fn(&mut Report)| {
        let mut report = Signed::from_bytes(bytes).unwrap().report;
        change(&mut report);
        report.totals = vankho::record::audit::Totals::of(&report.entries, &report.findings);
        let signature = signer.sign_audit(size, report.digest().unwrap()).unwrap();
        judged(&Signed { report, signature }.to_bytes().unwrap(), keys, Some(&store)).await.outcome
    };
    assert_eq!(lie(&|_| {}).await, Outcome::Holds);
    type Case<'a> = (&'a str, &'a dyn Fn(&mut Report));
    let cases: [Case<'_>; 8] = [
        ("an entry less", &|report| drop(report.entries.remove(1))),
        ("an entry twice", &|report| report.entries.push(report.entries[0].clone())),
        ("a place less", &|report| {
            report.entries.iter_mut().flat_map(|one| &mut one.objects).for_each(|seen| seen.whole.retain(|n| *n != 1));
        }),
        ("a component less", &|report| {
            let described = report.entries.iter_mut().find(|one| one.objects.len() > 1).unwrap();
            described.objects.pop();
        }),
        ("nothing read", &|report| report.entries.iter_mut().for_each(|one| one.objects.clear())),
        ("an answer made up", &|report| {
            let seen = report.entries.iter_mut().flat_map(|one| &mut one.objects).next().unwrap();
            seen.answer = Some(Digest::of(b"not read"));
        }),
        ("a smaller sample", &|report| {
            report.share_ppm = 500_000;
            report.confidence_ppm = 500_000;
            report.entries.truncate(1);
        }),
        ("another audit's receipt", &|report| report.pledge -= 1),
    ];
    for (what, change) in cases {
        assert_eq!(lie(change).await, Outcome::Tampered, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_that_was_interrupted_goes_on_and_forgets_nothing() {
    let world = two_places(3).await;
    let archive = world.open().await.unwrap();
    let nonce = Some(read_nonce("n"));
    let pledged = audits::pledge(&archive, archive.operator, nonce, terms()).await.unwrap();
    archive.close().await.unwrap();
    // Half of it was done: something was found, and repaired, before the process died.
    flip(&objects(&world.data.path().join("two"))[2]);
    // An older checkpoint that is gone is made again.
    fs::remove_file(world.archive_folder().join(layout::checkpoint(pledged.size))).unwrap();
    let archive = world.open().await.unwrap();
    let [open] = &told::list(&archive, u64::MAX, 10).await.unwrap()[..] else { panic!() };
    assert_eq!((open.state.as_str(), open.audit, &open.outcome), ("pledged", pledged.seq, &None), "it is told as open");
    while !matches!(fixity::step(&archive, 2, &mut Pace::of(u64::MAX)).await.unwrap(), Step::Ended { .. }) {}
    let again = audits::pledge(&archive, archive.operator, nonce, terms()).await.unwrap();
    assert_eq!(again, pledged, "the same terms are the same audit");
    let other = audits::pledge(&archive, archive.operator, Some(read_nonce("m")), terms()).await.unwrap();
    assert_ne!(other.seq, pledged.seq);
    let ended = audits::carry_out(&archive, &again, &|_, _| {}).await.unwrap();
    let (_, report) = reported(&archive, pledged.seq).await;
    assert_eq!((ended.faults, ended.repaired, report.findings[0].place), (1, 1, 2), "it is not made clean by that");
    assert_eq!(audits::carry_out(&archive, &again, &|_, _| {}).await.unwrap(), ended, "it ends once");
    // A report that is kept, and whose end was not said: nothing is looked at again.
    let records = archive.catalog.counts().await.unwrap().records;
    let (bytes, _) = reported(&archive, pledged.seq).await;
    let kept = archive.keep_report(&other, bytes.clone().into()).await.unwrap();
    assert_eq!(archive.report_kept(&other).await.unwrap(), Some(kept));
    let ended = audits::carry_out(&archive, &other, &|_, _| {}).await.unwrap();
    assert_eq!((ended.record, archive.catalog.counts().await.unwrap().records), (kept, records + 1));
    // Two processes that carry one out keep one report.
    assert_eq!(archive.keep_report(&other, bytes.into()).await.unwrap(), kept);
    assert_eq!(archive.catalog.audits_open().await.unwrap(), []);
    let ends = events(&archive).await.iter().filter(|event| matches!(event, Event::Audited { .. })).count();
    assert_eq!(ends, 2);
    archive.close().await.unwrap();
    world.check().await;
}

/// What looks on is told how far it is, and dropping it leaves the pledge.
#[tokio::test(flavor = "multi_thread")]
async fn an_audit_tells_how_far_it_is_and_can_be_broken_off() {
    let mut world = World::in_places(&["archive"], 1).await;
    world.config.fixity.bytes_per_second_max = 20_000;
    taken_in(&world, 60).await;
    let archive = world.open().await.unwrap();
    let pledged = audits::pledge(&archive, archive.operator, None, terms()).await.unwrap();
    assert_eq!(pledged.nonce_by, NonceBy::Archive);
    let seen = Arc::new(Mutex::new((0, 0)));
    let heard = seen.clone();
    let tell = move |done, of| *heard.lock().unwrap() = (done, of);
    let some = async {
        while seen.lock().unwrap().0 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = audits::carry_out(&archive, &pledged, &tell) => panic!("it takes longer: {done:?}"),
        () = some => {}
    }
    let (done, of) = *seen.lock().unwrap();
    assert!(done > 0 && done < of && of == pledged.size, "{done} of {of}");
    let told = told::one(&archive, pledged.seq).await.unwrap().unwrap();
    assert_eq!((told.state.as_str(), told.outcome), ("pledged", None));
    archive.close().await.unwrap();
    world.config.fixity.bytes_per_second_max = 1 << 40;
    let archive = world.open().await.unwrap();
    let ended = audits::audit(&archive, archive.operator, None, terms(), &|_, _| {}).await.unwrap();
    assert_eq!((ended.pledge, ended.faults), (pledged.seq, 0));
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_audits_itself_by_the_calendar() {
    let mut world = two_places(2).await;
    let archive = world.open().await.unwrap();
    worker::audits::round(&archive).await.unwrap();
    assert_eq!(told::list(&archive, u64::MAX, 10).await.unwrap(), [], "nobody planned any");
    archive.close().await.unwrap();
    world.config.audit.calendar = Calendar::Monthly;
    // The world begins on 29 May.
    for (days, audits) in [(0, 1), (1, 1), (2, 2), (20, 2), (10, 3)] {
        world.micros.fetch_add(days * DAY, Ordering::SeqCst);
        let archive = world.open().await.unwrap();
        worker::audits::round(&archive).await.unwrap();
        worker::audits::round(&archive).await.unwrap();
        let told = told::list(&archive, u64::MAX, 10).await.unwrap();
        assert_eq!(told.len(), audits, "{days} days later");
        assert!(told.iter().all(|one| one.state == "ended" && one.nonce_by == "archive"), "{told:?}");
        archive.close().await.unwrap();
    }
    // What somebody asked for is carried out by the next round.
    let archive = world.open().await.unwrap();
    let asked = audits::pledge(&archive, archive.operator, Some(read_nonce("n")), terms()).await.unwrap();
    worker::audits::round(&archive).await.unwrap();
    assert_eq!(told::one(&archive, asked.seq).await.unwrap().unwrap().state, "ended");
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_secret_records_the_report_shows_nothing() {
    let world = World::in_places(&["archive"], 1).await;
    let archive = world.open().await.unwrap();
    let row = |access: &str| format!("{{\"subject\":\"{access}\",\"access\":\"{access}\",\"text\":\"{access}\"}}\n");
    let manifest = world.file("in.jsonl", ["public", "conditional", "secret"].map(row).concat());
    world.ingest_all(&archive, &manifest).await;
    let (ended, report) = audited(&archive, "n", terms()).await;
    let (bytes, keys) = (reported(&archive, ended.pledge).await.0, keys(&archive).await);
    let text = String::from_utf8(bytes.clone()).unwrap();
    for known in archive.catalog.records(0, 100).await.unwrap().iter().filter(|known| known.record != ended.record) {
        let (record, description) = (known.record.to_string(), known.description.to_string());
        let shown = [text.contains(&record), text.contains(&description)];
        assert_eq!(shown, [known.access != "secret"; 2], "{}", known.access);
    }
    assert_eq!((report.totals.withheld, report.totals.described), (1, 3), "it was read all the same");
    let verdict = judged(&bytes, &keys, Some(&place(&world, "archive"))).await;
    assert_eq!(verdict.outcome, Outcome::Holds, "{}", verdict.english);
    assert!(verdict.english.contains("1 entries of secret records"), "{}", verdict.english);
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_does_not_answer_is_told_and_nothing_is_called_lost() {
    let world = World::in_places(&PLACES.map(|(name, _)| name), 1).await;
    taken_in(&world, 3).await;
    let archive = world.open().await.unwrap();
    archive.healing.round(&|_, _| {}).await;
    let two = world.data.path().join("two");
    fs::rename(&two, world.data.path().join("away")).unwrap();
    fs::write(&two, b"no folder").unwrap();
    let (ended, report) = audited(&archive, "n", terms()).await;
    assert_eq!((report.places.as_slice(), report.away.as_slice(), ended.lost), (&[1][..], &[2][..], 0));
    assert!(report.limits().len() > 5, "and it says what that means");
    let (bytes, keys) = (reported(&archive, ended.pledge).await.0, keys(&archive).await);
    let verdict = judged(&bytes, &keys, Some(&place(&world, "archive"))).await;
    assert_eq!(verdict.outcome, Outcome::Holds, "{}", verdict.english);
    fs::remove_file(&two).unwrap();
    fs::rename(world.data.path().join("away"), &two).unwrap();
    archive.close().await.unwrap();
    world.check().await;
}
