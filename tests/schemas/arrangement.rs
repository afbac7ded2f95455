//! The schemas of what arrangement keeps: agencies, fonds, files, lists of files, backlog work.

use super::{assert_table, changed, code_reads, document, field_row, schema};
use serde_json::{Value, json};
use vankho::record::{
    access::Access,
    agencies::{
        Draft, Register,
        custody::{Assignment, Share},
        levels,
    },
    arranging::Refusal,
    backlog::{Backlog, BacklogState, Because, Proposed, Rejected},
    digest::Digest,
    document::{Document, Salt},
    fields::Field,
    file::{self, FILE_FIELDS, File},
    file_state::FileState,
    finding::Severity,
    flaw::Code,
    fonds::{self, Closed, FONDS_FIELDS, Fonds, Keeping, Kind},
    id::{ActorId, BacklogId, FileId, FondsId, PlanId, RecordId, RegisterId, ScheduleId},
    plan::{Approval, FilePlan, Heading, Planned},
    retention::trigger::{Told, Trigger},
    term::ClassRef,
};

const MILLIS: u64 = 1_763_877_600_000;

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn register() -> Register {
    let draft = Draft::read(include_str!("../../deploy/sample/agencies.json")).expect("the sample register");
    let mut register = draft.register(RegisterId::new(MILLIS, [6; 10]), Salt::new([3; 32]));
    assert_eq!(register.levels, levels());
    register.replaces = Some(Digest::of(b"x"));
    register.agencies[0].identifier = "H49.64.33".parse().ok();
    register.custody.push(Assignment {
        creator: "UBND-DM".parse().unwrap(),
        custodian: "UBND-SM".parse().unwrap(),
        share: Some(Share::Limited),
        from: "2026-01-10".parse().unwrap(),
        until: "2030".parse().ok(),
        source: "Quyết định 100/QĐ-UBND".into(),
    });
    register
}

fn fonds_of(about: fonds::About) -> Fonds {
    let (schema, fonds) = (Fonds::SCHEMA.into(), FondsId::new(MILLIS, [8; 10]));
    Fonds { schema, fonds, replaces: Some(Digest::of(b"x")), salt: Salt::new([3; 32]), about }
}

fn minimal_fonds() -> fonds::About {
    fonds::About {
        code: "UBND-DM".into(),
        name: "Phông lưu trữ Ủy ban nhân dân huyện Đồng Mơ".into(),
        kind: Kind::Fonds,
        creator: "UBND-DM".parse().unwrap(),
        custodians: vec![],
        history: None,
        started: None,
        ended: None,
        groups: vec![],
        languages: vec![],
        security_copy: None,
        note: None,
        closed: None,
    }
}

fn full_fonds() -> fonds::About {
    let from = "2025-07-01".parse().unwrap();
    fonds::About {
        kind: Kind::Gathered,
        custodians: vec![Keeping { agency: "LTLS-LH".parse().unwrap(), from, source: some("09/BB-SNV") }],
        history: some("Huyện Đồng Mơ thành lập năm 1949.\nKết thúc năm 2025."),
        started: "1997".parse().ok(),
        ended: "2025-06-30".parse().ok(),
        groups: vec!["Giao thông".into()],
        languages: vec!["01".into()],
        security_copy: Some(false),
        note: some("Một phần đã số hóa"),
        closed: Some(Closed {
            on: "2025-06-30".parse().unwrap(), reason: "Kết thúc hoạt động cấp huyện".into()
        }),
        ..minimal_fonds()
    }
}

fn class() -> ClassRef {
    ClassRef { schedule: ScheduleId::new(MILLIS, [4; 10]), version: 1, class: "1.7".into() }
}

