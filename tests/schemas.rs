//! The schemas say exactly what the code writes, and `schemas/README.md` says all of it to people.

#[path = "schemas/arrangement.rs"]
mod arrangement;
#[path = "schemas/disposition.rs"]
mod disposition;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use vankho::config::Ingest;
use vankho::exchange;
use vankho::record::{
    access::Access,
    audit::{self, Found, Mending, NonceBy, Report, Sampled, Seen, Signed, Totals},
    backup::{DRILL, Drill, DrillFault, Drilled, Part},
    codes,
    component::{Component, Format, Role, Unread},
    consultation::Consultation,
    description::{Description, SCHEMA},
    digest::Digest,
    document::{Document, Salt},
    entry::{Damage, Entry, Event},
    fields::{FIELDS, Field},
    finding::{Code, Finding, Severity},
    id::{ActorId, CaseId, FileId, FondsId, HoldId, RecordId, ScheduleId},
    metadata::Metadata,
    retention::{
        clock::{Awaited, Due, Reading},
        derivation::{self, Counted, Derivation, Held, Says, Term, Whence},
        flaw::FlawCode,
        gate::Obstacle,
        period::Period,
        schedule::{self, Action, Approval, Class, LegalSource, Schedule},
        trigger::{Evidence, Told, Trigger, When},
    },
    secrecy::{Level, Secrecy, Suspect},
    stamp::AuthorityCode,
    term::ClassRef,
    unit::{Kind, Unit},
};

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name)).unwrap()
}

fn schema(name: &str) -> (Value, jsonschema::Validator) {
    let schema: Value = serde_json::from_str(&document(name)).unwrap();
    jsonschema::meta::validate(&schema).unwrap_or_else(|e| panic!("{name}: {e}"));
    (schema.clone(), jsonschema::validator_for(&schema).unwrap())
}

fn original(ordinal: u32) -> Component {
    Component {
        ordinal,
        sha256: Digest::of(b"x"),
        size: 1,
        format: Format { mime: "application/pdf".into() },
        role: Role::Original,
        original_name: None,
        made_from: None,
        made_by: None,
        unread: None,
    }
}

fn minimal() -> Description {
    Description {
        schema: SCHEMA.into(),
        record: RecordId::new(1_763_877_600_000, [7; 10]),
        replaces: None,
        salt: "0a".repeat(32),
        metadata: Metadata { subject: "Công bố thủ tục".into(), ..Metadata::default() },
        components: vec![],
        findings: vec![],
        reasons: Vec::new(),
        secrecy: None,
    }
}

fn full() -> Description {
    let some = |text: &str| Some(text.to_owned());
    let metadata = Metadata {
        subject: "Công bố thủ tục".into(),
        access: Access::default(),
        external_id: some("7"),
        code: some("H49.64.33.2026.160.0000001"),
        number: some("48"),
        notation: some("QĐ-UBND"),
        issued: Some("2026-05-15".parse().unwrap()),
        agency: some("Ủy ban nhân dân tỉnh"),
        drafting_agency: some("Sở Nội vụ"),
        custodian: some("Sở Nội vụ"),
        kind: some("Quyết định"),
        type_code: some("02"),
        field: some("Nội vụ"),
        procedures: vec!["1.001234".into()],
        languages: vec!["01".into(), "ja".into()],
        pages: Some(3),
        fonds: some("UBND"),
        file: some("H49.64.33.2026.160"),
        file_ordinal: Some(7),
        keywords: vec!["thủ tục".into()],
        information_sign: some("TTHC"),
        origin: some("01"),
        annotations: some("Đồng ý.\nKý tên"),
        physical_condition: some("01"),
        has_workflow: Some(false),
        retention_code: some("15 năm"),
        security_copy: Some(true),
        security_copy_status: some("02"),
        note: some("Bản chính"),
        validity: some("Còn hiệu lực"),
        class: Some(ClassRef { schedule: ScheduleId::new(0, [5; 10]), version: 2, class: "1.07".into() }),
        facts: vec![Told { trigger: Trigger::DocumentCeased, when: "2026-08".parse().unwrap() }],
        loose_reason: some("Cơ quan không lập hồ sơ"),
    };
    let text = Component {
        role: Role::Text,
        made_from: Some(1),
        made_by: some("vankho 0.1.0"),
        format: Format { mime: "text/plain".into() },
        ..original(3)
    };
    let named = Component { original_name: some(" Quyết định.pdf"), ..original(1) };
    let locked = Component { unread: Some(Unread::Encrypted), ..original(2) };
    let findings = vec![
        Finding::new(Code::OutsideCodeList, 1, "language").with_detail("ja").mark(),
        Finding::new(Code::NoComponent, 1, "components").mark(),
    ];
    let replaces = Some(Digest::of(b"y"));
    let reasons = vec!["xếp nhầm hồ sơ".into()];
    let secrecy = Some(Secrecy::Suspected { level: Level::Higher, by: Suspect::Actor(ActorId::new(0, [2; 10])) });
    Description { replaces, metadata, components: vec![named, locked, text], findings, reasons, secrecy, ..minimal() }
}

