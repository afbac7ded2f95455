//! An archive in which something falls due, the people who decide about it, and canaries that must be gone afterwards.

use crate::world::{Acknowledged, World};
use futures::stream;
use sqlx::{Connection, SqliteConnection};
use std::{collections::HashMap, path::Path, sync::atomic::Ordering};
use vankho::{
    archive::{Archive, ArchiveError, keep::random},
    arrangement,
    catalog::retention::DueFilter,
    disposition::{DispositionError, Done, Who, cases, execution, schedules},
    exchange::shipped,
    ingest::{self, Fate},
    record::{
        access::Access,
        actor::Role,
        component,
        date::PartialDate,
        digest::Digest,
        disposition::{
            act::Act,
            case::{Council, Ground, Outcome, Paper, Unit as Listable, Votes},
            refusal::Refusal,
        },
        entry::{Entry, Event},
        file::About,
        file_state::{self, FileAct},
        fonds,
        id::{ActorId, CaseId, FileId, FondsId, RecordId, ScheduleId},
        metadata::Metadata,
        package::{Package, Source},
        retention::{
            day::Day,
            schedule::Draft,
            trigger::{Told, Trigger},
        },
        term::ClassRef,
        unit::Unit,
    },
};

pub const FONDS: &str = "SNV";
pub const CODE: &str = "H49.64.2026.KH01";
/// TT 09/2011: yearly plans of an agency above, 10 years; and a class that is permanent.
pub const CLASS: &str = "1.07";
pub const PERMANENT: &str = "1.05";

pub const ARCHIVIST: u8 = 1;
pub const SECOND: u8 = 2;
pub const CHAIR: u8 = 3;
pub const MEMBERS: [u8; 2] = [4, 5];
pub const HEAD: u8 = 6;

const DAY_MICROS: i64 = 86_400_000_000;

pub fn actor(n: u8) -> ActorId {
    ActorId::new(0, [n; 10])
}

fn role(n: u8) -> Role {
    match n {
        CHAIR => Role::RecordsClerk,
        4 | 5 => Role::Official,
        HEAD => Role::Head,
        _ => Role::Archivist,
    }
}

/// Somebody who has just logged in.
pub fn who(archive: &Archive, n: u8) -> Who {
    Who { actor: actor(n), role: role(n), authenticated: Some(archive.clock.now()) }
}

pub fn keeper() -> file_state::Who {
    file_state::Who { id: actor(ARCHIVIST), role: Role::Archivist }
}

/// So many years pass, and a week.
pub fn years_pass(world: &World, years: i64) {
    world.micros.fetch_add((years * 366 + 7) * DAY_MICROS, Ordering::SeqCst);
}

pub fn today(archive: &Archive) -> Day {
    Day::in_vietnam(archive.clock.now())
}

/// A paper of today.
pub fn paper(archive: &Archive, number: &str) -> Paper {
    let day: PartialDate = archive.clock.now().day().parse().unwrap();
    Paper { number: Some(number.into()), day, record: None }
}

/// A word that nobody else has: twenty letters.
pub fn canary() -> String {
    let bytes = random::<10>().unwrap();
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|n| char::from(b'a' + n)).collect()
}

/// What is planted in one record.
#[derive(Clone, Debug)]
pub struct Canaries {
    pub title: String,
    pub note: String,
    pub keyword: String,
    pub field: String,
    pub external_id: String,
    pub name: String,
    pub text: String,
    pub bytes: Vec<u8>,
}

impl Canaries {
    pub fn new() -> Canaries {
        Canaries {
            title: canary(),
            note: canary(),
            keyword: canary(),
            field: canary(),
            external_id: canary(),
            name: canary(),
            text: canary(),
            bytes: random::<24>().unwrap().to_vec(),
        }
    }

    /// All but the title, which a stub keeps.
    pub fn needles(&self) -> Vec<(&'static str, Vec<u8>)> {
        let word = |word: &String| word.clone().into_bytes();
        vec![
            ("note", word(&self.note)),
            ("keyword", word(&self.keyword)),
            ("field", word(&self.field)),
            ("external_id", word(&self.external_id)),
            ("name", word(&self.name)),
            ("text", word(&self.text)),
            ("bytes", self.bytes.clone()),
        ]
    }

