//! Three servers on one S3 server, each with a data folder of its own: records come in over HTTP while the servers
//! are killed and started again at random. Hundreds in a usual run, 30,000 and 50 kills when `VANKHO_FULL=1`;
//! `VANKHO_RECORDS` says another number, and `VANKHO_SEED` when they are killed.

use crate::{
    processes::{PREFIX, check, found, full, succeeds},
    server::Server,
    service::{Service, Visitor, key},
    world::{Acknowledged, Chance},
};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

const PROCESSES: usize = 3;
const CONNECTIONS: usize = 48;
/// Of so many records one is asked for at another server as soon as it is acknowledged.
const ASKED_FOR: u64 = 7;
/// Within this, what one server acknowledges another answers: half of the time at least.
const SOON: Duration = Duration::from_secs(1);
/// A request that is not answered by then is made again: its server may be gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a server listens, as long as it runs, and how often it was started.
#[derive(Clone, Default)]
struct Seat {
    address: Option<String>,
    starts: u64,
}

/// The servers as their clients see them, and what came of the clients' work.
struct Shared {
    lan: Visitor,
    seats: [RwLock<Seat>; PROCESSES],
    records: u64,
    next: AtomicU64,
    kept: Mutex<BTreeMap<u64, Acknowledged>>,
    /// How long it took until another server answered.
    delays: Mutex<Vec<Duration>>,
    /// Those that another server answered when it had been killed meanwhile.
    interrupted: AtomicU64,
}

impl Shared {
    fn seat(&self, n: usize) -> Seat {
        self.seats[n % PROCESSES].read().unwrap().clone()
    }

    fn kept(&self) -> usize {
        self.kept.lock().unwrap().len()
    }

    /// One of those who hand records over, until there are no more.
    async fn work(self: Arc<Shared>) {
        loop {
            let n = self.next.fetch_add(1, SeqCst);
            if n >= self.records {
                return;
            }
            let (at, one) = self.deposit(n).await;
            let record = one.record;
            let before = self.kept.lock().unwrap().insert(n, one);
            assert!(before.is_none());
            if n.is_multiple_of(ASKED_FOR) {
                self.answered_elsewhere(at, &record.to_string()).await;
            }
        }
    }

    /// One record under one key, at this server or that, until it is acknowledged; and which server did that.
    async fn deposit(&self, n: u64) -> (usize, Acknowledged) {
        let external_id = format!("vb-{n}");
        let row = format!(
            r#"{{"external_id":"{external_id}","subject":"văn bản số {n}","text":"toàn văn của văn bản {n}"}}"#
        );
        let key = key(n);
        for at in n as usize.. {
            let Some(address) = self.seat(at).address else {
                sleep(Duration::from_millis(10)).await;
                continue;
            };
            let asked = self.lan.deposit(&address, &key, &row, &[]);
            // Nobody knows what became of it where the server was killed: the same key is sent to the next.
            let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE, asked).await else { continue };
            if let Some(one) = acknowledged(answer, &external_id).await {
                return (at % PROCESSES, one);
            }
            sleep(Duration::from_millis(50)).await;
        }
        unreachable!("there is always another server");
    }

    /// How long until another server answers for a record.
    async fn answered_elsewhere(&self, from: usize, record: &str) {
        let at = from + 1 + record.len() % (PROCESSES - 1);
        let (before, began) = (self.seat(at), Instant::now());
        let Some(address) = before.address else { return };
        let path = format!("/api/v1/records/{record}");
        while self.seat(at).starts == before.starts && self.seat(at).address.is_some() {
            match self.lan.get(&address, &path).send().await.map(|answer| answer.status()) {
                Ok(StatusCode::OK) => return self.delays.lock().unwrap().push(began.elapsed()),
                Ok(StatusCode::NOT_FOUND) => sleep(Duration::from_millis(5)).await,
                // It is asked too much, or opens its archive again, or is gone: told by its absence alone.
                _ => sleep(Duration::from_millis(50)).await,
            }
        }
        self.interrupted.fetch_add(1, SeqCst);
    }
}

/// What a server answered, if it took the record in.
async fn acknowledged(answer: Response, external_id: &str) -> Option<Acknowledged> {
    let status = answer.status().as_u16();
    // A server that is killed in the middle of its answer has not given it.
    let told: Value = answer.json().await.ok()?;
    assert!(matches!(status, 200 | 201 | 408 | 409 | 429 | 503), "{status}: {told}");
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    matches!(status, 200 | 201).then(|| Acknowledged {
        external_id: external_id.into(),
        record: text("record").parse().unwrap(),
        receipt: text("receipt"),
    })
}

/// Three servers of one archive that know the same accounts, all of them running.
async fn start(storage: &Server) -> (Vec<Service>, Visitor) {
    let datas = found(storage, PROCESSES);
    let address = storage.address(PREFIX);
    let [key_id, secret] = Server::keys();
    let environment = [key_id, secret, ("VANKHO_STORAGE__PLACES", &address)];
    let mut services: Vec<Service> = datas.into_iter().map(|data| Service::on(data, &environment)).collect();
    // The accounts are made before any of them is started: a desk that has been in use is its process's own.
    let lan = services[0].actor("lan", "archivist", "Sở Nội vụ");
    let desk = |service: &Service| service.data.path().join("desk");
    for other in &services[1..] {
        fs::create_dir(desk(other)).unwrap();
        fs::copy(desk(&services[0]).join("desk.db"), desk(other).join("desk.db")).unwrap();
    }
    for service in &mut services {
        service.resume().await;
    }
    (services, lan)
}

