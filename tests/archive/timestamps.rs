//! Checkpoints are timestamped: judged, kept at every place, named in the ledger, renewed in time, and a debt where not.

use crate::{
    authority::{Authority, Mood, openssl_verifies},
    world::{PROGRAM, World},
};
use std::{fs, path::Path, process::Command, sync::atomic::Ordering};
use vankho::{
    access::answer,
    archive::Archive,
    evidence::{self, timestamps},
    ledger::{
        authority::{Certificates, Distrust},
        keys::Signer,
        log::{Appended, Ledger},
        timestamp::Token,
    },
    record::{
        digest::Digest,
        entry::{Entry, Event, Instant},
        id::ActorId,
        stamp::AuthorityCode,
    },
    store::{Place, Replicas, Store, layout},
    verify::{
        Outcome,
        archive::{Report, Scope, Trusted, audit},
        receipt::{Outside, verify_outside},
    },
};

const DAY: i64 = 86_400_000_000;

/// An archive in two places, both required, with some records, that this authority stamps.
pub async fn stamped_by(authority: impl Fn(&World) -> Authority) -> (World, Authority) {
    let mut world = World::in_places(&["archive", "two"], 2).await;
    let authority = authority(&world);
    world.config.evidence.authorities = vec![authority.configured("thu")];
    for name in ["một", "hai"] {
        world.file(&format!("in/{name}.txt"), format!("Quyết định {name} về việc phê duyệt kế hoạch"));
    }
    let archive = world.open().await.unwrap();
    world.ingest_all(&archive, &world.inbox.path().join("in")).await;
    archive.close().await.unwrap();
    (world, authority)
}

fn move_on(world: &World, micros: i64) {
    world.micros.fetch_add(micros, Ordering::SeqCst);
}

/// Asks the authority whatever the hour, and tells what came of it.
pub async fn ask(archive: &Archive) -> Result<Option<u64>, String> {
    let mut asked = timestamps::once(archive).await;
    asked.remove(0).1.map_err(|fault| fault.to_string())
}

/// Asks it where that is due.
async fn look(archive: &Archive) -> Option<u64> {
    archive.publish().await.unwrap();
    timestamps::round(archive, &archive.authorities[0]).await.unwrap()
}

async fn report(world: &World, place: &str, number: u32, trusted: Option<&Certificates>) -> Report {
    let store = Store::of(Place::local(&world.data.path().join(place)).unwrap(), number, Replicas::default());
    let trusted = Trusted { authorities: trusted.cloned(), ..Trusted::default() };
    audit(&store, Scope::Archive, &trusted, &|_, _| {}).await
}

pub fn trusted(authority: &Authority) -> Certificates {
    Certificates::parse(&fs::read(authority.root()).unwrap()).unwrap()
}