    pub fn metadata(&self) -> Metadata {
        Metadata {
            subject: format!("Kế hoạch công tác {}", self.title),
            external_id: Some(self.external_id.clone()),
            note: Some(format!("Ghi chú {}", self.note)),
            keywords: vec![self.keyword.clone()],
            field: Some(self.field.clone()),
            ..said("")
        }
    }

    /// A text that is read, and bytes that nobody reads.
    pub fn components(&self, world: &World) -> Vec<Source> {
        let name = format!("{}.bin", self.name);
        let bytes = [&[0, 1, 2, 3], &self.bytes[..], &[0, 255]].concat();
        let path = world.file(&format!("given/{name}"), bytes);
        vec![
            Source::Text { text: format!("Toàn văn của kế hoạch: {}", self.text) },
            Source::File { path, name, expected: None },
        ]
    }
}

/// What every record says that nothing else is said of.
pub fn said(external_id: &str) -> Metadata {
    Metadata {
        subject: format!("Kế hoạch công tác {external_id}"),
        external_id: Some(external_id.into()).filter(|id: &String| !id.is_empty()),
        agency: Some("Sở Nội vụ".into()),
        access: Access::Public,
        fonds: Some(FONDS.into()),
        issued: "2026-02-10".parse().ok(),
        pages: Some(2),
        ..Metadata::default()
    }
}

pub fn text(text: &str) -> Vec<Source> {
    vec![Source::Text { text: text.into() }]
}

/// Takes records in, in one delivery; the answer is in the order of what was given. A delivery that is repeated under
/// its name is the same one.
pub async fn deposit(
    world: &World,
    archive: &Archive,
    delivery: &str,
    given: Vec<(Metadata, Vec<Source>)>,
) -> Result<Vec<RecordId>, ArchiveError> {
    let names: Vec<String> = given.iter().map(|(metadata, _)| metadata.external_id.clone().unwrap()).collect();
    let packages = given.into_iter().zip(1..).map(|((metadata, components), row)| {
        let identity = Digest::of(format!("{delivery}/{row}").as_bytes());
        Package { row, identity, metadata, components, findings: Vec::new() }
    });
    let packages: Vec<Package> = packages.collect();
    let mut kept: HashMap<String, RecordId> = HashMap::new();
    let mut hear = |outcome: ingest::Outcome| {
        let external_id = outcome.external_id.clone().unwrap_or_default();
        let Fate::Kept { record, receipt, .. } = &outcome.fate else { panic!("{outcome:?}") };
        kept.insert(external_id.clone(), *record);
        let one = Acknowledged { external_id, record: *record, receipt: receipt.clone() };
        world.acknowledged.lock().unwrap().push(one);
    };
    ingest::receive(archive, delivery, stream::iter(packages), &mut hear).await?;
    Ok(names.iter().map(|name| kept[name]).collect())
}

/// The schedule of TT 09/2011 as an agency has completed it.
pub fn draft() -> Draft {
    Draft { incomplete: false, ..shipped::schedules().unwrap().remove(0) }
}

pub fn schedule_of(done: &Done) -> ScheduleId {
    let Unit::Schedule(id) = done.unit else { panic!("{done:?}") };
    id
}

/// Drafted by an archivist, approved by the head.
pub async fn approved_schedule(archive: &Archive) -> ScheduleId {
    let id = schedule_of(&schedules::open_schedule(archive, &who(archive, ARCHIVIST), draft()).await.unwrap());
    approve(archive, id).await;
    id
}

pub async fn approve(archive: &Archive, id: ScheduleId) {
    let head = who(archive, HEAD);
    schedules::approve_schedule(archive, &head, id, "15/QĐ-SNV", today(archive)).await.unwrap();
}