fn entries() -> Vec<Entry> {
    let (record, description, replaces) =
        (RecordId::new(1_763_877_600_000, [1; 10]), Digest::of(b"d"), Digest::of(b"e"));
    let unit = record.into();
    let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
    let documents = BTreeMap::from([("schemas/record.v1.json".to_owned(), Digest::of(b"s"))]);
    let events = [
        Event::Founded { documents: documents.clone() },
        Event::Accessioned { record, description },
        Event::Described { unit, description, replaces },
        Event::Moved { record, description, replaces },
        Event::Characterized { record, description, replaces },
        Event::Refreshed { documents },
        Event::Promoted { replica: 2, epoch: 3 },
        Event::FixityChecked { place: 2, since: at, to: 9, records: 7, components: 8, bytes: 1 << 40, faults: 0 },
        Event::Damaged { unit, named_by: description, component: 0, place: 1, fault: Damage::Altered },
        Event::Repaired { unit, named_by: description, component: 3, place: 1, source: 2 },
        Event::Lost { unit, named_by: description, component: 1 },
        Event::Timestamped {
            size: 9,
            checkpoint: replaces,
            authority: AuthorityCode::try_from("tsa-1".to_owned()).unwrap(),
            time: at,
            until: at,
            token: description,
            chain: replaces,
        },
        Event::AuditPledged {
            size: 9,
            root: description,
            nonce: replaces,
            nonce_by: NonceBy::Auditor,
            share_ppm: 10_000,
            confidence_ppm: 950_000,
        },
        Event::Audited { record, pledge: 9, entries: 9, faults: 2, repaired: 1, lost: 0 },
        Event::KeyRotated { key: replaces },
    ];
    let of_units = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Record).flat_map(|kind| {
        let unit = kind.unit(&record.to_string()).unwrap();
        let ends = [Event::Closed { unit, description, replaces }, Event::Reopened { unit, description, replaces }];
        let takes_in = matches!(kind, Kind::Fonds | Kind::File);
        let approved = matches!(kind, Kind::Schedule | Kind::Plan | Kind::Backlog);
        let approved = approved.then_some(Event::Approved { unit, description, replaces });
        let always = [
            Event::Opened { unit, description },
            Event::Described { unit, description, replaces },
            Event::Damaged { unit, named_by: description, component: 0, place: 1, fault: Damage::Missing },
            Event::Lost { unit, named_by: description, component: 0 },
        ];
        always.into_iter().chain(ends.into_iter().filter(move |_| takes_in)).chain(approved)
    });
    let entry = |event| Entry { at, by: ActorId::new(0, [2; 10]), request: Digest::of(b"r"), event, v: 1 };
    events.into_iter().chain(of_units).chain(disposition()).map(entry).collect()
}

/// What is told of schedules, holds and cases, and of the ends of records.
fn disposition() -> Vec<Event> {
    let (record, description, replaces) = (RecordId::new(0, [1; 10]), Digest::of(b"d"), Digest::of(b"e"));
    let (actor, hold, case) = (ActorId::new(0, [2; 10]), HoldId::new(0, [3; 10]), CaseId::new(0, [4; 10]));
    let held = [Unit::from(record), FileId::new(0, [5; 10]).into(), FondsId::new(0, [6; 10]).into()];
    let ordered = |case, asked_by| Event::DestructionOrdered { record, stub: description, case, asked_by };
    let mut events = vec![
        Event::Approved { unit: ScheduleId::new(0, [7; 10]).into(), description, replaces },
        Event::HoldReleased { unit: hold.into(), description, replaces },
        Event::Reviewed { unit: case.into(), description, replaces },
        Event::Proposed { unit: case.into(), description, replaces },
        Event::Decided { unit: case.into(), description, replaces },
        ordered(Some(case), None),
        ordered(None, Some(actor)),
        Event::Destroyed { record, certificate: description },
        Event::ExpulsionOrdered { record, stub: description, confirmed_by: actor },
        Event::Expelled { record, certificate: description },
    ];
    events.extend(held.map(|unit| Event::HoldPlaced { unit, hold, asked_by: actor }));
    events
}

/// A report with one entry of each kind.
fn report() -> Signed {
    let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
    let digest = Digest::of(b"d");
    let seen = |component, bytes: Option<u64>| Seen {
        component,
        bytes,
        answer: bytes.map(|_| digest),
        whole: if bytes.is_some() { vec![1, 2] } else { vec![] },
    };
    let shown = |index, objects| Sampled { index, entry: Some("{}".into()), leaf: None, path: vec![digest], objects };
    let entries = vec![
        shown(0, vec![]),
        shown(1, vec![seen(0, Some(400)), seen(1, None)]),
        Sampled { entry: None, leaf: Some(digest), ..shown(2, vec![seen(0, Some(0))]) },
    ];
    let lost = |place, fault| Found { index: 1, component: 1, place, fault, outcome: Mending::Lost };
    let findings = vec![lost(1, Damage::Altered), lost(2, Damage::Missing)];
    let report = Report {
        schema: audit::SCHEMA.into(),
        origin: "kho.example.vn".into(),
        pledge: 9,
        by: ActorId::new(0, [2; 10]),
        nonce: digest,
        nonce_by: NonceBy::Archive,
        share_ppm: 10_000,
        confidence_ppm: 950_000,
        size: 3,
        root: digest,
        checkpoint: "note\n".into(),
        witnesses: 0,
        receipt: "c2sp.org/tlog-proof@v1\n".into(),
        growth: vec![],
        began: at,
        ended: at,
        places: vec![1, 2],
        away: vec![3],
        totals: Totals::of(&entries, &findings),
        entries,
        findings,
        made_by: "vankho 0.1.0".into(),
    };
    Signed { report, signature: "note\n".into() }
}

