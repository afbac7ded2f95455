//! What the catalog answers of retention at a million records: what is due, what a change would move, what falls due when.
//!
//! Made descriptions go straight into a catalog on disk through [`Catalog::apply`], as the ledger's do: a million records
//! in 100,000 files of a schedule with 200 classes where `VANKHO_FULL` is set, a tenth of that otherwise.

use crate::{Bars, median, quantile, runtime};
use std::{
    fs,
    time::{Duration, Instant},
};
use vankho::{
    catalog::{
        Applied, Catalog,
        retention::{DueFilter, DueMark},
    },
    disposition::due,
    record::{
        access::Access,
        component::{Component, Format, PLAIN_TEXT, Role},
        described::Described,
        description::{self, Description},
        digest::Digest,
        document::{Document, Salt},
        entry::{Entry, Event, Instant as Moment},
        file::{self, File},
        file_state::FileState,
        fonds::{self, Fonds},
        hold::{self, Hold, Reason, Scope},
        id::{ActorId, FileId, FondsId, HoldId, RecordId, ScheduleId},
        metadata::Metadata,
        retention::{
            clock::Reading,
            day::Day,
            period::Period,
            schedule::{self, Action, Approval, Class, LegalSource, Schedule},
        },
        term::ClassRef,
        unit::Unit,
    },
};

/// Records of a file.
const INSIDE: u64 = 10;
/// Entries that are applied at once, as when a ledger is replayed.
const BATCH: usize = 4_000;
const CLASSES: u64 = 200;
const FONDS: u64 = 4;
/// A page of the list of what is due.
const PAGE: u32 = 50;
const TIMES: usize = 50;

pub fn bars(bars: &mut Bars) {
    let full = std::env::var_os("VANKHO_FULL").is_some();
    let files: u64 = if full { 100_000 } else { 10_000 };
    let records = files * INSIDE;
    let told = if full { "" } else { "; a million where VANKHO_FULL is set, here a tenth of it" };
    println!("{records} records in {files} files, {CLASSES} classes{told}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    runtime().block_on(async {
        let began = Instant::now();
        let catalog = Catalog::open(Some(&path)).await.unwrap();
        load(&catalog, files).await;
        catalog.close().await;
        let (seconds, bytes) = (began.elapsed().as_secs_f64(), fs::metadata(&path).unwrap().len());
        println!("applied in {seconds:.0} s, {:.0} entries/s; {} MB", records as f64 / seconds, bytes / 1_000_000);
        let catalog = Catalog::open(Some(&path)).await.unwrap();
        // The most memory is counted from here on.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let idle = kib("VmRSS:");
        due_list(bars, &catalog, records).await;
        simulation(bars, &catalog, records).await;
        forecast(bars, &catalog, records).await;
        let grown = (kib("VmHWM:").saturating_sub(idle)) as f64 / 1024.0;
        bars.below(&format!("MiB over idle for all of this, {records} records"), grown, 200.0);
        catalog.close().await;
    });
}

async fn due_list(bars: &mut Bars, catalog: &Catalog, records: u64) {
    // Near the end of what a calendar of 70 years can be due by: nearly all of it.
    let filter = DueFilter::on("2090-01-01".parse().unwrap());
    let mut hundredth: Option<DueMark> = None;
    for _ in 1..100 {
        let (page, mark) = catalog.due_list(&filter, hundredth.as_ref(), PAGE).await.unwrap();
        assert_eq!(page.len(), PAGE as usize, "there are a hundred pages");
        hundredth = mark;
    }
    assert!(hundredth.is_some(), "page 99 was not the last");
    let narrow = DueFilter { fonds: Some("PH2".into()), held: Some(false), ..filter.clone() };
    for (what, filter, after) in [
        ("first page", &filter, None),
        ("page 100", &filter, hundredth.as_ref()),
        ("first page of a fonds, not on hold", &narrow, None),
    ] {
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..TIMES {
            let began = Instant::now();
            let (page, _) = catalog.due_list(filter, after, PAGE).await.unwrap();
            times.push(began.elapsed());
            assert_eq!(page.len(), PAGE as usize);
        }
        let (p50, p99) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
        println!("what is due, {what}: p50 {p50:.2} ms");
        bars.below(&format!("ms for what is due, {what}, {records} records, p99 of {TIMES}"), p99, 100.0);
    }
}

