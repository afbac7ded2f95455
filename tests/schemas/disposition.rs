//! The schemas of holds, cases, stubs and certificates, held to what the code writes and reads.

use crate::{changed, code_reads, full, schema};
use serde_json::{Value, json};
use vankho::record::{
    digest::Digest,
    disposition::{
        act::Act,
        basis::Basis,
        case::{
            Appraisal, Case, Council, Decision, Ground, Listed, Opinion, Outcome, Paper, Proposal, Stage, Trace, Unit,
            Votes,
        },
        certificate::{
            ALWAYS, Absence, Certificate, Emptied, Forgotten, Held, HoldCheck, Limit, Order, Remains, Review, Window,
        },
        stub::Stub,
        withdrawal::Mistake,
    },
    document::{Document, Salt},
    hold::{Hold, Reason, Released, Scope},
    id::{ActorId, CaseId, FileId, FondsId, HoldId, RecordId, ScheduleId},
    secrecy::Level,
};

fn actor(n: u8) -> ActorId {
    ActorId::new(1_763_877_600_000, [n; 10])
}

fn record(n: u8) -> RecordId {
    RecordId::new(1_763_877_600_000, [n; 10])
}

fn paper(number: Option<&str>) -> Paper {
    Paper { number: number.map(str::to_owned), day: "2026-11-20".parse().unwrap(), record: Some(record(9)) }
}

/// The schema accepts every example as the code writes it; without a key of `optional` both accept it, without any other
/// key at the top both refuse it, but for keys of `conditional`, which only the schema misses; what is wrong they refuse
/// alike.
fn held_to<T: Document + std::fmt::Debug + PartialEq>(
    examples: &[T],
    (optional, conditional): (&[&str], &[&str]),
    wrong: &[(&str, Value)],
) {
    let (_, validator) = schema(&format!("{}.json", T::SCHEMA));
    for example in examples {
        let bytes = example.to_bytes().unwrap();
        assert_eq!(&T::from_bytes(&bytes).unwrap(), example);
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        validator.validate(&value).unwrap_or_else(|e| panic!("{e} at {}", e.instance_path()));
        for key in value.as_object().unwrap().keys() {
            let without = changed(&value, &format!("/{key}"), None);
            let may = optional.contains(&key.as_str());
            assert_eq!(validator.is_valid(&without), may, "{}: without {key}", T::SCHEMA);
            assert!(
                may || conditional.contains(&key.as_str()) || !code_reads::<T>(&without),
                "{}: the code reads it without {key}",
                T::SCHEMA
            );
        }
    }
    let whole = serde_json::to_value(&examples[0]).unwrap();
    let always = [("/extra", json!(1)), ("/schema", json!("other.v1")), ("/salt", json!("0a"))];
    for (pointer, to) in always.iter().chain(wrong) {
        let other = changed(&whole, pointer, Some(to.clone()));
        assert!(!validator.is_valid(&other), "{}: the schema accepts {pointer} {to}", T::SCHEMA);
        let bytes = serde_json_canonicalizer::to_vec(&other).unwrap();
        assert!(T::from_bytes(&bytes).is_err(), "{}: the code reads {pointer} {to}", T::SCHEMA);
    }
}

fn hold(scope: Scope) -> Hold {
    Hold {
        schema: Hold::SCHEMA.into(),
        salt: Salt::new([0x0a; 32]),
        hold: HoldId::new(0, [1; 10]),
        replaces: None,
        authority: "Tòa án nhân dân khu vực 1".into(),
        reason: Reason::Litigation,
        reason_text: "Vụ án hành chính số 45/2026".into(),
        scope,
        asked_by: actor(1),
        placed_by: actor(2),
        released: None,
    }
}

#[test]
fn the_schema_of_holds_accepts_what_is_kept_and_nothing_else() {
    let file = FileId::new(0, [2; 10]);
    let released = Some(Released { by: actor(3), reason: "Vụ án đã kết thúc".into() });
    let examples = [
        Hold { released, replaces: Some(Digest::of(b"h")), ..hold(Scope::File { file }) },
        hold(Scope::Record { record: record(1) }),
        hold(Scope::Fonds { fonds: FondsId::new(0, [3; 10]) }),
        hold(Scope::Search { query: "đất đai".into(), later_arrivals: true }),
    ];
    let wrong = [
        ("/hold", json!("1")),
        ("/reason", json!("boredom")),
        ("/scope/of", json!("house")),
        ("/scope/extra", json!(1)),
        ("/scope", json!({"of": "search", "query": "a"})),
        ("/released/extra", json!(1)),
        ("/asked_by", json!(null)),
    ];
    held_to(&examples, (&["replaces", "released"], &[]), &wrong);
    let (schema, _) = schema("hold.v1.json");
    let reasons: Vec<&str> = Reason::ALL.iter().map(Reason::as_str).collect();
    assert_eq!(schema["properties"]["reason"]["enum"], json!(reasons));
}

fn ground() -> Ground {
    let version = Digest::of(b"v");
    let due = "2026-01-01".parse().unwrap();
    Ground::Expired { due, schedule: ScheduleId::new(0, [1; 10]), version, class: "12.3".into() }
}