fn kept(world: &World, place: &str) -> Vec<String> {
    let folder = world.data.path().join(place).join(layout::TIMESTAMPS);
    let mut names: Vec<String> = fs::read_dir(folder)
        .map_or_else(|_| Vec::new(), |all| all.map(|one| one.unwrap().file_name().into_string().unwrap()).collect());
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_stamped_kept_at_every_place_and_verified_by_anybody() {
    for kind in ["rsa:2048", "ec"] {
        let (world, authority) = stamped_by(|world| Authority::start(&world.micros, kind, 3000)).await;
        let archive = world.open().await.unwrap();
        let entry = ask(&archive).await.unwrap().expect("a checkpoint is stamped");
        assert_eq!(ask(&archive).await.map(|again| again.is_some()), Ok(true), "the stamp itself is a new entry");
        let state = answer::state(&archive).await.unwrap();
        let [one] = &state.authorities[..] else { panic!("{:?}", state.authorities) };
        assert_eq!((one.code.as_str(), one.asked, one.behind, one.ending, &one.why), ("thu", true, 0, false, &None));
        let record = world.acknowledged.lock().unwrap()[0].record;
        let timely = evidence::timely(&archive, record, false).await.unwrap().expect("it is covered");
        let keys = archive.store.read(layout::KEYS).await.unwrap();
        archive.close().await.unwrap();
        let trusted = trusted(&authority);
        for (place, number) in [("archive", 1), ("two", 2)] {
            assert_eq!(kept(&world, place), kept(&world, "archive"));
            assert_eq!(kept(&world, place).len(), 4);
            let seen = report(&world, place, number, Some(&trusted)).await;
            assert_eq!((seen.outcome(), &seen.faults[..]), (Outcome::Holds, &[][..]), "{place}");
            let alone = report(&world, place, number, None).await;
            assert_eq!(alone.outcome(), Outcome::Incomplete, "whose root it is, is not known: {:?}", alone.faults);
            let token = world.data.path().join(place).join(format!("log/timestamps/{entry}.thu.tsr"));
            let checkpoint = world.data.path().join(place).join(layout::checkpoint(entry));
            let now = world.micros.load(Ordering::SeqCst) / 1_000_000;
            assert!(openssl_verifies(&token, &checkpoint, &authority.root(), now), "another program says the same");
        }
        receipts(&world, &authority, &timely, &keys);
        world.check().await;
    }
}

/// The three verifiers agree on a receipt with its token.
fn receipts(world: &World, authority: &Authority, timely: &evidence::Timely, keys: &[u8]) {
    let folder = world.inbox.path();
    let at = |name: &str| folder.join(name).display().to_string();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    let file = "Quyết định một về việc phê duyệt kế hoạch".as_bytes();
    let other = "Quyết định hai về việc phê duyệt kế hoạch".as_bytes();
    let named = String::from_utf8_lossy(&timely.evidence.description).contains(&Digest::of(file).to_string());
    let file = if named { file } else { other };
    write("receipt", timely.evidence.receipt.as_bytes());
    write("description", &timely.evidence.description);
    write("keys", keys);
    write("file", file);
    write("token", &timely.token);
    write("root", &fs::read(authority.root()).unwrap());
    let stranger = Authority::start(&world.micros, "ec", 3000);
    write("stranger", &fs::read(stranger.root()).unwrap());
    let mut altered = timely.token.to_vec();
    // The signature comes last.
    let last = altered.len() - 3;
    altered[last] ^= 1;
    write("altered", &altered);
    write("garbage", b"no token");
    write("empty", b"");
    for (token, root, expected) in [
        ("token", "root", 0),
        ("token", "stranger", 1),
        ("altered", "root", 1),
        ("garbage", "root", 1),
        ("empty", "root", 1),
        ("token", "garbage", 3),
        ("token", "empty", 3),
    ] {
        let (bytes, pem) = (fs::read(folder.join(token)).unwrap(), fs::read(folder.join(root)).unwrap());
        let outside = Outside { policy: None, timestamp: Some((&bytes, &pem)) };
        let receipt = timely.evidence.receipt.as_bytes();
        let verdict =
            verify_outside(receipt, keys, outside, Some(&timely.evidence.description), Some(Digest::of(file)));
        assert_eq!(verdict.outcome.exit_code(), expected, "{token} {root}: {}", verdict.english);
        let words = [
            &at("receipt"),
            &at("file"),
            &at("keys"),
            "--description",
            &at("description"),
            "--timestamp",
            &at(token),
            "--authorities",
            &at(root),
        ]
        .map(str::to_owned);
        for program in [
            [PROGRAM.to_owned(), "verify".into(), "receipt".into()].to_vec(),
            ["bash".to_owned(), script("verify.sh"), "receipt".into()].to_vec(),
            ["python3".to_owned(), script("verify.py"), "receipt".into()].to_vec(),
        ] {
            let done = Command::new(&program[0]).args(&program[1..]).args(&words).output().unwrap();
            let told = String::from_utf8_lossy(&done.stdout);
            assert_eq!(done.status.code(), Some(i32::from(expected)), "{program:?} {token} {root}: {told}");
            assert!(expected != 0 || told.contains("timestamp") || told.contains("dấu thời gian"), "{told}");
        }
    }
}

fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/archive/place").join(name).display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_hold_is_not_kept_and_is_told() {
    let (world, authority) = stamped_by(|world| Authority::start(&world.micros, "ec", 3000)).await;
    let archive = world.open().await.unwrap();
    let first = ask(&archive).await.unwrap().unwrap();
    let before = kept(&world, "archive");
    for (mood, expected) in [
        (Mood::Down, "503"),
        (Mood::Repeats, "nonce"),
        (Mood::Refuses, "refused"),
        (Mood::Babbles, "no answer"),
        (Mood::Behind, "clock"),
    ] {
        authority.mood(mood);
        let fault = ask(&archive).await.unwrap_err();
        assert!(fault.contains(expected), "{mood:?}: {fault}");
        let state = answer::state(&archive).await.unwrap();
        assert_eq!(state.authorities[0].why.as_deref(), Some(fault.as_str()));
    }
    authority.mood(Mood::Answers);
    // A certificate of the same root that is for something else.
    authority.certify("ec", 3000, "other");
    let chain = [fs::read(authority.leaf()).unwrap(), fs::read(authority.root()).unwrap()].concat();
    let chain = Certificates::parse(&chain).unwrap();
    let leaf = chain.all().next().unwrap();
    assert_eq!(chain.vouch(leaf, archive.clock.now()), Err(Distrust::NotForTimestamps));
    authority.certify("ec", 3000, "purpose");
    authority.revoke();
    let revoked = ask(&archive).await.unwrap_err();
    assert!(revoked.contains("revoked"), "{revoked}");
    assert_eq!(kept(&world, "archive"), before, "nothing was kept that does not hold");
    authority.certify("rsa:2048", 3000, "purpose");
    assert!(ask(&archive).await.unwrap().unwrap() > first, "and when it is well again, it goes on");
    assert_eq!(answer::state(&archive).await.unwrap().authorities[0].why, None);
    archive.close().await.unwrap();
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hourly_while_it_grows_daily_while_it_does_not() {
    let (world, authority) = stamped_by(|world| Authority::start(&world.micros, "ec", 3000)).await;
    let archive = world.open().await.unwrap();
    assert!(look(&archive).await.is_some(), "at once, for there is none");
    let hour = DAY / 24;
    for (hours, grows, expected) in
        [(0, true, false), (1, false, true), (2, false, false), (23, false, true), (3, true, true), (1, false, false)]
    {
        move_on(&world, hours * hour);
        if grows {
            world.file(&format!("more/{hours}.txt"), format!("Báo cáo số {hours}"));
            world.ingest_all(&archive, &world.inbox.path().join("more")).await;
        }
        assert_eq!(look(&archive).await.is_some(), expected, "after {hours} hours more, growing: {grows}");
    }
    archive.close().await.unwrap();
    drop(authority);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timestamp_is_renewed_before_its_certificate_ends() {
    let (world, authority) = stamped_by(|world| Authority::start(&world.micros, "ec", 60)).await;
    let archive = world.open().await.unwrap();
    ask(&archive).await.unwrap().unwrap();
    assert!(!answer::state(&archive).await.unwrap().authorities[0].ending);
    move_on(&world, 40 * DAY);
    assert!(answer::state(&archive).await.unwrap().authorities[0].ending, "in 20 days it ends: that is told");
    authority.certify("rsa:2048", 3650, "purpose");
    ask(&archive).await.unwrap().unwrap();
    assert!(!answer::state(&archive).await.unwrap().authorities[0].ending);
    move_on(&world, 3000 * DAY);
    authority.certify("ec", 3650, "purpose");
    ask(&archive).await.unwrap().unwrap();
    archive.close().await.unwrap();
    let seen = report(&world, "archive", 1, Some(&trusted(&authority))).await;
    assert_eq!((seen.outcome(), &seen.faults[..]), (Outcome::Holds, &[][..]), "eight years on, the first still holds");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timestamp_that_was_not_renewed_is_named() {
    let (world, authority) = stamped_by(|world| Authority::start(&world.micros, "ec", 60)).await;
    let archive = world.open().await.unwrap();
    let first = ask(&archive).await.unwrap().unwrap();
    move_on(&world, 61 * DAY);
    authority.certify("ec", 3650, "purpose");
    ask(&archive).await.unwrap().unwrap();
    archive.close().await.unwrap();
    let seen = report(&world, "archive", 1, Some(&trusted(&authority))).await;
    assert_eq!(seen.outcome(), Outcome::Incomplete);
    let [fault] = &seen.faults[..] else { panic!("{:?}", seen.faults) };
    assert_eq!(fault.path, format!("log/timestamps/{first}.thu.tsr"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_no_entry_names_is_dropped_by_the_next_start() {
    let (mut world, _authority) = stamped_by(|world| Authority::start(&world.micros, "ec", 60)).await;
    let archive = world.open().await.unwrap();
    archive.publish().await.unwrap();
    let size = archive.ledger.size();
    let note = archive.store.read(&layout::checkpoint(size)).await.unwrap();
    let code = AuthorityCode::try_from("thu".to_owned()).unwrap();
    let keep = |token: &'static str, chain: &'static str| {
        archive.keep_token((size, note.clone()), &code, token.into(), chain.into())
    };
    drop(keep("token", "chain").await.unwrap().expect("nobody was first"));
    for (token, chain) in [("another", "chain"), ("token", "another")] {
        assert!(keep(token, chain).await.unwrap().is_none(), "somebody was first with one of them, which stands");
    }
    assert_eq!(kept(&world, "two").len(), 2);
    archive.close().await.unwrap();
    let under_way = report(&world, "archive", 1, None).await;
    assert_eq!((under_way.outcome(), under_way.under_way.len()), (Outcome::Holds, 2), "an intent names them");
    // Where a replica is away, it opens, and the promise to drop what lies there stands.
    let (two, away) = (world.data.path().join("two"), world.data.path().join("two.away"));
    fs::rename(&two, &away).unwrap();
    fs::write(&two, b"no folder").unwrap();
    world.config.storage.required = 1;
    world.open().await.unwrap().close().await.unwrap();
    fs::remove_file(&two).unwrap();
    fs::rename(&away, &two).unwrap();
    world.config.storage.required = 2;
    assert_eq!((kept(&world, "archive").len(), kept(&world, "two").len()), (0, 2));
    world.open().await.unwrap().close().await.unwrap();
    assert_eq!((kept(&world, "archive").len(), kept(&world, "two").len()), (0, 0));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_of_a_timestamp_that_is_altered_gone_or_slipped_in_is_named() {
    let (world, authority) = stamped_by(|world| Authority::start(&world.micros, "ec", 600)).await;
    let archive = world.open().await.unwrap();
    let size = ask(&archive).await.unwrap().unwrap();
    archive.close().await.unwrap();
    let trusted = trusted(&authority);
    for (place, number) in [("archive", 1), ("two", 2)] {
        let checkpoint = format!("log/checkpoints/{size}");
        for path in
            [format!("log/timestamps/{size}.thu.tsr"), format!("log/timestamps/{size}.thu.chain.pem"), checkpoint]
        {
            let at = world.data.path().join(place).join(&path);
            let bytes = fs::read(&at).unwrap();
            let mut flipped = bytes.clone();
            flipped[bytes.len() / 3] ^= 4;
            for damaged in [Some(&flipped[..]), Some(&bytes[1..]), None] {
                match damaged {
                    Some(damaged) => fs::write(&at, damaged).unwrap(),
                    None => fs::remove_file(&at).unwrap(),
                }
                let seen = report(&world, place, number, Some(&trusted)).await;
                assert_eq!(seen.outcome(), Outcome::Tampered, "{place} {path}");
                assert!(seen.faults.iter().any(|fault| fault.path == path), "{path}: {:?}", seen.faults);
            }
            fs::write(&at, &bytes).unwrap();
        }
        let slipped = format!("log/timestamps/{size}.khac.tsr");
        let at = world.data.path().join(place).join(&slipped);
        fs::write(&at, b"x").unwrap();
        let seen = report(&world, place, number, Some(&trusted)).await;
        assert_eq!(seen.faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), [slipped.as_str()]);
        fs::remove_file(&at).unwrap();
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_missed_timestamps_is_given_them() {
    let (mut world, _authority) = stamped_by(|world| Authority::start(&world.micros, "ec", 600)).await;
    world.config.storage.required = 1;
    let archive = world.open().await.unwrap();
    ask(&archive).await.unwrap().unwrap();
    archive.close().await.unwrap();
    fs::remove_dir_all(world.data.path().join("two")).unwrap();
    let archive = world.open().await.unwrap();
    archive.desk.forget_healed(2).await.unwrap();
    archive.close().await.unwrap();
    world.check().await;
}

/// An archive whose writer holds its clock back: entries after a timestamp seem to be from before it.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_backdated_is_found() {
    let world = World::on_disk().await;
    let authority = Authority::start(&world.micros, "ec", 600);
    let archive = world.open().await.unwrap();
    archive.publish().await.unwrap();
    let (size, at) = (archive.ledger.size(), archive.clock.now());
    let secret = fs::read_to_string(world.data.path().join("secret/signing.key")).unwrap();
    let (signer, keys) = (Signer::from_secret_text(secret.trim_end()).unwrap(), archive.ledger.keys().clone());
    let operator = archive.operator;
    archive.close().await.unwrap();
    move_on(&world, DAY);
    let folder = world.archive_folder();
    let note = fs::read(folder.join(layout::checkpoint(size))).unwrap();
    let token = token_of(&authority, &note).await;
    let trusted = trusted(&authority);
    let read = Token::read(&token).unwrap();
    let stamp = read.verify(Digest::of(&note), &trusted).unwrap();
    let chain = trusted.clone().with_brought(&read.brought).to_pem();
    fs::write(folder.join(format!("log/timestamps/{size}.thu.tsr")), &token).unwrap();
    fs::write(folder.join(format!("log/timestamps/{size}.thu.chain.pem")), &chain).unwrap();
    let event = Event::Timestamped {
        size,
        checkpoint: Digest::of(&note),
        authority: AuthorityCode::try_from("thu".to_owned()).unwrap(),
        time: stamp.time,
        until: stamp.until,
        token: Digest::of(&token),
        chain: Digest::of(chain.as_bytes()),
    };
    let outcomes = [(at, Outcome::Tampered), (Instant::from_micros(at.micros() + DAY), Outcome::Holds)];
    for (at, expected) in outcomes {
        let copy = world.data.path().join(format!("copy-{}", at.micros()));
        assert!(Command::new("cp").arg("-a").arg(&folder).arg(&copy).status().unwrap().success());
        let store = Store::local(&copy).unwrap();
        let signer = Signer::from_secret_text(&signer.to_secret_text()).unwrap();
        let ledger = Ledger::open(store.clone(), signer.into(), keys.clone()).await.unwrap();
        while ledger.catch_up().await.unwrap().is_some() {}
        let entry = entry_of(at, operator, event.clone());
        assert!(matches!(ledger.append(vec![entry]).await.unwrap(), Appended::Committed(_)));
        ledger.publish().await.unwrap();
        let believed = Trusted { authorities: Some(trusted.clone()), ..Trusted::default() };
        let report = audit(&store, Scope::Archive, &believed, &|_, _| {}).await;
        assert_eq!(report.outcome(), expected, "{at}: {:?}", report.faults);
    }
}

fn entry_of(at: Instant, by: ActorId, event: Event) -> Vec<u8> {
    Entry { at, by, request: Digest::of(b"backdated"), event, v: 1 }.to_bytes().unwrap()
}

async fn token_of(authority: &Authority, note: &[u8]) -> Vec<u8> {
    let request = vankho::ledger::timestamp::request(Digest::of(note), &[9; 16]).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.post(format!("{}/tsa", authority.address)).body(request).send().await.unwrap();
    answer.bytes().await.unwrap().to_vec()
}