/// The value with something at a JSON pointer replaced (`Some`) or taken away (`None`).
fn changed(value: &Value, pointer: &str, to: Option<Value>) -> Value {
    let mut value = value.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
    match (parent, to) {
        (Value::Object(map), Some(to)) => drop(map.insert(key.into(), to)),
        (Value::Object(map), None) => drop(map.shift_remove(key).unwrap_or_else(|| panic!("{pointer}"))),
        (Value::Array(list), Some(to)) => list[key.parse::<usize>().unwrap()] = to,
        (parent, to) => panic!("{pointer}: {parent} {to:?}"),
    }
    value
}

/// Does the code read it, whatever the form of its bytes?
fn code_reads<T: serde::de::DeserializeOwned>(value: &Value) -> bool {
    serde_json::from_value::<T>(value.clone()).is_ok()
}

#[test]
fn the_schema_accepts_every_description_that_the_code_writes() {
    let (_, schema) = schema("record.v1.json");
    for description in [minimal(), full()] {
        let value: Value = serde_json::from_slice(&description.to_bytes().unwrap()).unwrap();
        schema.validate(&value).unwrap_or_else(|e| panic!("{e} at {}", e.instance_path()));
    }
    let (level, by) = (Level::Secret, ActorId::new(0, [2; 10]));
    for secrecy in [
        Secrecy::Open,
        Secrecy::Suspected { level, by: Suspect::Program },
        Secrecy::Suspected { level: Level::Highest, by: Suspect::Actor(by) },
        Secrecy::Confirmed { level: Level::Higher, by },
        Secrecy::Ordered { level, confirmed_by: ActorId::new(0, [3; 10]), by },
        Secrecy::Expelled { level },
        Secrecy::Refuted { level, by, reason: "Đã giải mật".into() },
    ] {
        let description = Description { secrecy: Some(secrecy), ..minimal() };
        let value: Value = serde_json::from_slice(&description.to_bytes().unwrap()).unwrap();
        schema.validate(&value).unwrap_or_else(|e| panic!("{e} at {}", e.instance_path()));
        assert!(code_reads::<Description>(&value));
        for key in value["secrecy"].as_object().unwrap().keys() {
            let without = changed(&value, &format!("/secrecy/{key}"), None);
            assert!(!schema.is_valid(&without) && !code_reads::<Description>(&without), "without {key}: {value}");
        }
        assert!(!schema.is_valid(&changed(&value, "/secrecy/extra", Some(json!(1)))));
    }
    for unread in ["format_not_read", "no_text_layer", "encrypted", "corrupt", "took_too_long"] {
        let value = changed(&serde_json::to_value(full()).unwrap(), "/components/1/unread", Some(json!(unread)));
        assert!(schema.is_valid(&value) && code_reads::<Description>(&value), "{unread}");
    }
}

#[test]
fn the_schema_accepts_what_manifests_with_warnings_become() {
    let (_, schema) = schema("record.v1.json");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/manifest/invalid");
    let mut described = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        for package in exchange::open(&path, &Ingest::default()).unwrap() {
            if package.findings.iter().any(|f| f.severity == Severity::Error) {
                continue;
            }
            let findings = package.findings.iter().map(Finding::mark).collect();
            let description = Description { metadata: package.metadata, findings, ..minimal() };
            let value = serde_json::to_value(&description).unwrap();
            schema.validate(&value).unwrap_or_else(|e| panic!("{}: {e} at {}", path.display(), e.instance_path()));
            described += 1;
        }
    }
    assert!(described > 50, "{described}");
}