fn council() -> Council {
    Council { paper: paper(Some("31/QĐ-SNV")), chair: actor(1), members: vec![actor(2), actor(3)] }
}

fn votes() -> Votes {
    Votes { agree: 2, against: 1, abstained: 0 }
}

fn decision() -> Decision {
    let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
    Decision { paper: paper(Some("48/QĐ-SNV")), by: actor(9), at, authenticated: at }
}

fn appraisal() -> Appraisal {
    Appraisal { paper: paper(Some("12/SNV")), authority: "Sở Nội vụ".into(), agreed: true }
}

fn case() -> Case {
    let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
    let (schedule, class) = (ScheduleId::new(0, [1; 10]), "15".to_owned());
    let listed = |unit, ground, outcome: Outcome, ordered: bool| Listed {
        unit,
        ground,
        opinions: vec![Opinion { by: actor(1), outcome: outcome.clone(), reason: "Hết giá trị".into() }],
        proposal: Some(Proposal { outcome: outcome.clone(), reason: "Hết giá trị".into(), votes: votes() }),
        decided: Some(outcome),
        ordered: ordered.then_some(at),
        certificates: if ordered { vec![Digest::of(b"c")] } else { vec![] },
    };
    let (file, until) = (Unit::File(FileId::new(0, [2; 10])), Some("2031".parse().unwrap()));
    let duplicate = Ground::Duplicate { kept: record(5), found_by: actor(4) };
    let empty = Case::new(CaseId::new(0, [1; 10]), "Sở Nội vụ", true, Salt::new([0x0a; 32]));
    Case {
        stage: Stage::Closed,
        replaces: Some(Digest::of(b"r")),
        listed: vec![
            listed(file, ground(), Outcome::Destroy, true),
            listed(Unit::Record(record(1)), duplicate, Outcome::KeepLonger { until }, false),
            listed(Unit::Record(record(2)), ground(), Outcome::Reclassify { schedule, class }, false),
            listed(Unit::Record(record(3)), ground(), Outcome::Transfer { to: "Lưu trữ lịch sử".into() }, false),
        ],
        council: Some(council()),
        reviewers: [1, 2, 3].map(actor).into(),
        minutes: Some(paper(None)),
        appraisal: Some(appraisal()),
        decision: Some(decision()),
        handover: Some(paper(None)),
        destruction: Some(paper(None)),
        trace: vec![Trace { at, by: actor(1), act: "opine".into(), unit: Some(file), reason: Some("a".into()) }],
        ..empty
    }
}

#[test]
fn the_schema_of_cases_accepts_what_is_kept_and_nothing_else() {
    let empty = Case::new(CaseId::new(0, [1; 10]), "Sở Nội vụ", false, Salt::new([0x0a; 32]));
    let optional = ["replaces", "council", "minutes", "appraisal", "decision", "handover", "destruction"];
    let wrong = [
        ("/stage", json!("done")),
        ("/listed/0/extra", json!(1)),
        ("/listed/0/unit", json!({"fonds": record(1)})),
        ("/listed/0/unit", json!({"file": record(1), "record": record(1)})),
        ("/listed/0/ground", json!({"kind": "duplicate", "kept": record(1)})),
        ("/listed/0/ground/due", json!("01/01/2026")),
        ("/listed/0/decided", json!({"kind": "burn"})),
        ("/listed/0/decided", json!({"kind": "destroy", "extra": 1})),
        ("/listed/0/certificates", json!([])),
        ("/listed/0/proposal/votes/agree", json!(-1)),
        ("/council/chair", json!("An")),
        ("/council/extra", json!(1)),
        ("/reviewers", json!([actor(1), actor(1)])),
        ("/decision/authenticated", json!("2026-11-23")),
        ("/trace/0/extra", json!(1)),
    ];
    held_to(&[case(), empty], (&optional, &[]), &wrong);
    let (schema, _) = schema("case.v1.json");
    let unit = Unit::Record(record(1));
    let (reason, minutes) = (String::new(), paper(None));
    let outcome = Outcome::Destroy;
    let acts = [
        Act::List { unit, ground: ground() },
        Act::TakeOff { unit, reason: reason.clone() },
        Act::SetUpCouncil { council: council() },
        Act::Opine { unit, outcome: outcome.clone(), reason: reason.clone() },
        Act::EndReview { minutes: minutes.clone() },
        Act::Propose { unit, outcome, reason: reason.clone(), votes: votes() },
        Act::Reconsider { reason: reason.clone() },
        Act::Appraise { appraisal: appraisal(), reason: reason.clone() },
        Act::Decide { paper: minutes.clone(), spared: vec![], reason: reason.clone() },
        Act::SendBack { reason: reason.clone() },
        Act::HandOver { minutes: minutes.clone() },
        Act::Spare { unit, reason },
        Act::Order { unit },
        Act::Destroyed { unit, certificates: vec![] },
        Act::Close { minutes },
    ];
    let mut named: Vec<&str> = acts.iter().map(Act::as_str).collect();
    let trace = &schema["properties"]["trace"]["items"]["properties"]["act"]["enum"];
    let mut known: Vec<&str> = trace.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    named.sort_unstable();
    known.sort_unstable();
    assert_eq!(named, known);
}