/// Every unit is counted under the new classes.
async fn simulation(bars: &mut Bars, catalog: &Catalog, records: u64) {
    let began = Instant::now();
    let classes: Vec<Class> = (0..CLASSES).map(|n| class(n, 5)).collect();
    let on = ("2026-11-27".parse().unwrap(), Reading::default());
    let change = due::moves(catalog, schedule_id(), &classes, on).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let totals = change.totals();
    println!("a change of the schedule moves {} of {} records", totals.moved.records, totals.seen.records);
    assert_eq!(totals.seen.records, records, "every record is looked at");
    assert!(totals.moved.records > records / 2, "{totals:?}");
    bars.below(&format!("seconds for what a change of the schedule moves, {records} records"), seconds, 10.0);
}

async fn forecast(bars: &mut Bars, catalog: &Catalog, records: u64) {
    let mut times = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let falling = catalog.falling().await.unwrap();
        times.push(began.elapsed().as_secs_f64());
        assert_eq!(falling.iter().map(|one| one.records).sum::<u64>(), records, "every record falls somewhere");
    }
    bars.below(&format!("seconds for what falls due when, {records} records, median of 5"), median(times), 1.0);
}

fn kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Entries as they come, in batches: fonds, schedule, files with what lies in them, holds.
struct Loading<'a> {
    catalog: &'a Catalog,
    seq: u64,
    waiting: Vec<Applied>,
}

async fn load(catalog: &Catalog, files: u64) {
    let mut loading = Loading { catalog, seq: catalog.applied(), waiting: Vec::new() };
    for n in 0..FONDS {
        loading.open(Described::Fonds(fonds_of(n).into())).await;
    }
    let draft = Schedule { approved: None, ..schedule() };
    loading.open(Described::Schedule(draft.into())).await;
    let (unit, description, replaces) = (schedule_id().into(), digest("approved", 0), digest("opened", FONDS));
    let approved = Event::Approved { unit, description, replaces };
    loading.add(approved, Some(Described::Schedule(schedule().into()))).await;
    for n in 0..files {
        loading.open(Described::File(file(n).into())).await;
        for inside in 0..INSIDE {
            let told = record(n, n * INSIDE + inside);
            let event = Event::Accessioned { record: told.record, description: digest("record", n * INSIDE + inside) };
            loading.add(event, Some(Described::Record(told.into()))).await;
        }
    }
    for n in 0..files / 100 {
        let told = held(n);
        let (hold, asked_by) = (told.hold, told.asked_by);
        loading.open(Described::Hold(told.into())).await;
        let unit = Unit::File(FileId::new(MILLIS + n * 100, random("file", n * 100)));
        loading.add(Event::HoldPlaced { unit, hold, asked_by }, None).await;
    }
    loading.apply().await;
}

impl Loading<'_> {
    async fn open(&mut self, told: Described) {
        let (unit, description) = (told.unit(), digest("opened", self.seq));
        self.add(Event::Opened { unit, description }, Some(told)).await;
    }

    async fn add(&mut self, event: Event, description: Option<Described>) {
        let seq = self.seq;
        let at = Moment::from_micros(1_790_000_000_000_000 + seq as i64);
        let entry = Entry { at, by: ActorId::new(0, [2; 10]), request: digest("request", seq), event, v: 1 };
        self.waiting.push(Applied { seq, entry, description });
        self.seq += 1;
        if self.waiting.len() >= BATCH {
            self.apply().await;
        }
    }

    async fn apply(&mut self) {
        self.catalog.apply(&self.waiting, digest("root", self.seq)).await.unwrap();
        self.waiting.clear();
    }
}

const MILLIS: u64 = 1_763_877_600_000;

fn digest(of: &str, n: u64) -> Digest {
    Digest::of(format!("{of} {n}").as_bytes())
}

fn random(of: &str, n: u64) -> [u8; 10] {
    let Digest(bytes) = digest(of, n);
    std::array::from_fn(|at| bytes[at])
}

fn salt() -> Salt {
    Salt::new([0x0a; 32])
}

fn schedule_id() -> ScheduleId {
    ScheduleId::new(MILLIS, [5; 10])
}

fn fonds_id(n: u64) -> FondsId {
    FondsId::new(MILLIS, random("fonds", n % FONDS))
}

/// Some classes are permanent, some wait for what nobody tells; the years of the others may be more by some.
fn class(n: u64, more: u16) -> Class {
    let period = match n % 20 {
        0 | 1 => Period::Permanent,
        2 => Period::WhileInForce,
        n => Period::Years([5, 10, 15, 20, 50][n as usize % 5] + more),
    };
    let (trigger, action) = (period.trigger(), Action::of(period));
    let (code, title) = (format!("{}.{:02}", n / 20 + 1, n % 20 + 1), format!("Hồ sơ, tài liệu nhóm {n}"));
    Class { code, group: format!("{}", n / 20 + 1), title, subtitle: None, period, trigger, action, note: None }
}

