//! How is this house set up? One struct a concern, units in the names, unknown keys refused.
//!
//! Values come from a TOML file, then from the environment: `VANKHO_INGEST__CONCURRENCY=8` sets
//! `concurrency` in `[ingest]`. `deploy/config.example.toml` documents every key; a test holds it to
//! these structs.
//!
//! # Why
//! Configuration is passed as an argument and never looked up. Nothing here can lose data by its default:
//! fsync, read-back and hashing have no switch at all.

use crate::record::{
    audit::Calendar,
    disposition, retention,
    sampling::{NotTerms, Terms},
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub storage: Storage,
    pub ledger: Ledger,
    pub fixity: Fixity,
    pub audit: Audit,
    pub backup: Backup,
    pub ingest: Ingest,
    pub content: Content,
    pub index: Index,
    pub server: Server,
    pub evidence: Evidence,
    pub retention: retention::rules::Rules,
    pub disposition: disposition::rules::Rules,
    pub log: Log,
}

/// Where the archive lies, and in how many places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// Every place that the archive has ever had, in the order of their numbers; one that is gone for good is "".
    pub places: Vec<String>,
    /// How many places, the primary among them, hold what counts before anybody is told.
    pub required: usize,
    /// A replica that takes longer for a small object counts as down until it has been healed.
    pub patience_ms: u64,
    /// Replicas are brought up to date this often.
    pub heal_interval_ms: u64,
    /// Bytes that healing one replica reads and writes in a second.
    pub heal_bytes_per_second_max: u64,
}

/// The ledger's writer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ledger {
    /// Entries in one commit at most.
    pub batch_entries_max: usize,
    /// Tiles and checkpoint are published at most this often.
    pub publish_interval_ms: u64,
    /// What other processes committed is taken in at least this often.
    pub catch_up_interval_ms: u64,
}

/// Reading again what is kept, at every place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fixity {
    /// No byte of any place goes unread for longer; 0 leaves it to `vankho fixity`.
    pub objective_days: u32,
    /// Bytes that are read in a second.
    pub bytes_per_second_max: u64,
    /// The hours of the day, Vietnamese time, in which rounds go on: from the one, up to the other.
    pub hours: [u32; 2],
    /// Records that are picked at random every hour between rounds.
    pub sample_records: u32,
}

/// Audits: samples that follow from a checkpoint and a nonce.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// How often the archive audits itself.
    pub calendar: Calendar,
    /// The share of bad entries that is tolerated, where nobody says otherwise.
    pub share: f64,
    /// How likely a larger share is found.
    pub confidence: f64,
    /// So many witnesses must have cosigned a checkpoint that is audited, where any has cosigned one.
    pub witnesses_required: usize,
}

impl Audit {
    /// What an audit is to show, where nobody says otherwise.
    pub fn terms(&self) -> Result<Terms, NotTerms> {
        Terms::of_shares(self.share, self.confidence)
    }
}

/// Backups and restore drills, while the archive serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// Where to; "" leaves it to `vankho backup`.
    pub to: String,
    /// Whether the signing key goes into the backup; else it is backed up apart.
    pub keys: bool,
    /// Hours between two backups.
    pub interval_hours: u32,
    /// Bytes that are read and written in a second.
    pub bytes_per_second_max: u64,
    /// Days between two restore drills; 0 leaves them to `vankho backup drill`.
    pub drill_interval_days: u32,
    /// Records that a drill brings back.
    pub drill_records: u32,
}

/// Taking in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// Records under way at once.
    pub concurrency: usize,
    /// The largest component.
    pub component_bytes_max: u64,
    /// Components of one record at most.
    pub components_max: usize,
    /// Components up to this size wait in memory, larger ones in staging on disk.
    pub held_bytes_max: u64,
    /// The longest row of a manifest.
    pub row_bytes_max: u64,
    /// What lies in staging longer than this is discarded.
    pub staging_age_days_max: u64,
}

