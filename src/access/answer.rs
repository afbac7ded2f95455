//! Answers as they are shown: one shape for the API, for the command line, and for a command line that asks the API.

use crate::access::{self, Found, Page};
use crate::archive::{
    Archive, ArchiveError, coverage::Coverage, heal::Debt, timestamps::Unstamped, witnesses::Unsigned,
};
use crate::index::query::{Counts, Facets};
use crate::record::{access::Reader, backup::Remembered, entry::Instant, id::RecordId, retention::rules::Ground};
use crate::store::Standing;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of hits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hits {
    /// All that match and that the reader may see.
    pub total: u64,
    pub hits: Vec<Hit>,
    pub facets: Counted,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The size of the ledger that this answer reflects.
    pub applied: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    pub record: String,
    pub external_id: Option<String>,
    pub score: f32,
    pub subject: String,
    pub number: Option<String>,
    pub notation: Option<String>,
    pub issued: Option<String>,
    pub agency: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub access: String,
    pub fonds: Option<String>,
    pub file: Option<String>,
    pub snippet: Option<Around>,
}

/// The words around the first good place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Around {
    pub page: u32,
    pub text: String,
    /// Byte ranges of the text that answer the question.
    pub highlights: Vec<(usize, usize)>,
}

/// Values and how often, the most frequent first; empty where nobody asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    #[schema(value_type = Vec<(String, u64)>)]
    pub agency: Counts,
    #[serde(rename = "type")]
    #[schema(value_type = Vec<(String, u64)>)]
    pub kind: Counts,
    #[schema(value_type = Vec<(String, u64)>)]
    pub year: Counts,
    #[schema(value_type = Vec<(String, u64)>)]
    pub fonds: Counts,
    #[schema(value_type = Vec<(String, u64)>)]
    pub field: Counts,
    #[schema(value_type = Vec<(String, u64)>)]
    pub access: Counts,
}

impl From<Page> for Hits {
    fn from(page: Page) -> Hits {
        let Facets { agency, kind, year, fonds, field, access } = page.facets;
        let facets = Counted { agency, kind, year, fonds, field, access };
        let hits = page.found.into_iter().map(Hit::from).collect();
        Hits { total: page.total, hits, facets, next: page.next, applied: page.applied }
    }
}

impl From<Found> for Hit {
    fn from(found: Found) -> Hit {
        let known = found.known;
        let around =
            |it: crate::index::snippet::Snippet| Around { page: it.page, text: it.text, highlights: it.highlights };
        Hit {
            record: known.record.to_string(),
            external_id: known.external_id,
            score: found.score,
            subject: known.subject,
            number: known.number,
            notation: known.notation,
            issued: known.issued,
            agency: known.agency,
            kind: known.kind,
            access: known.access,
            fonds: known.fonds,
            file: known.file,
            snippet: found.snippet.map(around),
        }
    }
}

/// A record as it is known now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Opened {
    pub record: String,
    /// The SHA-256 of the description in force: its name.
    pub description_sha256: String,
    /// The description in force, as it is kept.
    #[schema(value_type = Object)]
    pub description: serde_json::Value,
    /// The number of the entry that accessioned it.
    pub entry: u64,
    /// When it was accessioned, in UTC.
    pub accessioned: String,
    /// Originals that nobody has tried to read yet.
    pub waiting: u64,
}

/// One description of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Said {
    /// The entry that names it.
    pub entry: u64,
    /// When, in UTC.
    pub at: String,
    /// What happened: accessioned, described, characterized.
    pub event: String,
    /// The SHA-256 of its bytes: its name.
    pub sha256: String,
}

/// A record for a reader; `None` where there is none that they may see.
pub async fn opened(archive: &Archive, reader: &Reader, record: RecordId) -> Result<Option<Opened>, ArchiveError> {
    let Some(described) = access::open(archive, reader, record).await? else { return Ok(None) };
    let Some(known) = archive.catalog.record(record).await? else { return Ok(None) };
    let description = serde_json::to_value(&*described.description);
    Ok(Some(Opened {
        record: record.to_string(),
        description_sha256: described.digest.to_string(),
        description: description.map_err(|fault| ArchiveError::Damaged(fault.to_string()))?,
        entry: known.seq,
        accessioned: known.at.to_string(),
        waiting: known.waiting,
    }))
}

