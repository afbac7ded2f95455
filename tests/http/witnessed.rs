//! An archive with witnesses: cosignatures are collected, kept, served and verified; one that is down is a debt.

use crate::service::{Service, Visitor, key};
use crate::witness::Witness;
use crate::world::{Chance, ORIGIN, PROGRAM, folder};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use vankho::ledger::{
    cosignature::WitnessKey,
    keys::{KeyFile, Signer},
    note::Note,
    tile,
};
use vankho::record::digest::Digest;

const FILE: &[u8] = b"toan van quyet dinh";

struct House {
    service: Service,
    witnesses: Vec<Witness>,
    lan: Visitor,
    settings: TempDir,
}

impl House {
    /// An archive that two witnesses follow.
    async fn start() -> House {
        let settings = folder();
        let config = settings.path().join("vankho.toml");
        fs::write(&config, "").unwrap();
        let mut service = Service::with(&[("VANKHO_CONFIG", config.to_str().unwrap())]).await;
        let lan = service.actor("lan", "archivist", "Sở Nội vụ");
        assert_eq!(service.terminate(), Some(0));
        let keys = service.data.path().join("archive/keys/archive.keys");
        let mut witnesses: Vec<Witness> = ["một.example.vn", "hai.example.vn"]
            .iter()
            .map(|name| Witness::make(name, std::slice::from_ref(&keys)))
            .collect();
        witnesses.iter_mut().for_each(Witness::resume);
        let house = House { service, witnesses, lan, settings };
        house.configure(|_| true);
        let mut house = house;
        house.service.resume().await;
        house.service.pin();
        house
    }

    fn configure(&self, asked: impl Fn(usize) -> bool) {
        let lines = self.witnesses.iter().enumerate().map(|(n, witness)| {
            let url = if asked(n) { &witness.address } else { "" };
            format!("  {{ url = \"{url}\", key = \"{}\" }},\n", witness.key)
        });
        let lines: String = lines.collect();
        let text =
            format!("[evidence]\nwitness_interval_ms = 50\nwitness_timeout_ms = 2000\nwitnesses = [\n{lines}]\n");
        fs::write(self.settings.path().join("vankho.toml"), text).unwrap();
    }

    async fn deposit(&self, n: u64) -> String {
        let description =
            format!("{{\"external_id\":\"{n}\",\"subject\":\"Quyết định số {n}\",\"access\":\"public\"}}");
        let answer = self.lan.deposit(&self.service.address, &key(n), &description, &[("a.txt", FILE)]).await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        let said: Value = answer.json().await.unwrap();
        said["record"].as_str().unwrap().to_owned()
    }

    async fn status(&self) -> Value {
        let mut status = self.lan.json(&self.service.address, "/api/v1/status").await;
        // A record that waits to be read is another entry soon.
        match status["waiting"] == 0 {
            true => status["witnesses"].take(),
            false => Value::Null,
        }
    }