/// Reading what was kept, in child processes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Content {
    /// Child processes at once.
    pub processes: usize,
    /// Wall time for one component.
    pub seconds_max: u64,
    /// Address space of one child.
    pub memory_bytes_max: u64,
    /// Text that one component may give.
    pub text_bytes_max: u64,
    /// Pages that are read of one component.
    pub pages_max: usize,
}

/// The search index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Index {
    /// Memory of the index writer.
    pub writer_bytes: usize,
    /// Threads of the index writer.
    pub threads: usize,
    /// New records become visible at most this long after they were applied.
    pub commit_interval_ms: u64,
}

/// The door over HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// The largest body of a request that hands over a package.
    pub body_bytes_max: u64,
    /// The longest that a request may take to be answered, and that a depositor may pause.
    pub request_timeout_seconds: u64,
    /// Running requests that are waited for when the server stops.
    pub stop_seconds_max: u64,
    /// Requests under way at once; more are told to come later.
    pub concurrency: usize,
    /// Packages that arrive at once.
    pub intake_concurrency: usize,
    /// Packages that wait for their turn; more are told to come later.
    pub intake_queue: usize,
    /// Records on a page of an answer where the request does not say.
    pub page_size: usize,
    /// Hours until a login in a browser ends.
    pub login_hours: u32,
    /// Whether anybody may read the entries of the ledger; else only auditors.
    pub entries_public: bool,
    /// Whether texts of new records are read in the background.
    pub characterize: bool,
}

/// What others say of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    /// Who cosigns checkpoints.
    pub witnesses: Vec<Witness>,
    /// New checkpoints are offered to each witness at most this often.
    pub witness_interval_ms: u64,
    /// A witness that takes longer to answer counts as down.
    pub witness_timeout_ms: u64,
    /// Who timestamps checkpoints (RFC 3161).
    pub authorities: Vec<Authority>,
    /// Seconds between two timestamps of one authority while the archive grows.
    pub timestamp_seconds: u64,
    /// And where it does not.
    pub timestamp_idle_seconds: u64,
    /// An authority that takes longer to answer counts as down.
    pub authority_timeout_ms: u64,
    /// Where no timestamp rests on a certificate that lasts so many days more, that is a debt.
    pub renewal_days: u32,
}

/// One timestamping authority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Its short name in this archive: a to z, digits and `-`. It is written into the ledger.
    pub code: String,
    /// Where it is asked; "" where it is not any more.
    pub url: String,
    /// A PEM file with its root, and with what stands between if its answers do not bring that along.
    pub certificates: String,
    /// Where it publishes what it has revoked; each list is fetched and kept with every timestamp.
    #[serde(default)]
    pub revocations: Vec<String>,
}

/// One witness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Where it is asked; "" where it is not any more.
    pub url: String,
    /// Its public key, a vkey.
    pub key: String,
}

/// The log (not the ledger).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or a filter such as `vankho=debug`.
    pub level: String,
    /// One JSON object a line instead of text.
    pub json: bool,
}

impl Default for Storage {
    fn default() -> Self {
        Storage {
            places: vec!["archive".into()],
            required: 1,
            patience_ms: 10_000,
            heal_interval_ms: 5000,
            heal_bytes_per_second_max: 64 << 20,
        }
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Ledger { batch_entries_max: 1024, publish_interval_ms: 1000, catch_up_interval_ms: 500 }
    }
}

impl Default for Fixity {
    fn default() -> Self {
        Fixity { objective_days: 90, bytes_per_second_max: 10 << 20, hours: [0, 24], sample_records: 100 }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Audit { calendar: Calendar::Never, share: 0.01, confidence: 0.95, witnesses_required: 1 }
    }
}

impl Default for Backup {
    fn default() -> Self {
        Backup {
            to: String::new(),
            keys: true,
            interval_hours: 24,
            bytes_per_second_max: 64 << 20,
            drill_interval_days: 90,
            drill_records: 100,
        }
    }
}

impl Default for Ingest {
    fn default() -> Self {
        Ingest {
            concurrency: 16,
            component_bytes_max: 1 << 40,
            components_max: 1000,
            held_bytes_max: 1 << 20,
            row_bytes_max: 16 << 20,
            staging_age_days_max: 7,
        }
    }
}