pub fn class(schedule: ScheduleId, class: &str) -> Option<ClassRef> {
    Some(ClassRef { schedule, version: 1, class: class.into() })
}

pub async fn opened_fonds(archive: &Archive, code: &str) -> FondsId {
    let about = fonds::About {
        code: code.into(),
        name: format!("Phông {code}"),
        kind: fonds::Kind::Fonds,
        creator: "SNV".parse().unwrap(),
        custodians: vec![],
        history: None,
        started: "2016".parse().ok(),
        ended: None,
        groups: vec![],
        languages: vec!["01".into()],
        security_copy: None,
        note: None,
        closed: None,
    };
    let opened = arrangement::open_fonds(archive, &keeper(), about, None).await.unwrap();
    let Unit::Fonds(id) = opened.unit else { panic!("{opened:?}") };
    id
}

/// A file of work that ended in March 2026.
pub fn about(code: &str, class: Option<ClassRef>) -> About {
    About {
        code: Some(code.into()),
        title: "Kế hoạch công tác năm của cơ quan cấp trên".into(),
        retention_code: Some("06".into()),
        languages: vec!["01".into()],
        started: "2026-01-05".parse().ok(),
        ended: "2026-03-20".parse().ok(),
        maker: Some("Nguyễn Thị Lan".into()),
        class,
        ..About::default()
    }
}

pub async fn opened_file(archive: &Archive, fonds: FondsId, about: About) -> FileId {
    let opened = arrangement::open_file(archive, &keeper(), fonds, about).await.unwrap();
    let Unit::File(id) = opened.unit else { panic!("{opened:?}") };
    id
}

/// An archive before anything is decided: a closed file of three records, a loose record, and one that stays for good.
#[derive(Clone, Debug)]
pub struct Settled {
    pub fonds: FondsId,
    pub schedule: ScheduleId,
    pub file: FileId,
    pub inside: [RecordId; 3],
    pub loose: RecordId,
    pub stays: RecordId,
    /// Those of the file, then those of the loose record.
    pub canaries: [Canaries; 4],
}

impl Settled {
    /// All that is to be destroyed.
    pub fn going(&self) -> [RecordId; 4] {
        [self.inside[0], self.inside[1], self.inside[2], self.loose]
    }

    pub fn units(&self) -> [Listable; 2] {
        [Listable::File(self.file), Listable::Record(self.loose)]
    }
}

/// With a schedule that a head has approved.
pub async fn settled(world: &World, archive: &Archive) -> Settled {
    let schedule = approved_schedule(archive).await;
    settled_under(world, archive, schedule).await
}

pub async fn settled_under(world: &World, archive: &Archive, schedule: ScheduleId) -> Settled {
    let fonds = opened_fonds(archive, FONDS).await;
    let file = opened_file(archive, fonds, about(CODE, class(schedule, CLASS))).await;
    let canaries = [Canaries::new(), Canaries::new(), Canaries::new(), Canaries::new()];
    let in_file =
        |n: usize| Metadata { file: Some(CODE.into()), file_ordinal: Some(n as u32 + 1), ..canaries[n].metadata() };
    let loose = Metadata { class: class(schedule, CLASS), ..loose(&canaries[3].metadata()) };
    let stays = Metadata { class: class(schedule, PERMANENT), ..self::loose(&said("ở lại")) };
    let mut given: Vec<(Metadata, Vec<Source>)> = (0..3).map(|n| (in_file(n), canaries[n].components(world))).collect();
    given.push((loose, canaries[3].components(world)));
    given.push((stays, text("Báo cáo tổng kết năm, ở lại mãi")));
    let records = deposit(world, archive, "lần đầu", given).await.unwrap();
    arrangement::act(archive, &keeper(), file, &FileAct::Close).await.unwrap();
    let inside = [records[0], records[1], records[2]];
    Settled { fonds, schedule, file, inside, loose: records[3], stays: records[4], canaries }
}

