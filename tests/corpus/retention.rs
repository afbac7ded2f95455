//! Thirty years of a whole corpus: arranged, classified, held, reviewed, decided, destroyed; and every record ends in the
//! year that a model which knows nothing of the program says.
//!
//! A slice by the seed of `VANKHO_SEED`, all of it where `VANKHO_FULL` is set. Nothing here waits: the clock is moved.

use crate::{
    Corpus,
    retention_model::Model,
    retention_rows::{Chance, HoldPlan, On, Plan, plan},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    ops::RangeInclusive,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use vankho::{
    archive::{Archive, Clock},
    arrangement,
    catalog::retention::DueFilter,
    config::Config,
    disposition::{DispositionError, Who, cases, execution, holds},
    record::{
        actor::Role,
        date::PartialDate,
        disposition::{
            act::Act,
            case::{Appraisal, Council, Outcome, Paper, Unit as CaseUnit, Votes},
            refusal::Refusal,
        },
        entry::Instant,
        file::About,
        file_state,
        hold::{Reason, Scope},
        id::{ActorId, CaseId, FondsId, HoldId, RecordId},
        retention::{day::Day, trigger::Told},
        unit::Unit,
    },
};

/// The rounds, each on 2 January.
pub const YEARS: RangeInclusive<i32> = 2027..=2056;
/// Records of a slice.
const SLICE: usize = 400;
/// Units of one case: a council has a day for them.
const CASE_UNITS_MAX: usize = 16;
pub const ORIGIN: &str = "retention.example.vn/log";

/// A unit of the archive, with what was planned for it.
pub struct Kept {
    pub plan: Plan,
    pub unit: Unit,
    pub records: Vec<RecordId>,
}

/// The archive and what is to become of it.
pub struct Life {
    pub archive: Archive,
    pub micros: Arc<AtomicI64>,
    pub model: Model,
    /// Code and identifier.
    pub fonds: Vec<(String, FondsId)>,
    pub kept: Vec<Kept>,
    /// Holds that somebody will release.
    pub held: Vec<(HoldPlan, HoldId)>,
}

pub fn thirty_years(corpus: &Corpus) {
    let seed = std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let slice = std::env::var_os("VANKHO_FULL").is_none().then_some(SLICE);
    let model = Model::read(&corpus.from.join("retention-tt09-2011.tsv"));
    let (agencies, plans) = plan(&corpus.from, &model, &mut Chance(seed), slice, YEARS);
    let records: usize = plans.iter().map(|plan| plan.rows.len()).sum();
    let loose = plans.iter().filter(|plan| plan.loose).count();
    println!("retention: {records} records of {} agencies, {} units ({loose} loose)", agencies.len(), plans.len());
    println!("again: VANKHO_SEED={seed} cargo test --release --test corpus thirty");
    let shm = Path::new("/dev/shm");
    let data = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut life = Life::begin(data.path(), model, &agencies).await;
        life.fill(plans).await;
        for year in YEARS {
            life.year(year).await;
        }
        life.judge(data.path()).await;
        life.again(data.path()).await;
    });
}

fn actor(n: u8) -> ActorId {
    ActorId::new(0, [n; 10])
}

pub fn who(n: u8, role: Role) -> Who {
    Who { actor: actor(n), role, authenticated: None }
}

pub fn archivist() -> Who {
    who(2, Role::Archivist)
}

fn chair() -> Who {
    who(11, Role::Official)
}

pub fn arranger() -> file_state::Who {
    file_state::Who { id: actor(2), role: Role::Archivist }
}

fn case_unit(unit: Unit) -> CaseUnit {
    match unit {
        Unit::File(file) => CaseUnit::File(file),
        Unit::Record(record) => CaseUnit::Record(record),
        other => panic!("{other} is nothing that is destroyed"),
    }
}

pub fn config() -> Config {
    let mut config = Config::default();
    config.ledger.publish_interval_ms = 3_600_000;
    config.index.writer_bytes = 16 << 20;
    config
}

/// Two o'clock of a 2 January, UTC: nine in Vietnam.
pub fn moment(year: i32) -> i64 {
    format!("{year:04}-01-02T02:00:00.000000Z").parse::<Instant>().unwrap().micros()
}