fn bases() -> [Basis; 3] {
    let (case, unit) = (CaseId::new(0, [4; 10]), Unit::File(FileId::new(0, [5; 10])));
    let (mistake, reason) = (Mistake::WrongPlace, "Nhầm kho".to_owned());
    [
        Basis::Disposition { case, unit, ground: ground(), decision: paper(Some("48/QĐ")), decided_by: actor(9) },
        Basis::Withdrawal { mistake, reason, asked_by: actor(1), confirmed_by: actor(2) },
        Basis::Expulsion { level: Level::Highest, confirmed_by: actor(1), ordered_by: actor(2) },
    ]
}

#[test]
fn the_schema_of_stubs_accepts_what_is_kept_and_nothing_else() {
    let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
    let stubs = bases().map(|basis| Stub::of(&full(), at, basis, Salt::new([0x0a; 32])));
    let wrong = [
        ("/record", json!("1")),
        ("/components", json!(-1)),
        ("/basis/kind", json!("whim")),
        ("/basis/extra", json!(1)),
        ("/identity/keywords", json!(["a"])),
        ("/identity/issued", json!("15/05/2026")),
    ];
    held_to(&stubs, (&[], &["identity"]), &wrong);
    let (_, validator) = schema("stub.v1.json");
    let told = serde_json::to_value(&stubs[0]).unwrap();
    let secret = changed(&told, "/basis", Some(serde_json::to_value(&bases()[2]).unwrap()));
    assert!(!validator.is_valid(&secret), "a state secret has no identity");
    let levels: Vec<&str> = Level::ALL.iter().map(Level::as_str).collect();
    let (schema, _) = schema("stub.v1.json");
    assert_eq!(schema["$defs"]["basis"]["oneOf"][2]["properties"]["level"]["enum"], json!(levels));
    let mistakes: Vec<&str> = Mistake::ALL.iter().map(Mistake::as_str).collect();
    assert_eq!(schema["$defs"]["basis"]["oneOf"][1]["properties"]["mistake"]["enum"], json!(mistakes));
}

#[test]
fn the_schema_of_certificates_accepts_what_is_kept_and_nothing_else() {
    let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
    let remains =
        [Remains::Backup, Remains::SecurityCopy, Remains::WriteAheadLog, Remains::DeadTuples, Remains::Versions];
    let review = Review { council: council(), minutes: paper(None), reason: "Hết giá trị".into(), votes: votes() };
    let [disposed, withdrawn, expelled] = bases();
    let first = Certificate {
        schema: Certificate::SCHEMA.into(),
        salt: Salt::new([0x0a; 32]),
        origin: "kho.example.vn".into(),
        record: record(1),
        stub: Digest::of(b"s"),
        basis: disposed,
        review: Some(review),
        appraisal: Some(appraisal()),
        decision: Some(decision()),
        order: Order { entry: 12, at, by: actor(4) },
        holds: HoldCheck { entries: 12, released: 1, in_force: 0 },
        places: vec![Emptied { place: 1, objects: 3, leftovers: 1, at }],
        forgotten: Held::ALL.map(|held| Forgotten { held, at }).to_vec(),
        absence: Absence { at, places: vec![1], found: 0 },
        windows: remains.map(|of| Window { of, name: Some("tháng 11".into()), until: Some(at) }).to_vec(),
        limits: ALWAYS.to_vec(),
        made_by: "vankho 0.1.0".into(),
    };
    assert_eq!(first.check(&[1]), Ok(()));
    let without = |basis| Certificate { basis, review: None, appraisal: None, decision: None, ..first.clone() };
    let wrong = [
        ("/stub", json!("x")),
        ("/basis/extra", json!(1)),
        ("/review/extra", json!(1)),
        ("/order/at", json!("2026-11-23")),
        ("/holds/in_force", json!("none")),
        ("/places/0/extra", json!(1)),
        ("/forgotten/0/held", json!("memory")),
        ("/absence/extra", json!(1)),
        ("/windows/0/of", json!("mind")),
        ("/limits", json!(["nothing"])),
    ];
    held_to(std::slice::from_ref(&first), (&["appraisal"], &["review", "decision"]), &wrong);
    held_to(&[without(withdrawn), without(expelled)], (&[], &[]), &[]);
    let (schema, validator) = schema("certificate.v1.json");
    let limits: Vec<&str> = Limit::ALL.iter().map(Limit::as_str).collect();
    assert_eq!(schema["properties"]["limits"]["items"]["enum"], json!(limits));
    // What only the schema refuses: nothing was looked at.
    let whole = serde_json::to_value(&first).unwrap();
    for pointer in ["/places", "/absence/places", "/limits"] {
        assert!(!validator.is_valid(&changed(&whole, pointer, Some(json!([])))), "{pointer}");
    }
}