#[test]
fn the_schema_refuses_other_descriptions() {
    let (_, schema) = schema("record.v1.json");
    let whole = serde_json::to_value(full()).unwrap();
    // What the code refuses as well.
    for pointer in [
        "/schema",
        "/record",
        "/salt",
        "/metadata",
        "/components",
        "/metadata/subject",
        "/metadata/access",
        "/components/0/ordinal",
        "/components/0/sha256",
        "/components/0/size",
        "/components/0/format",
        "/components/0/format/mime",
        "/components/0/role",
        "/findings/0/code",
        "/metadata/class/schedule",
        "/metadata/class/version",
        "/metadata/class/class",
        "/metadata/facts/0/trigger",
        "/metadata/facts/0/when",
        "/secrecy/state",
        "/secrecy/level",
        "/secrecy/by",
    ] {
        let value = changed(&whole, pointer, None);
        assert!(!schema.is_valid(&value) && !code_reads::<Description>(&value), "without {pointer}");
    }
    for (pointer, to) in [
        ("/extra", json!(1)),
        ("/metadata/extra", json!(1)),
        ("/components/0/extra", json!(1)),
        ("/components/0/format/extra", json!(1)),
        ("/findings/0/extra", json!(1)),
        ("/record", json!("019AAF00")),
        ("/record", json!(full().record.to_string().to_uppercase())),
        ("/replaces", json!("AB".repeat(32))),
        ("/salt", json!(5)),
        ("/metadata/issued", json!("15/05/2026")),
        ("/metadata/issued", json!("2026-13")),
        ("/metadata/issued", json!("0000")),
        ("/metadata/pages", json!("3")),
        ("/metadata/pages", json!(-3)),
        ("/metadata/pages", json!(2.5)),
        ("/metadata/access", json!("01")),
        ("/metadata/languages", json!("vi")),
        ("/metadata/keywords", json!([5])),
        ("/metadata/subject", json!(null)),
        ("/metadata/file_ordinal", json!("7")),
        ("/metadata/has_workflow", json!("1")),
        ("/metadata/security_copy", json!(1)),
        ("/components", json!({})),
        ("/components/0/ordinal", json!(-1)),
        ("/components/0/sha256", json!("abc")),
        ("/components/0/size", json!(-1)),
        ("/components/0/role", json!("image")),
        ("/components/0/unread", json!("boring")),
        ("/findings/0/code", json!("wrong")),
        ("/metadata/class/extra", json!(1)),
        ("/metadata/class/schedule", json!("1")),
        ("/metadata/class/version", json!("2")),
        ("/metadata/facts", json!({})),
        ("/metadata/facts/0/extra", json!(1)),
        ("/metadata/facts/0/trigger", json!("event:")),
        ("/metadata/facts/0/when", json!("01/08/2026")),
        ("/metadata/loose_reason", json!(5)),
        ("/reasons", json!("nhầm")),
        ("/secrecy", json!("suspected")),
        ("/secrecy/extra", json!(1)),
        ("/secrecy/state", json!("lost")),
        ("/secrecy/level", json!("MẬT")),
        ("/secrecy/by", json!("clerk")),
        ("/secrecy/by", json!({"actor": "clerk"})),
    ] {
        let value = changed(&whole, pointer, Some(to));
        assert!(!schema.is_valid(&value) && !code_reads::<Description>(&value), "{pointer}");
    }
    // What only the schema refuses: the code never writes it.
    for (pointer, to) in [
        ("/schema", json!("record.v2")),
        ("/salt", json!("00")),
        ("/metadata/subject", json!("")),
        ("/metadata/subject", json!("a\nb")),
        ("/metadata/note", json!("a\0b")),
        ("/metadata/type_code", json!("33")),
        ("/metadata/keywords", json!([])),
        ("/metadata/pages", json!(0)),
        ("/metadata/file_ordinal", json!(0)),
        ("/components/0/ordinal", json!(0)),
        ("/components/0/format/mime", json!("PDF")),
        ("/components/0/made_from", json!(2)),
        ("/components/2/made_from", json!(null)),
        ("/components/2/original_name", json!("x")),
        ("/findings", json!([])),
        ("/reasons", json!([])),
        ("/metadata/facts", json!([])),
        ("/metadata/class/version", json!(0)),
        ("/metadata/loose_reason", json!("")),
    ] {
        assert!(!schema.is_valid(&changed(&whole, pointer, Some(to))), "{pointer}");
    }
    for pointer in ["/metadata/type", "/components/2/made_from", "/components/2/made_by"] {
        assert!(!schema.is_valid(&changed(&whole, pointer, None)), "without {pointer}");
    }
}

#[test]
fn the_schema_of_entries_accepts_what_is_committed_and_nothing_else() {
    let (schema, validator) = schema("entry.v1.json");
    for entry in entries() {
        let value: Value = serde_json::from_slice(&entry.to_bytes().unwrap()).unwrap();
        validator.validate(&value).unwrap_or_else(|e| panic!("{e}"));
        for key in value.as_object().unwrap().keys() {
            let without = changed(&value, &format!("/{key}"), None);
            let bytes = serde_json_canonicalizer::to_vec(&without).unwrap();
            assert!(!validator.is_valid(&without) && Entry::from_bytes(&bytes).is_err(), "without {key}");
        }
        // `extra` passes serde, but not `Entry::from_bytes`: it would not be written back.
        for (key, to) in [
            ("extra", json!(1)),
            ("at", json!("2026-11-23T03:04:05Z")),
            ("at", json!("2026-11-23T03:04:05.000000+07:00")),
            ("by", json!("clerk")),
            ("request", json!("00")),
            ("event", json!("forgotten")),
            ("v", json!(2)),
        ] {
            let other = changed(&value, &format!("/{key}"), Some(to));
            let bytes = serde_json_canonicalizer::to_vec(&other).unwrap();
            assert!(!validator.is_valid(&other) && Entry::from_bytes(&bytes).is_err(), "{key}");
        }
    }
    let other = |event: Event, key: &str, to: Value| {
        let entry = Entry { event, ..entries().remove(0) };
        let value = changed(&serde_json::to_value(&entry).unwrap(), &format!("/{key}"), Some(to));
        let bytes = serde_json_canonicalizer::to_vec(&value).unwrap();
        assert!(!validator.is_valid(&value) && Entry::from_bytes(&bytes).is_err(), "{value}");
    };
    let id = json!("00000000-0000-7404-8404-040404040404");
    for event in disposition() {
        // Each is about one unit of one kind, and an order is given under a case or at somebody's asking.
        let value = serde_json::to_value(&event).unwrap();
        for key in ["record", "fonds", "file", "schedule", "hold", "case", "asked_by", "stub", "certificate"] {
            if value.get(key).is_none() {
                other(event.clone(), key, id.clone());
            }
        }
        for key in ["stub", "certificate", "description", "replaces", "record", "confirmed_by"] {
            if value.get(key).is_some() {
                other(event.clone(), key, json!("1"));
            }
        }
    }
    let forms = schema["oneOf"].as_array().unwrap();
    let named: BTreeSet<&str> = forms.iter().filter_map(|e| e["properties"]["event"]["const"].as_str()).collect();
    assert_eq!(named, entries().iter().map(|e| e.event.name()).collect());
    assert_eq!(named.len(), forms.len(), "each event has one form");
}