impl Life {
    /// One year: what is told, what is held and released, what is due, and the cases of it.
    async fn year(&mut self, year: i32) {
        self.micros.store(moment(year), Ordering::SeqCst);
        self.tell(year).await;
        self.release(year).await;
        self.place(year, false).await;
        let listed = self.listed(year).await;
        let free: Vec<usize> = listed.iter().filter(|(_, held)| !held).map(|(n, _)| *n).collect();
        let mut by_fonds: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        free.iter().for_each(|n| by_fonds.entry(self.kept[*n].plan.fonds).or_default().push(*n));
        let cases = by_fonds.values().flat_map(|units| units.chunks(CASE_UNITS_MAX)).map(<[usize]>::to_vec);
        let cases: Vec<Vec<usize>> = cases.collect();
        for units in &cases {
            self.case(year, units).await;
        }
        let resumed = execution::resume(&self.archive).await.unwrap();
        assert!(resumed.certified == 0 && resumed.pending.is_empty(), "{year}: something was left: {resumed:?}");
        println!("{year}: {} units due, {} on hold, {} cases", listed.len(), listed.len() - free.len(), cases.len());
    }

    async fn tell(&self, year: i32) {
        for kept in &self.kept {
            let Unit::File(id) = kept.unit else { continue };
            let facts = kept.plan.unit.facts.iter().filter(|fact| fact.told == year && fact.what != "work_ended");
            let facts: Vec<Told> = facts.map(|fact| self::told(&fact.what, fact.year)).collect();
            if !facts.is_empty() {
                let (file, _) = arrangement::file(&self.archive, id).await.unwrap().unwrap();
                let about = About { facts, ..file.about.clone() };
                arrangement::describe_file(&self.archive, &arranger(), id, about).await.unwrap();
            }
        }
    }

    /// Who asked for a hold does not release it.
    async fn release(&mut self, year: i32) {
        let (over, held): (Vec<_>, Vec<_>) = self.held.drain(..).partition(|(hold, _)| hold.until == year);
        self.held = held;
        for (_, hold) in over {
            let again = holds::release_hold(&self.archive, &who(30, Role::Head), hold, "Đã kết thúc").await;
            assert!(matches!(again, Err(DispositionError::Held(_))), "{again:?}");
            holds::release_hold(&self.archive, &who(31, Role::Head), hold, "Đã kết thúc").await.unwrap();
        }
    }

    async fn place(&mut self, year: i32, late: bool) {
        let mut of_fonds = BTreeSet::new();
        for n in 0..self.kept.len() {
            for hold in self.kept[n].plan.holds.clone() {
                let fonds = self.kept[n].plan.fonds;
                let wanted = hold.from == year && hold.late == late;
                if wanted && (hold.on != On::Fonds || of_fonds.insert((fonds, hold.until))) {
                    self.hold(n, hold).await;
                }
            }
        }
    }

    async fn hold(&mut self, n: usize, hold: HoldPlan) {
        let kept = &self.kept[n];
        let scope = match (hold.on, kept.unit) {
            (On::Fonds, _) => Scope::Fonds { fonds: self.fonds[kept.plan.fonds].1 },
            (On::Unit, Unit::File(file)) => Scope::File { file },
            _ => Scope::Record { record: kept.records[0] },
        };
        let asked = holds::HoldAsked {
            authority: "Thanh tra tỉnh, 12/QĐ-TTr".into(),
            reason: Reason::Inspection,
            reason_text: "Phục vụ thanh tra".into(),
            scope,
            asked_by: Some(actor(30)),
        };
        let placed = holds::place_hold(&self.archive, &archivist(), asked, &[]).await.unwrap();
        let Unit::Hold(id) = placed.unit else { panic!("{placed:?}") };
        self.held.push((hold, id));
    }

    /// What the archive says is due, held or not: exactly what the model says.
    async fn listed(&self, year: i32) -> Vec<(usize, bool)> {
        let places: HashMap<Unit, usize> = self.kept.iter().enumerate().map(|(n, kept)| (kept.unit, n)).collect();
        let filter = DueFilter::on(Day::in_vietnam(self.archive.clock.now()));
        let (mut told, mut after) = (BTreeSet::new(), None);
        loop {
            let (page, mark) = self.archive.catalog.due_list(&filter, after.as_ref(), 100).await.unwrap();
            for one in page {
                assert_eq!(one.case, None, "{} stands on an open case", one.unit);
                assert!(told.insert((places[&one.unit], one.held)), "{} is listed twice", one.unit);
            }
            after = mark;
            if after.is_none() {
                break;
            }
        }
        let here = |kept: &Kept| self.model.end(&kept.plan.unit, YEARS).is_none_or(|end| end >= year);
        let due = |kept: &Kept| here(kept) && self.model.is_due(&kept.plan.unit, year);
        let before = |hold: &HoldPlan| !(hold.late && hold.from == year);
        let stands = |hold: &HoldPlan| (hold.from..hold.until).contains(&year) && before(hold);
        let expected = self.kept.iter().enumerate().filter(|(_, kept)| due(kept));
        let expected = expected.map(|(n, kept)| (n, kept.plan.holds.iter().any(stands)));
        assert_eq!(told, expected.collect(), "{year}: what is due");
        told.into_iter().collect()
    }