fn schedule() -> Schedule {
    let day = |text: &str| text.parse::<Day>().unwrap();
    Schedule {
        schema: schedule::SCHEMA.into(),
        schedule: schedule_id(),
        version: 1,
        replaces: None,
        salt: salt(),
        title: "Bảng thời hạn lưu trữ để đo".into(),
        source: Some(LegalSource {
            number: "01/2020/TT-ABC".into(),
            title: "Quy định để đo".into(),
            issued: "2020-01-01".parse().unwrap(),
            agency: "Cơ quan ABC".into(),
        }),
        from: day("2020-02-01"),
        until: None,
        incomplete: false,
        approved: Some(Approval { by: ActorId::new(0, [3; 10]), decision: "1/QĐ-ABC".into(), on: day("2020-03-01") }),
        note: None,
        classes: (0..CLASSES).map(|n| class(n, 0)).collect(),
    }
}

fn fonds_of(n: u64) -> Fonds {
    let about = fonds::About {
        code: format!("PH{n}"),
        name: format!("Phông số {n}"),
        kind: fonds::Kind::Fonds,
        creator: format!("CQ{n}").parse().unwrap(),
        custodians: Vec::new(),
        history: None,
        started: None,
        ended: None,
        groups: Vec::new(),
        languages: vec!["01".into()],
        security_copy: None,
        note: None,
        closed: None,
    };
    Fonds { schema: Fonds::SCHEMA.into(), fonds: fonds_id(n), replaces: None, salt: salt(), about }
}

fn code(n: u64) -> String {
    format!("CQ{}.{}.HS{n}", n % FONDS, 1990 + n % 35)
}

fn file(n: u64) -> File {
    let year = format!("{}", 1990 + n % 35);
    let about = file::About {
        code: Some(code(n)),
        title: format!("Hồ sơ giải quyết công việc số {n} năm {year}"),
        access: Access::Conditional,
        languages: vec!["01".into()],
        started: year.parse().ok(),
        ended: year.parse().ok(),
        maker: Some("Cao Văn Nghĩa".into()),
        class: Some(ClassRef { schedule: schedule_id(), version: 1, class: class(n * 7 % CLASSES, 0).code }),
        ..file::About::default()
    };
    let file = FileId::new(MILLIS + n, random("file", n));
    let (schema, state) = (File::SCHEMA.into(), FileState::Closed);
    File { schema, file, fonds: fonds_id(n), replaces: None, salt: salt(), state, about }
}

fn record(file: u64, n: u64) -> Description {
    let metadata = Metadata {
        subject: format!("Về việc giải quyết công việc số {n}"),
        number: Some(format!("{}", n % 5_000)),
        notation: Some("UBND-VX".into()),
        issued: format!("{}", 1990 + file % 35).parse().ok(),
        agency: Some("Ủy ban nhân dân".into()),
        access: Access::Conditional,
        fonds: Some(format!("PH{}", file % FONDS)),
        file: Some(code(file)),
        ..Metadata::default()
    };
    let component = Component {
        ordinal: 1,
        sha256: digest("component", n),
        size: 10_000 + n % 90_000,
        format: Format { mime: PLAIN_TEXT.into() },
        role: Role::Original,
        original_name: None,
        made_from: None,
        made_by: None,
        unread: None,
    };
    Description {
        schema: description::SCHEMA.into(),
        record: RecordId::new(MILLIS + n, random("record", n)),
        replaces: None,
        salt: salt().to_string(),
        metadata,
        components: vec![component],
        findings: Vec::new(),
        secrecy: None,
        reasons: vec![],
    }
}

fn held(n: u64) -> Hold {
    Hold {
        schema: hold::SCHEMA.into(),
        salt: salt(),
        hold: HoldId::new(MILLIS + n, random("hold", n)),
        replaces: None,
        authority: "Thanh tra tỉnh".into(),
        reason: Reason::Inspection,
        reason_text: "Phục vụ thanh tra".into(),
        scope: Scope::File { file: FileId::new(MILLIS + n * 100, random("file", n * 100)) },
        asked_by: ActorId::new(0, [30; 10]),
        placed_by: ActorId::new(0, [2; 10]),
        released: None,
    }
}