fn full_file() -> file::About {
    file::About {
        code: some("UBND-DM.2019.GTNT.14"),
        title: "Hồ sơ giao thông nông thôn".into(),
        retention_code: some("07"),
        access: Access::Public,
        languages: vec!["01".into()],
        started: "2019-01-03".parse().ok(),
        ended: "2019".parse().ok(),
        keywords: vec!["đường".into()],
        records: Some(6),
        sheets: Some(8),
        pages: Some(12),
        physical_condition: some("02"),
        information_sign: some("GTNT"),
        origin: some("02"),
        paper_code: some("H49.12.K1/G2/H14.14"),
        security_copy: Some(true),
        security_copy_status: some("02"),
        note: some("Hộp 14"),
        heading: some("GTNT"),
        maker: some("Trịnh Thị Hồng Vân"),
        maker_id: Some(ActorId::new(MILLIS, [2; 10])),
        unit: some("Phòng Nội vụ"),
        opened: "2019-01-03".parse().ok(),
        closed: "2020-01-10".parse().ok(),
        retention_years: Some(15),
        class: Some(class()),
        facts: vec![Told { trigger: Trigger::ConstructionEnded, when: "2020-05".parse().unwrap() }],
        reasons: vec!["Thiếu trang 3".into()],
        paper_place: some("Kho 1, giá 2, hộp 14"),
        loose_reason: some("Cơ quan không lập hồ sơ"),
        shared: vec![file::Shared { record: RecordId::new(MILLIS, [9; 10]), ordinal: Some(6) }],
    }
}

fn file_of(about: file::About, state: FileState) -> File {
    let (schema, file, fonds) = (File::SCHEMA.into(), FileId::new(MILLIS, [7; 10]), FondsId::new(MILLIS, [8; 10]));
    File { schema, file, fonds, replaces: Some(Digest::of(b"x")), salt: Salt::new([3; 32]), state, about }
}

fn approval() -> Option<Approval> {
    let on = "2025-01-09".parse().unwrap();
    Some(Approval { by: ActorId::new(MILLIS, [5; 10]), decision: "12/QĐ-SNV".into(), on })
}

fn plan() -> FilePlan {
    let planned = Planned {
        code: "2025.VTLT.01".into(),
        title: "Danh mục hồ sơ năm 2025".into(),
        heading: some("VTLT"),
        retention_code: some("05"),
        retention_years: Some(20),
        class: Some(class()),
        maker: some("Quách Thị Mai"),
        maker_id: Some(ActorId::new(MILLIS, [2; 10])),
        unit: some("Văn phòng"),
        note: some("Hằng năm"),
    };
    FilePlan {
        schema: FilePlan::SCHEMA.into(),
        plan: PlanId::new(MILLIS, [6; 10]),
        fonds: FondsId::new(MILLIS, [8; 10]),
        year: 2025,
        agency: "SNV-LH".parse().unwrap(),
        replaces: Some(Digest::of(b"x")),
        salt: Salt::new([3; 32]),
        headings: vec![Heading { code: "VTLT".into(), title: "Văn thư, lưu trữ".into(), parent: some("VP") }],
        files: vec![planned],
        approval: approval(),
    }
}

fn backlog() -> Backlog {
    let record = |n| RecordId::new(MILLIS, [n; 10]);
    let proposed =
        Proposed { file: FileId::new(MILLIS, [7; 10]), about: full_file(), records: vec![record(1), record(2)] };
    Backlog {
        schema: Backlog::SCHEMA.into(),
        backlog: BacklogId::new(MILLIS, [6; 10]),
        fonds: FondsId::new(MILLIS, [8; 10]),
        replaces: Some(Digest::of(b"x")),
        salt: Salt::new([3; 32]),
        title: "Chỉnh lý phông Ủy ban nhân dân huyện Đồng Mơ".into(),
        by: ActorId::new(MILLIS, [2; 10]),
        history: some("Thành lập năm 1949."),
        scheme: some("Cơ cấu tổ chức – thời gian."),
        files: vec![proposed],
        rejected: vec![Rejected {
            record: record(3), because: Because::Duplicate, reason: "Trùng với bản 1".into()
        }],
        state: BacklogState::Approved,
        approval: approval(),
    }
}