/// The same as a loose record, of work that ended in March 2026.
pub fn loose(metadata: &Metadata) -> Metadata {
    Metadata {
        loose_reason: Some("Văn bản đến sau khi hồ sơ đã nộp".into()),
        facts: vec![Told { trigger: Trigger::WorkEnded, when: "2026-03-20".parse().unwrap() }],
        ..metadata.clone()
    }
}

/// A case of which nothing is done yet, and its script.
pub async fn scripted(archive: &Archive, units: &[Listable], appraised: bool) -> (CaseId, Vec<(u8, Act)>) {
    let case = opened_case(archive, appraised).await;
    let listed = grounds(archive, units).await;
    (case, script(archive, &listed, appraised))
}

/// Where an act stands in a script, the first of its name.
pub fn step(acts: &[(u8, Act)], wanted: &str) -> usize {
    acts.iter().position(|(_, act)| act.as_str() == wanted).unwrap()
}

/// The acts of a case from its list to the minutes of handing over, each with who does it.
pub fn script(archive: &Archive, listed: &[(Listable, Ground)], appraised: bool) -> Vec<(u8, Act)> {
    let paper = |number: &str| paper(archive, number);
    let reason = || "Đã hết giá trị sử dụng".to_owned();
    let list = |(unit, ground): &(Listable, Ground)| (ARCHIVIST, Act::List { unit: *unit, ground: ground.clone() });
    let mut acts: Vec<(u8, Act)> = listed.iter().map(list).collect();
    let members = MEMBERS.map(actor).to_vec();
    let council = Council { paper: paper("20/QĐ-SNV"), chair: actor(CHAIR), members };
    acts.push((ARCHIVIST, Act::SetUpCouncil { council }));
    for (unit, _) in listed {
        let opinion = |n: u8| (n, Act::Opine { unit: *unit, outcome: Outcome::Destroy, reason: reason() });
        acts.extend([CHAIR, MEMBERS[0], MEMBERS[1]].map(opinion));
    }
    acts.push((CHAIR, Act::EndReview { minutes: paper("01/BB-HĐ") }));
    for (unit, _) in listed {
        let votes = Votes { agree: 3, against: 0, abstained: 0 };
        acts.push((CHAIR, Act::Propose { unit: *unit, outcome: Outcome::Destroy, reason: reason(), votes }));
    }
    if appraised {
        let authority = "Trung tâm Lưu trữ lịch sử".to_owned();
        let appraisal = vankho::record::disposition::case::Appraisal { paper: paper("7/TĐ"), authority, agreed: true };
        acts.push((ARCHIVIST, Act::Appraise { appraisal, reason: String::new() }));
    }
    acts.push((HEAD, Act::Decide { paper: paper("50/QĐ-SNV"), spared: vec![], reason: String::new() }));
    acts.push((ARCHIVIST, Act::HandOver { minutes: paper("02/BB-BG") }));
    acts
}

pub async fn opened_case(archive: &Archive, to_historical: bool) -> CaseId {
    let opened = cases::open_case(archive, &who(archive, ARCHIVIST), FONDS, to_historical).await.unwrap();
    let Unit::Case(case) = opened.unit else { panic!("{opened:?}") };
    case
}

/// The grounds of units as they are due now.
pub async fn grounds(archive: &Archive, units: &[Listable]) -> Vec<(Listable, Ground)> {
    let mut listed = Vec::new();
    for unit in units {
        listed.push((*unit, cases::ground(archive, *unit).await.unwrap()));
    }
    listed
}

/// Does acts one after the other, until one is refused.
pub async fn proceed(archive: &Archive, case: CaseId, acts: &[(u8, Act)]) -> Result<(), DispositionError> {
    for (n, act) in acts {
        cases::act(archive, &who(archive, *n), case, act.clone()).await?;
    }
    Ok(())
}

/// A case that is decided and handed over: everything may be ordered.
pub async fn decided(archive: &Archive, units: &[Listable]) -> CaseId {
    let (case, acts) = scripted(archive, units, false).await;
    proceed(archive, case, &acts).await.unwrap();
    case
}

pub async fn order(archive: &Archive, case: CaseId, unit: Listable) -> Result<Done, DispositionError> {
    execution::order(archive, &who(archive, ARCHIVIST), case, unit).await
}