    /// A second later: what came after what is told by moments too.
    fn tick(&self) {
        self.micros.fetch_add(1_000_000, Ordering::SeqCst);
    }

    async fn act(&self, who: &Who, case: CaseId, act: Act) {
        let said = format!("{act:?}");
        self.tick();
        if let Err(error) = cases::act(&self.archive, who, case, act).await {
            panic!("{said}: {error:?}");
        }
    }

    fn paper(&self, number: Option<&str>) -> Paper {
        let day: PartialDate = self.archive.clock.now().day().parse().unwrap();
        Paper { number: number.map(str::to_owned), day, record: None }
    }

    /// A case from its list to its closing. Agencies with an even number hand over to a historical archive.
    async fn case(&mut self, year: i32, units: &[usize]) {
        let fonds = self.kept[units[0]].plan.fonds;
        let to_historical = fonds % 2 == 1;
        let code = self.fonds[fonds].0.clone();
        let opened = cases::open_case(&self.archive, &archivist(), &code, to_historical).await.unwrap();
        let Unit::Case(case) = opened.unit else { panic!("{opened:?}") };
        self.review(year, case, units).await;
        if to_historical {
            let paper = self.paper(Some("9/TĐ-SNV"));
            let appraisal = Appraisal { paper, authority: "Sở Nội vụ".into(), agreed: true };
            self.act(&archivist(), case, Act::Appraise { appraisal, reason: String::new() }).await;
        }
        let spared = units.iter().filter(|n| **n % 2 == 1 && self.kept[**n].plan.unit.spared.contains(&year));
        let spared: Vec<CaseUnit> = spared.map(|n| case_unit(self.kept[*n].unit)).collect();
        let decide = Act::Decide { paper: self.paper(Some("15/QĐ-LT")), spared, reason: "Còn giá trị".into() };
        let head = Who { authenticated: Some(self.archive.clock.now()), ..who(20, Role::Head) };
        let reviewer = Who { actor: chair().actor, ..head };
        let refused = cases::act(&self.archive, &reviewer, case, decide.clone()).await;
        assert!(matches!(refused, Err(DispositionError::Refused(Refusal::Reviewer))), "{refused:?}");
        self.act(&head, case, decide).await;
        self.act(&archivist(), case, Act::HandOver { minutes: self.paper(None) }).await;
        self.carry_out(year, case, units).await;
        self.act(&archivist(), case, Act::Close { minutes: self.paper(None) }).await;
    }

    /// The list, the council, its opinions and proposals.
    async fn review(&self, year: i32, case: CaseId, units: &[usize]) {
        for n in units {
            let unit = case_unit(self.kept[*n].unit);
            let ground = cases::ground(&self.archive, unit).await.unwrap();
            self.act(&archivist(), case, Act::List { unit, ground }).await;
        }
        let members = vec![actor(12), actor(13)];
        let council = Council { paper: self.paper(Some("8/QĐ-LT")), chair: chair().actor, members };
        self.act(&archivist(), case, Act::SetUpCouncil { council }).await;
        for n in units {
            for member in [chair(), who(12, Role::Official)] {
                let (unit, reason) = (case_unit(self.kept[*n].unit), "Hết giá trị".to_owned());
                self.act(&member, case, Act::Opine { unit, outcome: Outcome::Destroy, reason }).await;
            }
        }
        self.act(&chair(), case, Act::EndReview { minutes: self.paper(None) }).await;
        for n in units {
            let keeps = *n % 2 == 0 && self.kept[*n].plan.unit.spared.contains(&year);
            let outcome = if keeps { Outcome::KeepLonger { until: None } } else { Outcome::Destroy };
            let (unit, votes) = (case_unit(self.kept[*n].unit), Votes { agree: 2, against: 0, abstained: 1 });
            let reason = "Theo biên bản họp".to_owned();
            self.act(&chair(), case, Act::Propose { unit, outcome, reason, votes }).await;
        }
    }