/// What was said of a record, oldest first; `None` where there is none that the reader may see.
pub async fn history(archive: &Archive, reader: &Reader, record: RecordId) -> Result<Option<Vec<Said>>, ArchiveError> {
    if access::open(archive, reader, record).await?.is_none() {
        return Ok(None);
    }
    let life = archive.catalog.life(record).await?;
    let said = life.into_iter().filter_map(|happened| {
        let sha256 = happened.description?.to_string();
        Some(Said { entry: happened.seq, at: happened.at.to_string(), event: happened.event, sha256 })
    });
    Ok(Some(said.collect()))
}

/// How much there is, and how the places of the archive stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct State {
    /// The name of the log.
    pub origin: String,
    pub entries: u64,
    pub records: u64,
    /// Records that wait to be read.
    pub waiting: u64,
    /// Records that are ordered to be destroyed, and of which no certificate says yet that they are: a place could not be
    /// reached, or the order is being carried out.
    #[serde(default)]
    pub orders_pending: u64,
    pub primary: Primary,
    pub replicas: Vec<Stands>,
    /// How long bytes have gone unread, place by place.
    #[serde(default)]
    pub fixity: Vec<Covered>,
    /// The newest backup and the last drill; none where nobody asked for one.
    #[serde(default)]
    pub backup: Option<BackedUp>,
    /// Who cosigns checkpoints.
    pub witnesses: Vec<Witnessing>,
    /// Who timestamps them.
    #[serde(default)]
    pub authorities: Vec<Stamping>,
    /// Settings of retention that keep less, or ask more, than the law: whoever set them so should know it.
    #[serde(default)]
    pub laxer: Vec<Laxer>,
}

/// A setting that is laxer than the law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Laxer {
    /// Its name in the configuration, under `retention`.
    pub setting: String,
    /// The article that it rests on.
    pub article: String,
}

impl From<&Ground> for Laxer {
    fn from(ground: &Ground) -> Laxer {
        Laxer { setting: ground.name.into(), article: ground.article.into() }
    }
}

/// How far a place has been read and hashed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Covered {
    pub place: u32,
    pub name: String,
    /// No byte there has gone unread since before this moment, in UTC; none where there is no byte.
    pub unread_since: Option<String>,
    /// The objective in days; 0 where nobody set one.
    pub objective_days: u32,
    /// It is missed.
    pub overdue: bool,
    /// Does the place answer?
    pub answers: bool,
    /// Records that the round under way has read; none where no round is under way.
    pub records: Option<u64>,
}

impl Covered {
    fn of(coverage: Coverage, archive: &Archive) -> Covered {
        let objective_days = archive.config.fixity.objective_days;
        let days = coverage.age_seconds(archive.clock.now()) / 86_400;
        let overdue = objective_days > 0 && days >= u64::from(objective_days);
        let Coverage { place, name, unread_since, round, answers } = coverage;
        let (unread_since, records) = (unread_since.map(|since| since.to_string()), round.map(|round| round.records));
        Covered { place, name, unread_since, objective_days, overdue, answers, records }
    }
}

/// How old the newest backup is, and the last restore drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackedUp {
    /// Where it is, or is to be.
    pub to: String,
    /// When the newest one had begun, in UTC: everything acknowledged before is in it. None where there is none.
    pub at: Option<String>,
    /// Entries that came since.
    pub behind: u64,
    /// What it lacks, because no place has it as it was kept.
    pub not_carried: u64,
    /// It is older than two of the intervals that are configured.
    pub overdue: bool,
    /// Why the last attempt was not finished.
    pub why: Option<String>,
    /// When the last restore drill ended, in UTC, and whether it was passed.
    pub drilled: Option<String>,
    pub passed: Option<bool>,
    /// The next one is due.
    pub drill_overdue: bool,
    /// Why it could not be held.
    pub drill_why: Option<String>,
}

impl BackedUp {
    /// `None` where none is configured and none was made.
    fn of(remembered: Remembered, archive: &Archive) -> Option<BackedUp> {
        let (wanted, now) = (&archive.config.backup, archive.clock.now().micros());
        let Remembered { last, why, drill, drill_why } = remembered;
        let configured = !wanted.to.is_empty();
        if !configured && last.is_none() {
            return None;
        }
        let older = |since: Option<Instant>, hours: i64| {
            since.is_none_or(|since| now - since.micros() >= hours * 3_600_000_000)
        };
        let days = i64::from(wanted.drill_interval_days);
        Some(BackedUp {
            to: last.as_ref().map_or_else(|| wanted.to.clone(), |last| last.to.clone()),
            at: last.as_ref().map(|last| last.began.to_string()),
            behind: archive.ledger.size().saturating_sub(last.as_ref().map_or(0, |last| last.entries)),
            not_carried: last.as_ref().map_or(0, |last| last.not_carried),
            overdue: configured && older(last.map(|last| last.began), 2 * i64::from(wanted.interval_hours)),
            why,
            drill_overdue: configured && days > 0 && older(drill.as_ref().map(|drill| drill.ended), 24 * days),
            drilled: drill.as_ref().map(|drill| drill.ended.to_string()),
            passed: drill.map(|drill| drill.passed),
            drill_why,
        })
    }
}