    /// Waits until the status is as it should be.
    async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) {
        let began = Instant::now();
        loop {
            let status = self.status().await;
            if holds(&status) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{what}: {status}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn signed(&self) {
        let settled = |witness: &Value| witness["behind"] == 0 && witness["why"].is_null();
        self.until("all is cosigned", |status| status.as_array().is_some_and(|all| all.iter().all(settled))).await;
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.lan.get(&self.service.address, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    fn keys(&self) -> std::path::PathBuf {
        self.service.data.path().join("archive/keys/archive.keys")
    }
}

fn cosigned_by(note: &str, witness: &Witness) -> bool {
    witness.key.cosigned(&Note::parse(note).unwrap()).unwrap().is_some()
}

fn policy(witnesses: &[&WitnessKey], count: usize) -> String {
    let lines = witnesses.iter().enumerate().map(|(n, key)| format!("witness w{n} {key}\n")).collect::<String>();
    let names = (0..witnesses.len()).map(|n| format!(" w{n}")).collect::<String>();
    format!("{lines}group g {count}{names}\nquorum g\n")
}

/// The three verifiers over one receipt, with the programs that lie in the archive itself.
fn judged(house: &House, place: &Path) -> [i32; 3] {
    let archive = house.service.data.path().join("archive");
    let options = ["receipt", "file"].map(str::to_owned).to_vec();
    let keys = house.keys().to_str().unwrap().to_owned();
    let rest = [keys.as_str(), "--description", "description", "--witnesses", "policy"];
    let ask = |mut command: Command| {
        command.args(&options).args(rest).current_dir(place).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().unwrap().code().unwrap()
    };
    let (mut ours, mut sh, mut py) = (Command::new(PROGRAM), Command::new("bash"), Command::new("python3"));
    ours.args(["verify", "receipt"]);
    sh.arg(archive.join("verify.sh")).arg("receipt");
    py.arg(archive.join("verify.py")).arg("receipt");
    [ask(ours), ask(sh), ask(py)]
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_cosigned_and_all_three_verifiers_ask_for_it() {
    let mut house = House::start().await;
    let record = house.deposit(1).await;
    house.deposit(2).await;
    house.signed().await;
    let checkpoint = house.text("/log/checkpoint").await;
    let receipt = house.text(&format!("/api/v1/records/{record}/receipt")).await;
    for witness in &house.witnesses {
        assert!(cosigned_by(&checkpoint, witness), "{checkpoint}");
        assert!(cosigned_by(receipt.split_once("\n\n").unwrap().1, witness), "{receipt}");
    }
    assert!(house.text("/metrics").await.contains("vankho_cosignatures_total"));
    assert_eq!(house.service.terminate(), Some(0));
    let place = folder();
    let at = |name: &str| place.path().join(name);
    let taken = house.service.command(&["receipt", &record, "--description", at("description").to_str().unwrap()]);
    let taken: Value = serde_json::from_slice(&taken.stdout).unwrap();
    assert_eq!(taken["receipt"].as_str(), Some(receipt.as_str()), "also at the command line");
    fs::write(at("receipt"), &receipt).unwrap();
    fs::write(at("file"), FILE).unwrap();
    let [one, two] = [&house.witnesses[0].key, &house.witnesses[1].key];
    let absent = Witness::make("vắng.example.vn", &[]);
    fs::write(at("policy"), policy(&[one, two, &absent.key], 2)).unwrap();
    assert_eq!(judged(&house, place.path()), [0; 3]);
    fs::write(at("policy"), policy(&[one, two, &absent.key], 3)).unwrap();
    assert_eq!(judged(&house, place.path()), [2; 3], "one is missing");
    fs::write(at("policy"), policy(&[one, two], 2)).unwrap();
    // Every line of a witness taken away or changed.
    let lines: Vec<&str> = receipt.lines().collect();
    let first = lines.len() - 2;
    for (n, line) in lines.iter().enumerate().skip(first) {
        let without: String =
            lines.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, line)| format!("{line}\n")).collect();
        fs::write(at("receipt"), without).unwrap();
        assert_eq!(judged(&house, place.path()), [2; 3]);
        for place_in_line in (6..line.len()).step_by(17).filter(|at| line.is_char_boundary(*at)) {
            let mut bytes = line.as_bytes().to_vec();
            bytes[place_in_line] = if bytes[place_in_line] == b'A' { b'B' } else { b'A' };
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            fs::write(at("receipt"), receipt.replace(line, &changed)).unwrap();
            let codes = judged(&house, place.path());
            assert!(codes[0] != 0 && codes == [codes[0]; 3], "{codes:?} {changed}");
        }
    }
    audited(&house);
}

/// The audit of the whole archive knows what witnesses said, and sees whatever is changed in it.
fn audited(house: &House) {
    let verify = || house.service.command(&["verify", "archive"]).status.code();
    assert_eq!(verify(), Some(0));
    let folder = house.service.data.path().join("archive/log/cosignatures");
    let newest = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let newest = newest.max_by_key(|path| path.file_name().unwrap().to_str().unwrap().parse::<u64>().unwrap()).unwrap();
    let good = fs::read(&newest).unwrap();
    for at in (0..good.len()).step_by(29) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&newest, &bytes).unwrap();
        assert!(matches!(verify(), Some(1 | 2)), "a byte at {at}");
    }
    fs::write(&newest, &good).unwrap();
    let beyond = newest.with_file_name("9999");
    fs::copy(&newest, &beyond).unwrap();
    assert_eq!(verify(), Some(1), "a size that the ledger has not");
    fs::remove_file(beyond).unwrap();
    let config = house.settings.path().join("vankho.toml");
    let before = fs::read(&config).unwrap();
    fs::write(&config, "").unwrap();
    assert_eq!(verify(), Some(2), "nobody knows the witnesses' keys");
    fs::write(&config, before).unwrap();
    assert_eq!(verify(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_is_down_is_a_debt_that_heals_and_stops_nothing() {
    let mut house = House::start().await;
    house.deposit(1).await;
    house.signed().await;
    house.witnesses[1].kill();
    let began = Instant::now();
    let record = house.deposit(2).await;
    assert!(began.elapsed() < Duration::from_secs(5), "nobody waits for a witness");
    let owed = |status: &Value| status[1]["behind"].as_u64() > Some(0) && status[1]["why"].is_string();
    house.until("the debt is seen", |status| status[0]["behind"] == 0 && owed(status)).await;
    let metrics = house.text("/metrics").await;
    assert!(metrics.contains("vankho_witness_failures_total") && metrics.contains("vankho_witness_behind_entries"));
    let receipt = house.text(&format!("/api/v1/records/{record}/receipt")).await;
    let note = receipt.split_once("\n\n").unwrap().1.to_owned();
    assert!(cosigned_by(&note, &house.witnesses[0]) && !cosigned_by(&note, &house.witnesses[1]));
    house.witnesses[1].resume();
    house.signed().await;
    let receipt = house.text(&format!("/api/v1/records/{record}/receipt")).await;
    let note = receipt.split_once("\n\n").unwrap().1.to_owned();
    assert!(house.witnesses.iter().all(|witness| cosigned_by(&note, witness)), "it grew");
    // The same while no server runs, by hand.
    house.deposit(3).await;
    house.witnesses[1].kill();
    house.service.kill();
    let cosign = house.service.command(&["cosign"]);
    assert_eq!(cosign.status.code(), Some(1), "{}", String::from_utf8_lossy(&cosign.stdout));
    house.witnesses[1].resume();
    let cosign = house.service.command(&["cosign"]);
    assert_eq!(cosign.status.code(), Some(0), "{}", String::from_utf8_lossy(&cosign.stdout));
    // One that is not asked any more is still known.
    house.configure(|n| n == 0);
    let cosign: Value = serde_json::from_slice(&house.service.command(&["cosign"]).stdout).unwrap();
    assert_eq!(cosign["witnesses"].as_array().unwrap().len(), 1);
    assert_eq!(house.service.command(&["verify", "archive"]).status.code(), Some(0));
}

/// Somebody with the archive's key shows a witness another history: it is told in the archive, loudly.
#[tokio::test(flavor = "multi_thread")]
async fn a_fork_with_the_archive_s_own_key_is_told() {
    let house = House::start().await;
    house.deposit(1).await;
    house.signed().await;
    let size = house.status().await[0]["cosigned"].as_u64().unwrap();
    let secret = fs::read_to_string(house.service.data.path().join("secret/signing.key")).unwrap();
    let thief = Signer::from_secret_text(secret.trim_end()).unwrap();
    assert_eq!(thief.origin(), ORIGIN);
    // Other entries after those that are there: the witness follows it, for nobody else has shown it anything.
    let bundle = fs::read_dir(house.service.data.path().join("archive/log/tile/entries/000.p")).unwrap();
    let widest = bundle
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| path.file_name().unwrap().to_str().unwrap().parse::<u64>().unwrap());
    let widest = widest.unwrap();
    let width = widest.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let mut forged = tile::decode_bundle(&fs::read(widest).unwrap(), width).unwrap();
    forged.truncate(size as usize);
    forged.extend((0..3).map(|n| format!("forged {n}").into_bytes()));
    let tree = crate::tree::Tree::of(&forged);
    let new = forged.len() as u64;
    let proof = tree.assemble(&vankho::ledger::merkle::consistency_plan(size, new).unwrap());
    let offer =
        vankho::ledger::offer::Offer { old: size, proof, checkpoint_note: thief.sign_checkpoint(new, tree.root(new)) };
    assert_eq!(house.witnesses[1].offer(offer.encode()).await.unwrap().0, 200);
    // The archive has less than the witness has seen, then another history.
    for n in 2..5 {
        house.deposit(n).await;
    }
    let told = |status: &Value, what: &str| status[1]["why"].as_str().is_some_and(|why| why.contains(what));
    house.until("the contradiction is told", |status| told(status, "another history")).await;
    let record = house.deposit(5).await;
    house.until("the other witness goes on", |status| status[0]["behind"] == 0).await;
    let receipt = house.text(&format!("/api/v1/records/{record}/receipt")).await;
    let note = receipt.split_once("\n\n").unwrap().1;
    assert!(cosigned_by(note, &house.witnesses[0]) && !cosigned_by(note, &house.witnesses[1]));
    let kept = house.witnesses[1].newest(ORIGIN).await.unwrap();
    let keys: KeyFile = fs::read_to_string(house.keys()).unwrap().parse().unwrap();
    assert_eq!(keys.open_checkpoint(&kept).unwrap().root, tree.root(new), "the witness has the proof of the fork");
    let refused = fs::read_dir(house.witnesses[1].data.path().join("refused")).unwrap().count();
    assert!(refused > 0, "and what contradicts it");
    assert_ne!(Digest::of(kept.as_bytes()), Digest::of(note.as_bytes()));
}

/// What is kept of witnesses cannot be made again from the commits: replicas have it as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_has_what_the_witnesses_said() {
    let mut house = House::start().await;
    house.deposit(1).await;
    house.signed().await;
    assert_eq!(house.service.terminate(), Some(0));
    let second = house.settings.path().join("second");
    fs::create_dir(&second).unwrap();
    let config = house.settings.path().join("vankho.toml");
    let with_a_place =
        format!("{}[storage]\nplaces = [\"archive\", {second:?}]\n", fs::read_to_string(&config).unwrap());
    fs::write(&config, with_a_place).unwrap();
    let heal = house.service.command(&["heal"]);
    assert_eq!(heal.status.code(), Some(0), "{}", String::from_utf8_lossy(&heal.stderr));
    let first = house.service.data.path().join("archive/log/cosignatures");
    let said = |folder: &Path| {
        let read = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let read = read.map(|path| (path.file_name().unwrap().to_owned(), fs::read(&path).unwrap()));
        read.collect::<BTreeMap<_, _>>()
    };
    let there = second.join("log/cosignatures");
    assert!(!said(&first).is_empty());
    assert_eq!(said(&first), said(&there), "it was healed");
    house.service.resume().await;
    for n in 2..5 {
        house.deposit(n).await;
    }
    house.signed().await;
    let began = Instant::now();
    while said(&first) != said(&there) {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?} {:?}", said(&first).keys(), said(&there).keys());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(house.service.terminate(), Some(0));
    for place in ["1", "2"] {
        let verified = house.service.command(&["verify", "archive", "--place", place]);
        assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}

/// The archive is killed while it is cosigned, and one of the witnesses too: both go on from what they have.
#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_the_archive_collects_what_it_missed() {
    let mut house = House::start().await;
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (mut chance, mut records) = (Chance(seed), Vec::new());
    for n in 0..12 {
        records.push(house.deposit(n).await);
        tokio::time::sleep(Duration::from_millis(chance.below(150))).await;
        house.service.kill();
        if n % 3 == 0 {
            house.witnesses[1].kill();
            house.witnesses[1].resume();
        }
        house.service.resume().await;
    }
    house.signed().await;
    for record in records {
        let receipt = house.text(&format!("/api/v1/records/{record}/receipt")).await;
        let note = receipt.split_once("\n\n").unwrap().1;
        assert!(house.witnesses.iter().all(|witness| cosigned_by(note, witness)), "{receipt}");
    }
    assert_eq!(house.service.terminate(), Some(0));
    let verified = house.service.command(&["verify", "archive"]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}