    /// Orders what was decided; a hold that comes before the order wins, and the head spares what it is on.
    async fn carry_out(&mut self, year: i32, case: CaseId, units: &[usize]) {
        for n in units {
            let unit = case_unit(self.kept[*n].unit);
            if self.kept[*n].plan.unit.spared.contains(&year) {
                continue;
            }
            let late = self.kept[*n].plan.holds.iter().find(|hold| hold.late && hold.from == year).copied();
            if let Some(hold) = late {
                self.hold(*n, hold).await;
            }
            self.tick();
            let ordered = execution::order(&self.archive, &archivist(), case, unit).await;
            if late.is_some() {
                assert!(matches!(ordered, Err(DispositionError::Refused(Refusal::OnHold))), "{ordered:?}");
                let reason = "Có lệnh tạm dừng hủy".to_owned();
                self.act(&who(20, Role::Head), case, Act::Spare { unit, reason }).await;
            } else {
                ordered.unwrap_or_else(|error| panic!("{year}: {unit:?}: {error:?}"));
            }
        }
        let resumed = execution::resume(&self.archive).await.unwrap();
        assert!(resumed.pending.is_empty(), "{year}: {resumed:?}");
    }

    /// Where everything has ended: exactly where the model says, with a certificate for each record that is gone.
    async fn judge(&self, data: &Path) {
        let (mut gone, mut left) = (0, 0);
        for kept in &self.kept {
            let end = self.model.end(&kept.plan.unit, YEARS);
            for record in &kept.records {
                let ended = self.archive.catalog.ended(*record).await.unwrap();
                let known = self.archive.catalog.record(*record).await.unwrap();
                let year = ended.as_ref().map(|ended| i32::from(Day::in_vietnam(ended.at).year()));
                let what = (&kept.plan.unit, &kept.plan.holds);
                assert_eq!((year, known.is_none()), (end, end.is_some()), "{} of {record}: {what:?}", kept.unit);
                let Some(ended) = ended else {
                    left += 1;
                    continue;
                };
                gone += 1;
                let certificate = execution::certificate(&self.archive, *record).await.unwrap().expect("a certificate");
                assert_eq!((certificate.record, certificate.stub), (*record, ended.stub));
                assert!(ended.certified.is_some() && ended.case.is_some() && !ended.expelled, "{ended:?}");
                let folder = data.join(format!("archive/records/{}/{record}", record.shard()));
                let files = fs::read_dir(&folder).map(|files| files.count()).unwrap_or(0);
                assert_eq!(files, 0, "something is left in {}", folder.display());
            }
        }
        assert!(self.archive.catalog.orders_open().await.unwrap().is_empty(), "an order has no certificate");
        println!("retention: {gone} records destroyed with a certificate, {left} left");
        assert!(gone > 0 && left > 0, "a corpus of which nothing ends, or nothing stays, shows nothing");
    }

    /// The archive holds, and what is built anew says the same.
    async fn again(self, data: &Path) {
        let Life { archive, micros, kept, .. } = self;
        let before = told_by(&archive, &kept).await;
        archive.publish().await.unwrap();
        archive.close().await.unwrap();
        for command in [&["verify", "archive"][..], &["rebuild"]] {
            let mut run = Command::new(env!("CARGO_BIN_EXE_vankho"));
            let output = run.args(["--language", "en", "--data"]).arg(data).args(command).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "vankho {}: {said}", command.join(" "));
        }
        let archive = Archive::open(data, config(), Clock::Moved(micros), &|_| {}).await.unwrap();
        assert!(before == told_by(&archive, &kept).await, "another answer after the rebuild");
        archive.close().await.unwrap();
    }
}

pub fn told(what: &str, year: i32) -> Told {
    Told { trigger: what.parse().unwrap(), when: format!("{year}").parse().unwrap() }
}

/// What a catalog says of every unit and record.
async fn told_by(archive: &Archive, kept: &[Kept]) -> Vec<String> {
    let mut told = Vec::new();
    for one in kept {
        told.push(format!("{:?}", archive.catalog.due_of(one.unit).await.unwrap()));
        for record in &one.records {
            let (known, ended) =
                (archive.catalog.record(*record).await.unwrap(), archive.catalog.ended(*record).await.unwrap());
            told.push(format!("{known:?} {ended:?}"));
        }
    }
    told
}