fn drill() -> Drill {
    let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
    let whole = Drilled { record: minimal().record, entry: 4, objects: 2, bytes: 1 << 33, faults: vec![] };
    let faults = [Damage::Altered, Damage::Missing, Damage::Unreadable];
    let faults = (0..).zip(faults).map(|(component, fault)| DrillFault { component, fault }).collect();
    let damaged = Drilled { faults, ..whole.clone() };
    Drill {
        schema: DRILL.into(),
        archive: ActorId::new(0, [1; 10]),
        origin: "archive.example.vn/log".into(),
        program: "vankho 0.1.0".into(),
        by: Some(ActorId::new(0, [2; 10])),
        began: at,
        ended: at,
        run: 1,
        run_began: at,
        ledger: 9,
        entries: 8,
        root: Digest::of(b"r"),
        nonce: "0a".repeat(32),
        records: 7,
        asked: 2,
        drilled: vec![whole, damaged],
        desk: Part::Whole,
        keys: Part::Apart,
        faults: 3,
        passed: false,
    }
}

#[test]
fn the_schema_of_drills_accepts_what_is_signed_and_nothing_else() {
    let (_, validator) = schema("drill.v1.json");
    let value = serde_json::to_value(drill()).unwrap();
    validator.validate(&value).unwrap_or_else(|e| panic!("{e} at {}", e.instance_path()));
    let without = changed(&value, "/by", None);
    assert!(validator.is_valid(&without) && code_reads::<Drill>(&without), "nobody need be known");
    for key in value.as_object().unwrap().keys().filter(|key| *key != "by") {
        let without = changed(&value, &format!("/{key}"), None);
        assert!(!validator.is_valid(&without) && !code_reads::<Drill>(&without), "without {key}");
    }
    for (pointer, to) in [
        ("/extra", json!(1)),
        ("/drilled/0/extra", json!(1)),
        ("/drilled/1/faults/0/extra", json!(1)),
        ("/began", json!("2026-11-23T03:04:05Z")),
        ("/root", json!("00")),
        ("/entries", json!(-1)),
        ("/desk", json!("fine")),
        ("/keys", json!(null)),
        ("/drilled/1/faults/0/fault", json!("boring")),
        ("/passed", json!("yes")),
    ] {
        let value = changed(&value, pointer, Some(to));
        assert!(!validator.is_valid(&value) && !code_reads::<Drill>(&value), "{pointer}");
    }
    for (pointer, to) in [("/schema", json!("drill.v2")), ("/nonce", json!("0a")), ("/drilled/1/faults", json!([]))] {
        assert!(!validator.is_valid(&changed(&value, pointer, Some(to))), "{pointer}");
    }
}

/// A schedule with every field, and a class of each kind of period.
fn retention_schedule() -> Schedule {
    let periods = [
        "permanent",
        "years:15",
        "while_in_force",
        "life_of_work",
        "life_of_equipment",
        "years_after:5:contract_ended",
    ];
    let class = |(number, period): (usize, &str)| {
        let period: Period = period.parse().unwrap();
        let (code, title) = (format!("1.{number:02}"), format!("Mục {number}"));
        let (trigger, action) = (period.trigger(), Action::ALL[number % 3]);
        let some = (number == 1).then(|| "Khác".to_owned());
        Class { code, group: "1".into(), title, subtitle: some.clone(), period, trigger, action, note: some }
    };
    Schedule {
        schema: schedule::SCHEMA.into(),
        schedule: ScheduleId::new(1_763_877_600_000, [5; 10]),
        version: 2,
        replaces: Some(Digest::of(b"1")),
        salt: Salt::new([0x0a; 32]),
        title: "Bảng thời hạn lưu trữ".into(),
        source: Some(LegalSource {
            number: "09/2011/TT-BNV".into(),
            title: "Thông tư".into(),
            issued: "2011-06".parse().unwrap(),
            agency: "Bộ Nội vụ".into(),
        }),
        from: "2011-07-18".parse().unwrap(),
        until: Some("2023-02-15".parse().unwrap()),
        incomplete: false,
        approved: Some(Approval {
            by: ActorId::new(0, [2; 10]),
            decision: "15/QĐ-SNV".into(),
            on: "2012-01-01".parse().unwrap(),
        }),
        note: Some("Đã đối chiếu".into()),
        classes: periods.into_iter().enumerate().map(class).collect(),
    }
}