/// Kills and starts again, at random, while records come in: spread over all of them.
async fn kill_at_random(services: &mut [Service], shared: &Shared, kills: usize, chance: &mut Chance) {
    for kill in 0..kills {
        let from = shared.records as usize * (kill + 1) / (kills + 2);
        while shared.kept() < from {
            sleep(Duration::from_millis(5)).await;
        }
        sleep(Duration::from_millis(chance.below(100))).await;
        let n = chance.below(PROCESSES as u64) as usize;
        shared.seats[n].write().unwrap().address = None;
        services[n].kill();
        // Sometimes it is away for a while.
        sleep(Duration::from_millis(chance.below(4) * 100)).await;
        services[n].resume().await;
        *shared.seats[n].write().unwrap() = seat(&services[n], kill as u64 + 2);
    }
}

fn seat(service: &Service, starts: u64) -> Seat {
    Seat { address: Some(service.address.clone()), starts }
}

/// What a server answers to questions, once it has found everything that there is.
async fn answers(service: &Service, lan: &Visitor, entries: u64) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let page = lan.json(&service.address, "/api/v1/search?limit=1").await;
        if page["applied"].as_u64() == Some(entries) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{page} of {entries} entries");
        sleep(Duration::from_millis(50)).await;
    }
    let mut answers = Vec::new();
    for words in ["", "toan van", "van ban 13", "%22v%C4%83n b%E1%BA%A3n%22", "s%E1%BB%91 1"] {
        let path = format!("/api/v1/search?facets=true&limit=100&q={}", words.replace(' ', "%20"));
        answers.push(lan.json(&service.address, &path).await);
    }
    answers
}

/// What half of them took at most, and 99 of 100.
fn told(delays: &mut [Duration]) -> (Duration, Duration) {
    delays.sort_unstable();
    let at = |percent: usize| delays.get((delays.len() * percent / 100).min(delays.len().saturating_sub(1)));
    (at(50).copied().unwrap_or_default(), at(99).copied().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_killed_at_random_keep_one_history_and_answer_alike() {
    let (records, kills) = match std::env::var("VANKHO_RECORDS").ok().and_then(|records| records.parse().ok()) {
        Some(records) => (records, records as usize / 600),
        None => {
            if full() {
                (30_000, 50)
            } else {
                (400, 4)
            }
        }
    };
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (storage, began) = (Server::start(), Instant::now());
    let (mut services, lan) = start(&storage).await;
    let seats = [0, 1, 2].map(|n| RwLock::new(seat(&services[n], 1)));
    let shared = Arc::new(Shared {
        lan: lan.clone(),
        seats,
        records,
        next: AtomicU64::new(0),
        kept: Mutex::default(),
        delays: Mutex::default(),
        interrupted: AtomicU64::new(0),
    });
    let (mut clients, mut chance, coming) = (JoinSet::new(), Chance(seed), Instant::now());
    for _ in 0..CONNECTIONS {
        clients.spawn(shared.clone().work());
    }
    kill_at_random(&mut services, &shared, kills, &mut chance).await;
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    let coming = coming.elapsed();
    let heard: Vec<Acknowledged> = shared.kept.lock().unwrap().values().cloned().collect();
    assert_eq!(heard.len() as u64, records, "everything is acknowledged in the end");
    let (half, most) = told(&mut shared.delays.lock().unwrap());
    let (asked, away) = (shared.delays.lock().unwrap().len(), shared.interrupted.load(SeqCst));
    eprintln!(
        "{records} records over {CONNECTIONS} connections to {PROCESSES} servers in {:.1} s, {kills} kills, seed {seed}; \
         another answers after {half:?} (half of {asked}), {most:?} (99 of 100); {away} were killed meanwhile",
        coming.as_secs_f64()
    );
    same_answers(&storage, &mut services, &lan, records).await;
    let datas: Vec<_> = services.iter().map(|service| service.data.path().to_owned()).collect();
    let asked = Instant::now();
    tokio::task::spawn_blocking(move || check(&storage, &datas, &heard)).await.unwrap();
    eprintln!("checked in {:.1} s, all in {:.1} s", asked.elapsed().as_secs_f64(), began.elapsed().as_secs_f64());
    // What a crowded machine adds to the slowest is told above and no fault.
    assert!(half <= SOON, "half of them within {half:?}");
}

/// All of them give the same answers, before and after each has been built anew, and the one log verifies.
async fn same_answers(storage: &Server, services: &mut [Service], lan: &Visitor, records: u64) {
    let status = lan.json(&services[0].address, "/api/v1/status").await;
    assert_eq!(status["records"].as_u64(), Some(records), "nothing is lost and nothing is doubled");
    let entries = status["entries"].as_u64().unwrap();
    let first = answers(&services[0], lan, entries).await;
    assert_eq!(first[0]["total"].as_u64(), Some(records), "each is found once");
    for service in &services[1..] {
        assert!(answers(service, lan, entries).await == first, "a server answers otherwise than the first");
    }
    for service in services.iter_mut() {
        assert_eq!(service.terminate(), Some(0));
    }
    let timed = |what: &str, data: &Path, arguments: &[&str]| {
        let began = Instant::now();
        succeeds(storage, data, arguments);
        eprintln!("{what}: {:.1} s", began.elapsed().as_secs_f64());
    };
    timed("verify archive", services[0].data.path(), &["verify", "archive"]);
    for service in services.iter_mut() {
        timed("rebuild", service.data.path(), &["rebuild"]);
        service.resume().await;
        assert!(answers(service, lan, entries).await == first, "a server answers otherwise after its rebuild");
        assert_eq!(service.terminate(), Some(0));
    }
}