impl Default for Content {
    fn default() -> Self {
        Content {
            processes: 2,
            seconds_max: 60,
            memory_bytes_max: 1 << 30,
            text_bytes_max: 64 << 20,
            pages_max: 20_000,
        }
    }
}

impl Default for Index {
    fn default() -> Self {
        Index { writer_bytes: 64 << 20, threads: 1, commit_interval_ms: 300 }
    }
}

impl Default for Server {
    fn default() -> Self {
        Server {
            listen: "127.0.0.1:8080".into(),
            body_bytes_max: 4 << 30,
            request_timeout_seconds: 60,
            stop_seconds_max: 30,
            concurrency: 2048,
            intake_concurrency: 32,
            intake_queue: 256,
            page_size: 20,
            login_hours: 8,
            entries_public: false,
            characterize: true,
        }
    }
}

impl Default for Evidence {
    fn default() -> Self {
        Evidence {
            witnesses: Vec::new(),
            witness_interval_ms: 1000,
            witness_timeout_ms: 10_000,
            authorities: Vec::new(),
            timestamp_seconds: 3600,
            timestamp_idle_seconds: 86_400,
            authority_timeout_ms: 10_000,
            renewal_days: 30,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Log { level: "warn".into(), json: false }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration cannot be used: {0}; deploy/config.example.toml lists every key")]
    Refused(#[from] config::ConfigError),
    #[error("{0} must be at least 1")]
    Zero(&'static str),
    #[error("storage.required is {required}, and storage.places names {places} places")]
    TooFewPlaces { required: usize, places: usize },
    #[error("fixity.hours are two hours of a day, from 0 to 24, and not the same; [22, 6] is the night")]
    NotHours,
    #[error("audit.share and audit.confidence: {0}")]
    NotTerms(#[from] NotTerms),
    #[error("backup.drill_records is 1 to {DRILL_RECORDS_MAX}")]
    DrillRecords,
    #[error("[disposition]: {0}")]
    Disposition(#[from] disposition::rules::NotRules),
}

/// Records of one drill at most: its report is one signed note.
const DRILL_RECORDS_MAX: u32 = 1000;

impl Config {
    /// Reads the file (if one is named) and then the environment as given.
    pub fn read(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let variables = environment.filter(|(name, _)| is_key(name)).collect();
        let source = config::Environment::with_prefix("VANKHO").prefix_separator("_").separator("__");
        let source =
            source.list_separator(" ").with_list_parse_key("storage.places").with_list_parse_key("fixity.hours");
        let mut builder = config::Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(config::File::from(PathBuf::from(path)).format(config::FileFormat::Toml));
        }
        let read: Config =
            builder.add_source(source.source(Some(variables)).try_parsing(true)).build()?.try_deserialize()?;
        read.check()
    }

    fn check(self) -> Result<Config, ConfigError> {
        let at_least_one = [
            ("storage.required", self.storage.required),
            ("storage.heal_bytes_per_second_max", self.storage.heal_bytes_per_second_max as usize),
            ("ledger.batch_entries_max", self.ledger.batch_entries_max),
            ("fixity.bytes_per_second_max", self.fixity.bytes_per_second_max as usize),
            ("backup.interval_hours", self.backup.interval_hours as usize),
            ("backup.bytes_per_second_max", self.backup.bytes_per_second_max as usize),
            ("ingest.concurrency", self.ingest.concurrency),
            ("content.processes", self.content.processes),
            ("index.threads", self.index.threads),
            ("server.concurrency", self.server.concurrency),
            ("server.intake_concurrency", self.server.intake_concurrency),
            ("server.page_size", self.server.page_size),
        ];
        if let Some((name, _)) = at_least_one.iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::Zero(name));
        }
        let [from, to] = self.fixity.hours;
        if from > 24 || to > 24 || from == to {
            return Err(ConfigError::NotHours);
        }
        self.audit.terms()?;
        self.disposition.check()?;
        if !(1..=DRILL_RECORDS_MAX).contains(&self.backup.drill_records) {
            return Err(ConfigError::DrillRecords);
        }
        let (required, places) =
            (self.storage.required, self.storage.places.iter().filter(|at| !at.is_empty()).count());
        if places < required { Err(ConfigError::TooFewPlaces { required, places }) } else { Ok(self) }
    }
}

/// Does a variable speak to the configuration? `VANKHO_DATA` and other single words speak to a command; what
/// names a section, well spelt or not, is a key, and refused where there is none.
fn is_key(variable: &str) -> bool {
    let Some(name) = variable.strip_prefix("VANKHO_") else { return false };
    let section = name.split('_').next().unwrap_or_default();
    name.contains("__") || SECTIONS.contains(&section)
}

const SECTIONS: [&str; 13] = [
    "STORAGE",
    "LEDGER",
    "FIXITY",
    "AUDIT",
    "BACKUP",
    "INGEST",
    "CONTENT",
    "INDEX",
    "SERVER",
    "EVIDENCE",
    "RETENTION",
    "DISPOSITION",
    "LOG",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    #[test]
    fn the_environment_wins_over_the_file_and_unknown_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("vankho.toml");
        std::fs::write(&file, "[ingest]\nconcurrency = 3\ncomponents_max = 7\n").unwrap();
        let read = |pairs: &[(&str, &str)]| Config::read(Some(&file), env(pairs).into_iter());
        let config = read(&[("VANKHO_INGEST__CONCURRENCY", "5"), ("VANKHO_SEED", "x"), ("HOME", "y")]).unwrap();
        assert_eq!((config.ingest.concurrency, config.ingest.components_max), (5, 7));
        assert_eq!(config.content, Content::default());
        for misspelt in ["VANKHO_INGEST__CONCURENCY", "VANKHO_INGST__CONCURRENCY", "VANKHO_INGEST_CONCURRENCY"] {
            assert!(read(&[(misspelt, "5")]).is_err(), "{misspelt}");
        }
        assert!(read(&[("VANKHO_INGEST__CONCURRENCY", "0")]).is_err(), "zero workers");
        let places = ("VANKHO_STORAGE__PLACES", "archive s3://kho/a?region=hn");
        assert_eq!(read(&[places]).unwrap().storage.places, ["archive", "s3://kho/a?region=hn"]);
        assert!(read(&[places, ("VANKHO_STORAGE__REQUIRED", "3")]).is_err(), "of two places no three hold anything");
        let monthly = read(&[("VANKHO_AUDIT__CALENDAR", "monthly"), ("VANKHO_AUDIT__SHARE", "0.001")]).unwrap().audit;
        assert_eq!((monthly.calendar, monthly.terms()), (Calendar::Monthly, Terms::new(1_000, 950_000)));
        for (key, wrong) in [("CALENDAR", "often"), ("SHARE", "0"), ("SHARE", "0.00001"), ("CONFIDENCE", "1")] {
            assert!(read(&[(&format!("VANKHO_AUDIT__{key}"), wrong)]).is_err(), "{key} {wrong}");
        }
        std::fs::write(&file, "[ingest]\nfsync = false\n").unwrap();
        assert!(read(&[]).is_err(), "no such key, and there never will be");
    }

    #[test]
    fn the_example_documents_every_key_with_its_default() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/config.example.toml");
        assert_eq!(Config::read(Some(&example), std::iter::empty()).unwrap(), Config::default());
        let (text, all) = (std::fs::read_to_string(example).unwrap(), serde_json::to_value(Config::default()).unwrap());
        for (section, keys) in all.as_object().unwrap() {
            assert!(is_key(&format!("VANKHO_{}_X", section.to_uppercase())), "[{section}] is missing in SECTIONS");
            assert!(text.contains(&format!("[{section}]")), "[{section}] is not documented");
            for key in keys.as_object().unwrap().keys() {
                assert!(text.contains(&format!("\n{key} = ")), "{section}.{key} is not documented");
            }
        }
    }
}