/// The pointers to every key of every object in a value.
fn keys(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inside) in map {
                let pointer = format!("{at}/{key}");
                keys(inside, &pointer, found);
                found.push(pointer);
            }
        }
        Value::Array(list) => {
            for (n, inside) in list.iter().enumerate() {
                keys(inside, &format!("{at}/{n}"), found);
            }
        }
        _ => {}
    }
}

/// The schema and the code accept the same: what the code writes, and that without a key that may be absent; neither
/// takes it without one that may not, nor with one that nobody knows, nor what is listed as wrong.
fn agree<D: Document>(document: &D, wrong: &[(&str, Value)]) {
    let (_, schema) = schema(&format!("{}.json", D::SCHEMA));
    let value: Value = serde_json::from_slice(&document.to_bytes().unwrap()).unwrap();
    schema.validate(&value).unwrap_or_else(|e| panic!("{}: {e} at {}", D::SCHEMA, e.instance_path()));
    let mut pointers = Vec::new();
    keys(&value, "", &mut pointers);
    for pointer in &pointers {
        let without = changed(&value, pointer, None);
        assert_eq!(schema.is_valid(&without), code_reads::<D>(&without), "{}: without {pointer}", D::SCHEMA);
        let (parent, _) = pointer.rsplit_once('/').unwrap();
        let more = changed(&value, &format!("{parent}/extra"), Some(json!(1)));
        assert!(!schema.is_valid(&more) && !code_reads::<D>(&more), "{}: {parent}/extra", D::SCHEMA);
        let nothing = changed(&value, pointer, Some(json!({})));
        assert!(!schema.is_valid(&nothing) && !code_reads::<D>(&nothing), "{}: {pointer} is {{}}", D::SCHEMA);
    }
    for (pointer, to) in wrong {
        let other = changed(&value, pointer, Some(to.clone()));
        assert!(!schema.is_valid(&other) && !code_reads::<D>(&other), "{}: {pointer}", D::SCHEMA);
    }
    let renamed = changed(&value, "/schema", Some(json!("other.v1")));
    let bytes = serde_json_canonicalizer::to_vec(&renamed).unwrap();
    assert!(!schema.is_valid(&renamed) && D::from_bytes(&bytes).is_err());
}

#[test]
fn agencies_as_the_code_writes_them() {
    agree(
        &register(),
        &[
            ("/agencies/0/code", json!("UBND LH")),
            ("/agencies/0/code", json!("x".repeat(36))),
            ("/agencies/3/until", json!("30/06/2025")),
            ("/agencies/7/predecessors", json!("UBND-DM")),
            ("/agencies/2/historical_archive", json!("yes")),
            ("/custody/0/share", json!("some")),
        ],
    );
}

#[test]
fn fonds_as_the_code_writes_them() {
    agree(&fonds_of(minimal_fonds()), &[]);
    agree(
        &fonds_of(full_fonds()),
        &[
            ("/fonds", json!("UBND-DM")),
            ("/salt", json!("0a")),
            ("/about/kind", json!("phông")),
            ("/about/creator", json!("Ủy ban")),
            ("/about/languages", json!("01")),
            ("/about/security_copy", json!("1")),
            ("/about/closed/on", json!("2025-6-30")),
        ],
    );
    let (_, schema) = schema("fonds.v1.json");
    for kind in [Kind::Fonds, Kind::Work, Kind::Gathered] {
        let value = serde_json::to_value(fonds_of(fonds::About { kind, ..minimal_fonds() })).unwrap();
        assert!(schema.is_valid(&value) && value["about"]["kind"] == kind.as_str());
    }
}