/// How a witness stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Witnessing {
    pub name: String,
    /// Whether it is asked; else it is only known from before.
    pub asked: bool,
    /// The size of the tree that it cosigned last; 0 where there is none.
    pub cosigned: u64,
    /// When, in UTC.
    pub at: Option<String>,
    /// Entries that it has not cosigned.
    pub behind: u64,
    pub why: Option<String>,
}

impl From<Unsigned> for Witnessing {
    fn from(unsigned: Unsigned) -> Witnessing {
        let Unsigned { name, url, size: cosigned, time, entries: behind, why } = unsigned;
        let moment = |time: u64| Instant::from_micros(i64::try_from(time).unwrap_or(0).saturating_mul(1_000_000));
        let at = (time > 0).then(|| moment(time).to_string());
        Witnessing { name, asked: url.is_some(), cosigned, at, behind, why }
    }
}

/// How a timestamping authority stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stamping {
    pub code: String,
    /// Whether it is asked; else it is only known from before.
    pub asked: bool,
    /// The size of the tree that it stamped last; 0 where there is none.
    pub stamped: u64,
    /// When, in UTC, as it said.
    pub at: Option<String>,
    /// When the certificate ends on which that rests.
    pub until: Option<String>,
    /// That is too soon: it needs another certificate.
    pub ending: bool,
    /// Entries that it has not stamped.
    pub behind: u64,
    pub why: Option<String>,
}

impl Stamping {
    fn of(unstamped: Unstamped, archive: &Archive) -> Stamping {
        let Unstamped { code, url, last, entries: behind, why } = unstamped;
        let soon = archive.clock.now().micros() + i64::from(archive.config.evidence.renewal_days) * 86_400_000_000;
        let (at, until) = (last.as_ref().map(|last| last.time.to_string()), last.as_ref().map(|last| last.until));
        Stamping {
            code: code.to_string(),
            asked: url.is_some(),
            stamped: last.map_or(0, |last| last.size),
            at,
            until: until.map(|until| until.to_string()),
            ending: until.is_some_and(|until| until.micros() < soon),
            behind,
            why,
        }
    }
}

/// The place that decides the order of entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Primary {
    pub place: u32,
    pub name: String,
}

/// How a replica stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stands {
    pub place: u32,
    pub name: String,
    /// `taking` every write, `resting` until it is healed, or `diverged`: it holds another history.
    #[schema(value_type = String)]
    pub standing: Standing,
    /// Entries that it is not known to hold with all that they name.
    pub behind: u64,
    pub why: Option<String>,
}

impl From<Debt> for Stands {
    fn from(debt: Debt) -> Stands {
        let Debt { number: place, name, standing, entries: behind, why } = debt;
        Stands { place, name, standing, behind, why }
    }
}

/// How much there is now.
pub async fn state(archive: &Archive) -> Result<State, ArchiveError> {
    let counts = archive.catalog.counts().await?;
    Ok(State {
        origin: archive.ledger.origin().to_owned(),
        entries: archive.ledger.size(),
        records: counts.records,
        waiting: counts.waiting,
        orders_pending: archive.catalog.orders_open().await?.len() as u64,
        primary: Primary { place: archive.store.number(), name: archive.store.primary().name().to_owned() },
        replicas: archive.healing.debts().await?.into_iter().map(Stands::from).collect(),
        fixity: archive.coverage().await?.into_iter().map(|one| Covered::of(one, archive)).collect(),
        backup: BackedUp::of(archive.desk.backups().await?, archive),
        witnesses: archive.unsigned().await?.into_iter().map(Witnessing::from).collect(),
        authorities: archive.unstamped().await?.into_iter().map(|one| Stamping::of(one, archive)).collect(),
        laxer: archive.config.retention.laxer_than_the_law().into_iter().map(Laxer::from).collect(),
    })
}