#[test]
fn the_schema_of_schedules_accepts_what_is_kept_and_nothing_else() {
    let (_, schema) = schema("schedule.v1.json");
    let full = retention_schedule();
    let (replaces, source, until, approved, note) = Default::default();
    let minimal = Schedule { replaces, source, until, approved, note, classes: vec![], ..full.clone() };
    let shipped = exchange::shipped::schedules().unwrap().into_iter();
    let shipped = shipped.map(|draft| draft.first_version(full.schedule, full.salt.clone()));
    for kept in [full.clone(), minimal].into_iter().chain(shipped) {
        let bytes = kept.to_bytes().unwrap();
        assert_eq!(Schedule::from_bytes(&bytes).unwrap(), kept);
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        schema.validate(&value).unwrap_or_else(|e| panic!("{e} at {}", e.instance_path()));
    }
    let whole = serde_json::to_value(&full).unwrap();
    let top =
        ["schema", "schedule", "version", "salt", "title", "from", "incomplete", "classes"].map(|k| format!("/{k}"));
    let source = ["number", "title", "issued", "agency"].map(|key| format!("/source/{key}"));
    let approved = ["by", "decision", "on"].map(|key| format!("/approved/{key}"));
    let class = ["code", "group", "title", "period", "trigger", "action"].map(|key| format!("/classes/1/{key}"));
    for pointer in top.iter().chain(&source).chain(&approved).chain(&class) {
        let value = changed(&whole, pointer, None);
        assert!(!schema.is_valid(&value) && !code_reads::<Schedule>(&value), "without {pointer}");
    }
    for (pointer, to) in [
        ("/extra", json!(1)),
        ("/source/extra", json!(1)),
        ("/approved/extra", json!(1)),
        ("/classes/0/extra", json!(1)),
        ("/schedule", json!("19")),
        ("/version", json!(-1)),
        ("/from", json!("2011")),
        ("/until", json!("15/02/2023")),
        ("/source/issued", json!("2011-13")),
        ("/approved/by", json!("giám đốc")),
        ("/incomplete", json!("no")),
        ("/classes/1/period", json!("15 năm")),
        ("/classes/1/period", json!("years:0")),
        ("/classes/1/period", json!("years:015")),
        ("/classes/1/period", json!("years:1000")),
        ("/classes/1/period", json!("years_after:5")),
        ("/classes/1/trigger", json!("event:")),
        ("/classes/1/trigger", json!("work")),
        ("/classes/1/action", json!("sell")),
        ("/classes/1/note", json!(5)),
    ] {
        let value = changed(&whole, pointer, Some(to));
        assert!(!schema.is_valid(&value) && !code_reads::<Schedule>(&value), "{pointer}");
    }
    // What only the schema refuses; `check` finds the last ones.
    for (pointer, to) in [
        ("/schema", json!("schedule.v2")),
        ("/salt", json!("00")),
        ("/version", json!(0)),
        ("/title", json!("")),
        ("/classes/1/code", json!("mục 1")),
    ] {
        assert!(!schema.is_valid(&changed(&whole, pointer, Some(to))), "{pointer}");
    }
}

/// A derivation with every field and each kind of value.
fn retention_derivation() -> Derivation {
    let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
    let counted = |when, evidence| {
        let (end, over) = ("2020-12-31".parse().unwrap(), "2031-01-01".parse().unwrap());
        Some(Counted { when, evidence, end, years: 10, over })
    };
    let term = |whence, counted: Option<Counted>, due| Term {
        whence,
        schedule: ScheduleId::new(0, [5; 10]),
        version: 1,
        source: Some("09/2011/TT-BNV".into()),
        approved: true,
        class: "1.07".into(),
        corresponding: false,
        says: Some(Says {
            title: "Kế hoạch".into(),
            subtitle: Some("Năm".into()),
            period: Period::Years(10),
            trigger: Some(Trigger::WorkEnded),
        }),
        counted,
        due,
    };
    let on = Due::On("2031-01-01".parse().unwrap());
    let (record, file) = (RecordId::new(0, [1; 10]), FileId::new(0, [2; 10]));
    let bare =
        Term { source: None, says: None, ..term(Whence::Series("S1".into()), None, Due::Waiting(Awaited::Class)) };
    let event = Due::Waiting(Awaited::Fact("event:contract_ended".parse().unwrap()));
    let terms = vec![
        bare,
        term(Whence::Record(record), None, event),
        term(Whence::Record(record), counted(When::Moment(at), Evidence::Entry(17)), on),
        term(Whence::File(file), counted(When::Date("2020".parse().unwrap()), Evidence::Field("end".into())), on),
    ];
    let hold = HoldId::new(0, [3; 10]);
    Derivation {
        schema: derivation::SCHEMA.into(),
        of: Whence::File(file),
        as_of: at,
        reading: Reading::JanuaryFirst,
        terms,
        terms_left: 3,
        holds: vec![Held { hold, reason: "lawsuit".into() }],
        due: Due::Waiting(Awaited::Class),
        obstacles: vec![Obstacle::Held(hold), Obstacle::NoClass, Obstacle::NotApproved, Obstacle::NotDue],
    }
}