#[test]
fn files_as_the_code_writes_them() {
    let minimal = file::About { title: "Hồ sơ".into(), ..file::About::default() };
    agree(&file_of(minimal, FileState::Open), &[]);
    agree(
        &file_of(full_file(), FileState::Accepted),
        &[
            ("/file", json!("F1")),
            ("/salt", json!("0A".repeat(32))),
            ("/state", json!("lost")),
            ("/about/access", json!("01")),
            ("/about/started", json!("03/01/2019")),
            ("/about/records", json!(-1)),
            ("/about/pages", json!(4_294_967_296_u64)),
            ("/about/maker_id", json!("lan")),
            ("/about/reasons", json!("Thiếu trang 3")),
            ("/about/class/version", json!("1")),
            ("/about/facts", json!({"trigger": "work_ended", "when": "2020"})),
            ("/about/facts/0/trigger", json!("ended")),
            ("/about/facts/0/when", json!("tháng 5")),
        ],
    );
    let (schema, validator) = schema("file.v1.json");
    let states: Vec<&str> = FileState::ALL.iter().map(FileState::as_str).collect();
    assert_eq!(schema["properties"]["state"]["enum"], json!(states));
    let about = schema["$defs"]["about"]["properties"].as_object().unwrap().keys().map(String::as_str);
    // Facts stand in no table of fields.
    let about: Vec<&str> = about.filter(|key| *key != "facts").collect();
    assert_eq!(about, FILE_FIELDS.iter().map(|field| field.key).collect::<Vec<_>>());
    let value = serde_json::to_value(file_of(full_file(), FileState::Open)).unwrap();
    for (pointer, to) in [("/about/title", json!("")), ("/about/title", json!("a\nb")), ("/about/keywords", json!([]))]
    {
        assert!(!validator.is_valid(&changed(&value, pointer, Some(to))), "{pointer}: the code never writes it");
    }
}

#[test]
fn lists_of_files_as_the_code_writes_them() {
    let bare = FilePlan { headings: vec![], files: vec![], approval: None, replaces: None, ..plan() };
    agree(&bare, &[]);
    agree(
        &plan(),
        &[
            ("/year", json!("2025")),
            ("/year", json!(70_000)),
            ("/agency", json!("Sở Nội vụ")),
            ("/files", json!([1])),
            ("/files/0/maker_id", json!("mai")),
            ("/approval/on", json!("09/01/2025")),
            ("/approval/by", json!("head")),
        ],
    );
}

#[test]
fn backlog_work_as_the_code_writes_it() {
    let draft = Backlog {
        history: None,
        scheme: None,
        files: vec![],
        rejected: vec![],
        state: BacklogState::Draft,
        approval: None,
        ..backlog()
    };
    agree(&draft, &[]);
    agree(
        &backlog(),
        &[
            ("/state", json!("done")),
            ("/by", json!("lan")),
            ("/files/0/records/0", json!("1")),
            ("/rejected/0/because", json!("boring")),
        ],
    );
    let (schema, _) = schema("backlog.v1.json");
    for state in BacklogState::ALL {
        let name = serde_json::to_value(state).unwrap();
        assert!(schema["properties"]["state"]["enum"].as_array().unwrap().contains(&name), "{name}");
    }
}

fn rows<T>(fields: &[Field<T>]) -> Vec<String> {
    fields.iter().map(field_row).collect()
}

#[test]
fn the_readme_prints_the_tables_of_arrangement() {
    let readme = document("README.md");
    assert_table(&readme, "Fields of a file", rows(&FILE_FIELDS));
    assert_table(&readme, "Fields of a fonds", rows(&FONDS_FIELDS));
    let severity = |code: &Code| if code.severity() == Severity::Error { "error" } else { "warning" };
    let flaw = |code: &Code| format!("| `{}` | {} | {} | {} |", code.as_str(), severity(code), code.vi(), code.en());
    assert_table(&readme, "Flaws", Code::ALL.iter().map(flaw).collect());
    let refusal = |one: &Refusal| format!("| `{}` | {} | {} |", one.as_str(), one.vi(), one.en());
    assert_table(&readme, "Refusals", Refusal::ALL.iter().map(refusal).collect());
}