/// Orders units and carries the orders out as far as it goes.
pub async fn order_all(archive: &Archive, case: CaseId, units: &[Listable]) {
    for unit in units {
        order(archive, case, *unit).await.unwrap();
    }
    execution::resume(archive).await.unwrap();
}

pub fn refused<T: std::fmt::Debug>(done: Result<T, DispositionError>) -> Refusal {
    match done {
        Err(DispositionError::Refused(refusal)) => refusal,
        other => panic!("it is not refused by the rules of disposition: {other:?}"),
    }
}

/// What was acknowledged and is destroyed is not missing.
pub fn forget(world: &World, records: &[RecordId]) -> Vec<Acknowledged> {
    let mut acknowledged = world.acknowledged.lock().unwrap();
    let (gone, here) = acknowledged.drain(..).partition(|one| records.contains(&one.record));
    *acknowledged = here;
    gone
}

/// Every entry of the ledger.
pub async fn entries(archive: &Archive) -> Vec<Entry> {
    let mut replay = archive.ledger.replay_from(0).await.unwrap();
    let mut entries = Vec::new();
    while let Some(commit) = replay.next().await.unwrap() {
        entries.extend(commit.entries.iter().map(|bytes| Entry::from_bytes(bytes).unwrap()));
    }
    entries
}

/// How often a record was ordered to end, and how often it ended.
pub fn ends(entries: &[Entry], record: RecordId) -> (usize, usize) {
    let count = |is: &dyn Fn(&Event) -> bool| entries.iter().filter(|entry| is(&entry.event)).count();
    let ended = |event: &Event| matches!(event, Event::Destroyed { record: one, .. } | Event::Expelled { record: one, .. } if *one == record);
    (count(&|event| event.ends() == Some(record)), count(&ended))
}

/// Everything that is due or will be by a day.
pub fn all_until(until: Day) -> DueFilter {
    DueFilter::on(until)
}

/// All that the catalog says of retention and disposition, to be compared with what another says.
pub async fn answers(archive: &Archive) -> String {
    let catalog = &archive.catalog;
    let (due, _) = catalog.due_list(&all_until(Day::LAST), None, 1000).await.unwrap();
    let (holds, cases) = (catalog.holds().await.unwrap(), catalog.cases().await.unwrap());
    let (mut said, mut units) = (Vec::new(), Vec::new());
    for hold in &holds {
        said.push(catalog.placements(hold.hold, 0, 1000).await.unwrap());
    }
    for known in catalog.schedules().await.unwrap() {
        units.push(format!("{:?}", catalog.clocked(known.schedule, "", 1000).await.unwrap()));
        units.push(format!("{:?}", catalog.versions(known.schedule).await.unwrap()));
        units.push(format!("{:?}", catalog.classes(known.schedule, known.version).await.unwrap()));
        units.push(format!("{:?}", catalog.ruling(known.schedule).await.unwrap()));
    }
    let ends = (catalog.ends(0, 1000).await.unwrap(), catalog.orders_open().await.unwrap());
    format!(
        "{due:#?}\n{holds:#?}\n{said:#?}\n{cases:#?}\n{ends:#?}\n{units:#?}\n{:#?}",
        catalog.falling().await.unwrap()
    )
}

/// Somebody writes to the catalog's own file.
pub async fn meddle(catalog: &Path, statements: &[String]) {
    let mut database = SqliteConnection::connect(&format!("sqlite://{}", catalog.display())).await.unwrap();
    for statement in statements {
        let done = sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(&mut database).await;
        let done = done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        assert!(done.rows_affected() > 0, "it changed nothing: {statement}");
    }
    database.close().await.unwrap();
}

/// The names under which the components of a record lie.
pub async fn component_names(archive: &Archive, record: RecordId) -> Vec<String> {
    let described = archive.description(record).await.unwrap().unwrap();
    let of = |component: &component::Component| component.sha256.to_string();
    described.description.components.iter().map(of).collect()
}