#[test]
fn the_schema_of_derivations_accepts_what_is_told_and_nothing_else() {
    let (_, schema) = schema("derivation.v1.json");
    let whole = serde_json::to_value(retention_derivation()).unwrap();
    schema.validate(&whole).unwrap_or_else(|e| panic!("{e} at {}", e.instance_path()));
    assert_eq!(serde_json::from_value::<Derivation>(whole.clone()).unwrap(), retention_derivation());
    for reading in Reading::ALL {
        assert!(schema.is_valid(&changed(&whole, "/reading", Some(json!(reading)))));
    }
    for due in ["never", "on:2031-01-01", "waiting:release", "waiting:document_ceased", "waiting:event:a"] {
        let value = changed(&whole, "/due", Some(json!(due)));
        assert!(schema.is_valid(&value) && code_reads::<Derivation>(&value), "{due}");
    }
    let top = whole.as_object().unwrap().keys().map(|key| format!("/{key}"));
    let term = ["whence", "schedule", "version", "approved", "class", "corresponding", "due"];
    let term = term.map(|key| format!("/terms/2/{key}"));
    let counted = ["when", "evidence", "end", "years", "over"].map(|key| format!("/terms/2/counted/{key}"));
    let says = ["title", "period"].map(|key| format!("/terms/2/says/{key}"));
    for pointer in top.chain(term).chain(counted).chain(says).chain(["/holds/0/reason".to_owned()]) {
        let value = changed(&whole, &pointer, None);
        assert!(!schema.is_valid(&value) && !code_reads::<Derivation>(&value), "without {pointer}");
    }
    for (pointer, to) in [
        ("/extra", json!(1)),
        ("/terms/0/extra", json!(1)),
        ("/terms/2/counted/extra", json!(1)),
        ("/terms/2/says/extra", json!(1)),
        ("/holds/0/extra", json!(1)),
        ("/of", json!({})),
        ("/of", json!({"file": "1"})),
        ("/of", json!({"fonds": "x"})),
        ("/as_of", json!("2026-11-23")),
        ("/reading", json!("lax")),
        ("/due", json!("2031-01-01")),
        ("/due", json!("waiting")),
        ("/obstacles/0", json!("held")),
        ("/obstacles/1", json!("rain")),
        ("/terms/2/counted/when", json!("31/12/2020")),
        ("/terms/2/counted/evidence", json!({"entry": -1})),
        ("/terms/2/counted/end", json!("2020")),
    ] {
        let value = changed(&whole, pointer, Some(to));
        assert!(!schema.is_valid(&value) && !code_reads::<Derivation>(&value), "{pointer}");
    }
    assert!(!schema.is_valid(&changed(&whole, "/schema", Some(json!("derivation.v2")))));
}

#[test]
fn the_schema_of_consultations_accepts_what_is_noted_and_nothing_else() {
    let (_, validator) = schema("consultation.v1.json");
    let one = |component, access| Consultation {
        at: "2026-11-23T03:04:05.123456Z".parse().unwrap(),
        by: ActorId::new(1_763_877_600_000, [3; 10]),
        record: RecordId::new(1_763_877_600_000, [7; 10]),
        component,
        access,
    };
    for noted in [one(None, Access::Conditional), one(Some(3), Access::Secret)] {
        let value = serde_json::to_value(&noted).unwrap();
        validator.validate(&value).unwrap_or_else(|e| panic!("{e}"));
        for key in ["access", "at", "by", "record"] {
            let without = changed(&value, &format!("/{key}"), None);
            assert!(!validator.is_valid(&without) && !code_reads::<Consultation>(&without), "without {key}");
        }
        for (key, to) in [("extra", json!(1)), ("at", json!("2026-11-23")), ("by", json!("lan")), ("record", json!(1))]
        {
            let other = changed(&value, &format!("/{key}"), Some(to));
            assert!(!validator.is_valid(&other) && !code_reads::<Consultation>(&other), "{key}");
        }
    }
    let public = serde_json::to_value(one(None, Access::Public)).unwrap();
    assert!(!validator.is_valid(&public) && !Consultation::is_noted(Access::Public), "nobody notes who reads those");
}

#[test]
fn the_schema_of_reports_accepts_what_is_kept_and_nothing_else() {
    let (_, schema) = schema("audit.v1.json");
    let bytes = report().to_bytes().unwrap();
    assert_eq!(Signed::from_bytes(&bytes).unwrap(), report());
    let whole: Value = serde_json::from_slice(&bytes).unwrap();
    schema.validate(&whole).unwrap_or_else(|e| panic!("{e} at {}", e.instance_path()));
    let inside = whole["report"].as_object().unwrap().keys().map(|key| format!("/report/{key}"));
    let found =
        whole["report"]["findings"][0].as_object().unwrap().keys().map(|key| format!("/report/findings/0/{key}"));
    let totals = whole["report"]["totals"].as_object().unwrap().keys().map(|key| format!("/report/totals/{key}"));
    let more = ["/report", "/signature", "/report/entries/0/index", "/report/entries/0/path"].map(str::to_owned);
    let seen = ["component", "whole"].map(|key| format!("/report/entries/1/objects/0/{key}"));
    for pointer in inside.chain(found).chain(totals).chain(more).chain(seen) {
        let value = changed(&whole, &pointer, None);
        assert!(!schema.is_valid(&value) && !code_reads::<Signed>(&value), "without {pointer}");
    }
    for (pointer, to) in [
        ("/extra", json!(1)),
        ("/report/extra", json!(1)),
        ("/report/entries/0/extra", json!(1)),
        ("/report/entries/1/objects/0/extra", json!(1)),
        ("/report/findings/0/extra", json!(1)),
        ("/report/totals/extra", json!(1)),
        ("/report/nonce", json!("AB".repeat(32))),
        ("/report/nonce_by", json!("nobody")),
        ("/report/by", json!("clerk")),
        ("/report/began", json!("2026-11-23")),
        ("/report/size", json!("3")),
        ("/report/places/0", json!(-1)),
        ("/report/findings/0/fault", json!("gone")),
        ("/report/findings/0/outcome", json!("fine")),
        ("/report/entries/1/objects/0/answer", json!("x")),
    ] {
        let value = changed(&whole, pointer, Some(to));
        assert!(!schema.is_valid(&value) && !code_reads::<Signed>(&value), "{pointer}");
    }
    // What only the schema refuses, and the verifier besides: the code never writes it.
    for (pointer, to) in [
        ("/report/schema", json!("audit.v2")),
        ("/report/share_ppm", json!(0)),
        ("/report/confidence_ppm", json!(1_000_000)),
        ("/report/places", json!([1, 1])),
        ("/report/entries/0/leaf", json!("5a".repeat(32))),
        ("/report/entries/0/objects", json!([])),
        ("/report/entries/1/objects/1/bytes", json!(7)),
    ] {
        assert!(!schema.is_valid(&changed(&whole, pointer, Some(to))), "{pointer}");
    }
    assert!(!schema.is_valid(&changed(&whole, "/report/entries/0/entry", None)), "neither shown nor withheld");
    let other = String::from_utf8(bytes).unwrap().replace("audit.v1", "audit.v2");
    assert!(Signed::from_bytes(other.as_bytes()).is_err() && Signed::from_bytes(b"{}").is_err());
    assert!(
        Signed::from_bytes(format!("{other} ").replace("audit.v2", "audit.v1").as_bytes()).is_err(),
        "one spelling"
    );
}

#[test]
fn the_schema_knows_every_field_and_every_code() {
    let (schema, _) = schema("record.v1.json");
    let keys: Vec<&str> =
        schema["$defs"]["metadata"]["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    // What no table of fields has: they are told in words.
    let told = ["class", "facts", "loose_reason"];
    assert_eq!(keys, FIELDS.iter().map(|f| f.key).chain(told).collect::<Vec<_>>());
    let all = |codes: Vec<&str>| Value::from(codes);
    assert_eq!(
        schema["$defs"]["mark"]["properties"]["code"]["enum"],
        all(Code::ALL.iter().map(Code::as_str).collect())
    );
    let types = codes::TYPES.iter().map(|(code, _)| *code).collect();
    assert_eq!(schema["$defs"]["metadata"]["properties"]["type_code"]["enum"], all(types));
}

/// The row of the README for a field.
fn field_row<T>(field: &Field<T>) -> String {
    let name = match field.key == field.name {
        true => format!("`{}`", field.name),
        false => format!("`{}` (stored as `{}`)", field.name, field.key),
    };
    let element = field.circular.map_or("–".to_owned(), |e| format!("`{e}`"));
    let length = field.length.map_or("–".to_owned(), |n| n.to_string());
    let list = field.list.map_or("–".to_owned(), |(name, _)| format!("[{name}](#{})", name.to_lowercase()));
    let (shape, need, source) = (field.shape.as_str(), field.need.as_str(), field.source());
    format!("| {name} | {} | {element} | {} | {shape} | {length} | {need} | {list} | {source} |", field.vi, field.level)
}

fn finding_row(code: &Code) -> String {
    let severity = if code.severity() == Severity::Error { "error" } else { "warning" };
    format!("| `{}` | {severity} | {} | {} |", code.as_str(), code.vi(), code.en())
}

fn flaw_row(code: &FlawCode) -> String {
    let severity = if code.severity() == Severity::Error { "error" } else { "warning" };
    format!("| `{}` | {severity} | {} | {} |", code.as_str(), code.vi(), code.en())
}

/// The rows of the README's table under a heading.
fn table(readme: &str, heading: &str) -> Vec<String> {
    let start = readme.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let lines = readme[start + 1..].lines().skip(1).take_while(|l| !l.starts_with("## "));
    lines.filter(|l| l.starts_with("| ") && !l.starts_with("| --")).skip(1).map(str::to_owned).collect()
}

fn assert_table(readme: &str, heading: &str, expected: Vec<String>) {
    let found = table(readme, heading);
    assert!(found == expected, "schemas/README.md, {heading}: the table must be\n{}", expected.join("\n"));
}

#[test]
fn the_readme_prints_the_tables_of_the_code() {
    let readme = document("README.md");
    assert_table(&readme, "Fields", FIELDS.iter().map(field_row).collect());
    assert_table(&readme, "Findings", Code::ALL.iter().map(finding_row).collect());
    let flaws = table(&readme, "Schedules")
        .into_iter()
        .filter(|row| FlawCode::ALL.iter().any(|code| row.starts_with(&format!("| `{}` |", code.as_str()))));
    assert_eq!(flaws.collect::<Vec<_>>(), FlawCode::ALL.iter().map(flaw_row).collect::<Vec<_>>());
    for field in &FIELDS {
        let Some((name, list)) = field.list else { continue };
        let rows = list.iter().map(|(code, vi)| format!("| {code} | {vi} |")).collect();
        assert_table(&readme, name, rows);
    }
}

/// The fenced blocks of a language in the README.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    readme.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_templates_of_the_readme_are_taken_as_they_stand() {
    let readme = document("README.md");
    let folder = tempfile::tempdir().unwrap();
    for name in ["scans/48.pdf", "scans/48-annex.pdf", "scans/15.pdf"] {
        fs::create_dir_all(folder.path().join("scans")).unwrap();
        fs::write(folder.path().join(name), "x").unwrap();
    }
    for (language, extension, rows) in [("jsonl", "jsonl", 3), ("csv", "csv", 2)] {
        let blocks = blocks(&readme, language);
        assert_eq!(blocks.len(), 1, "{language}");
        let path = folder.path().join(format!("m.{extension}"));
        fs::write(&path, &blocks[0]).unwrap();
        let packages: Vec<_> = exchange::open(&path, &Ingest::default()).unwrap().collect();
        assert_eq!(packages.len(), rows);
        for package in packages {
            assert_eq!(package.findings, vec![], "{language} row {}", package.row);
        }
    }
}
