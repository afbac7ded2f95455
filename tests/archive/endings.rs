//! What may follow in a ledger where units are approved, held, reviewed, ordered to end and ended: in form and out of it,
//! each with the files that it names.

use serde_json::{Value, json};
use std::{fs, path::Path};
use vankho::record::digest::Digest;

/// Nobody of the history.
pub const OTHER: &str = "0198c5a2-7d5c-7000-8000-0000000000ab";

/// Entries that come one after the other, what is kept of them and what is not any more, and whether they may follow.
#[derive(Clone)]
pub struct Ending {
    pub entries: Vec<Value>,
    pub files: Files,
    pub may: bool,
}

/// Files that entries name, by their paths, and the folders that they leave empty.
#[derive(Clone, Default)]
pub struct Files {
    kept: Vec<(String, Vec<u8>)>,
    gone: Vec<String>,
}

impl Files {
    pub fn write(&self, root: &Path) {
        for folder in &self.gone {
            fs::remove_dir_all(root.join(folder)).ok();
        }
        for (path, bytes) in &self.kept {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), bytes).unwrap();
        }
    }

    /// Keeps a document of a unit; what it is named by.
    fn keep(&mut self, folder: &str, id: &str, document: &Value) -> Value {
        let bytes = serde_json_canonicalizer::to_vec(document).unwrap();
        let digest = Digest::of(&bytes);
        self.kept.push((format!("{folder}/{}/{id}/{digest}.json", &id[id.len() - 2..]), bytes));
        json!(digest)
    }
}

/// What the history has: a record, a file, a hold and the description of that, and how many entries.
pub struct Units {
    pub record: String,
    pub file: String,
    pub hold: String,
    pub described: Value,
    pub size: u64,
}

/// The next description of a unit.
fn described(files: &mut Files, kind: &str, id: &str, replaces: Option<&Value>, title: &str) -> Value {
    let mut said = json!({"schema": format!("{kind}.v1"), "salt": "5a".repeat(32), "title": title});
    said[kind] = json!(id);
    if let Some(replaces) = replaces {
        said["replaces"] = replaces.clone();
    }
    files.keep(&format!("{kind}s"), id, &said)
}

fn stub(record: &str) -> Value {
    json!({"schema": "stub.v1", "salt": "5b".repeat(32), "record": record, "components": 1, "bytes": 2})
}

fn certificate(record: &str, stub: &Value, order: u64) -> Value {
    json!({"schema": "certificate.v1", "salt": "5c".repeat(32), "record": record, "stub": stub,
        "order": {"entry": order}})
}

/// `entry` with some members more, or others.
fn with(entry: &Value, members: Value) -> Value {
    let mut changed = entry.clone();
    for (name, value) in members.as_object().unwrap() {
        changed[name] = value.clone();
    }
    changed
}

fn without(entry: &Value, member: &str) -> Value {
    let mut changed = entry.clone();
    changed.as_object_mut().unwrap().remove(member);
    changed
}

/// All of them.
pub fn all(units: &Units) -> Vec<Ending> {
    [holds(units), described_anew(units), ordered(units), ended(units), after_an_order(units)].concat()
}

/// Holds that are placed and released.
fn holds(units: &Units) -> Vec<Ending> {
    let mut files = Files::default();
    let digest = described(&mut files, "hold", &units.hold, Some(&units.described), "released");
    let placed = json!({"event": "hold_placed", "record": units.record, "hold": units.hold, "asked_by": OTHER});
    let on_file = with(&without(&placed, "record"), json!({"file": units.file}));
    let released =
        json!({"event": "hold_released", "hold": units.hold, "description": digest, "replaces": units.described});
    let plain = |entries: Vec<Value>, may| Ending { entries, files: Files::default(), may };
    let release = |entries: Vec<Value>, may| Ending { entries, files: files.clone(), may };
    vec![
        plain(vec![placed.clone()], true),
        plain(vec![on_file.clone()], true),
        plain(vec![placed.clone(), placed.clone(), on_file.clone()], true),
        plain(vec![with(&placed, json!({"record": OTHER}))], false),
        plain(vec![with(&on_file, json!({"file": OTHER}))], false),
        plain(vec![with(&without(&placed, "record"), json!({"fonds": units.file}))], false),
        plain(vec![with(&without(&placed, "record"), json!({"case": OTHER}))], false),
        plain(vec![with(&placed, json!({"hold": OTHER}))], false),
        plain(vec![with(&placed, json!({"file": units.file}))], false),
        plain(vec![with(&placed, json!({"description": digest}))], false),
        plain(vec![without(&placed, "record")], false),
        plain(vec![without(&placed, "hold")], false),
        plain(vec![without(&placed, "asked_by")], false),
        release(vec![released.clone()], true),
        release(vec![placed.clone(), on_file.clone(), released.clone()], true),
        release(vec![released.clone(), placed], false),
        release(vec![released.clone(), on_file], false),
        release(vec![released.clone(), released.clone()], false),
        release(vec![with(&released, json!({"replaces": digest}))], false),
        release(vec![with(&released, json!({"hold": OTHER}))], false),
        release(vec![with(&released, json!({"file": units.file}))], false),
        release(vec![with(&without(&released, "hold"), json!({"file": units.file}))], false),
        release(vec![without(&released, "replaces")], false),
        release(vec![with(&released, json!({"asked_by": OTHER}))], false),
        plain(vec![released], false),
    ]
}

/// What replaces the description of a schedule or of a case.
fn described_anew(units: &Units) -> Vec<Ending> {
    let mut all = Vec::new();
    for (event, kind) in [("approved", "schedule"), ("reviewed", "case"), ("proposed", "case"), ("decided", "case")] {
        let mut files = Files::default();
        let first = described(&mut files, kind, OTHER, None, "first");
        let second = described(&mut files, kind, OTHER, Some(&first), "second");
        let opened = with(&json!({"event": "opened", "description": first}), json!({kind: OTHER}));
        let next = with(&json!({"event": event, "description": second, "replaces": first}), json!({kind: OTHER}));
        let mut add = |entries: Vec<Value>, may| all.push(Ending { entries, files: files.clone(), may });
        add(vec![opened.clone(), next.clone()], true);
        add(vec![next.clone()], false);
        add(vec![next.clone(), opened.clone()], false);
        add(vec![opened.clone(), next.clone(), next.clone()], false);
        add(vec![opened.clone(), with(&next, json!({"replaces": second}))], false);
        add(vec![opened.clone(), without(&next, "replaces")], false);
        add(vec![opened.clone(), with(&next, json!({"record": units.record}))], false);
        add(vec![opened.clone(), with(&next, json!({"stub": first}))], false);
        let of_hold = with(&without(&next, kind), json!({"hold": units.hold, "replaces": units.described}));
        add(vec![opened, of_hold], false);
    }
    all
}

/// The order by which a record is destroyed, under a case or as somebody asked, and the one by which it is expelled.
fn orders(units: &Units, files: &mut Files) -> [Value; 3] {
    let stub = files.keep("stubs", &units.record, &stub(&units.record));
    let order = json!({"event": "destruction_ordered", "record": units.record, "stub": stub, "case": OTHER});
    let asked = with(&without(&order, "case"), json!({"asked_by": OTHER}));
    let expelled = with(&without(&order, "case"), json!({"event": "expulsion_ordered", "confirmed_by": OTHER}));
    [order, asked, expelled]
}

/// Orders, of which some is still there and some not.
fn ordered(units: &Units) -> Vec<Ending> {
    let mut files = Files::default();
    let [order, asked, expelled] = orders(units, &mut files);
    let folder = format!("records/{}/{}", &units.record[units.record.len() - 2..], units.record);
    let emptied = Files { gone: vec![folder], ..files.clone() };
    let mut all = Vec::new();
    for given in [&order, &asked, &expelled] {
        let mut add = |entries: Vec<Value>, may| all.push(Ending { entries, files: files.clone(), may });
        add(vec![given.clone()], true);
        add(vec![given.clone(), given.clone()], false);
        add(vec![given.clone(), expelled.clone()], false);
        add(vec![given.clone(), order.clone()], false);
        add(vec![with(given, json!({"file": units.file}))], false);
        add(vec![with(given, json!({"hold": units.hold}))], false);
        add(vec![with(given, json!({"description": given["stub"]}))], false);
        add(vec![with(given, json!({"certificate": given["stub"]}))], false);
        add(vec![with(&without(given, "record"), json!({"file": units.file}))], false);
        add(vec![without(given, "stub")], false);
        add(vec![with(given, json!({"case": null}))], false);
        add(vec![with(given, json!({"record": OTHER}))], false);
        add(vec![without(&without(&without(given, "case"), "asked_by"), "confirmed_by")], false);
        add(vec![with(given, json!({"case": OTHER, "asked_by": OTHER}))], false);
        add(vec![with(given, json!({"asked_by": OTHER, "confirmed_by": OTHER}))], false);
        all.push(Ending { entries: vec![given.clone()], files: emptied.clone(), may: true });
        // Nothing is kept of it.
        all.push(Ending { entries: vec![given.clone()], files: Files::default(), may: false });
    }
    all
}

/// What says that an order was carried out.
fn ended(units: &Units) -> Vec<Ending> {
    let folder = format!("records/{}/{}", &units.record[units.record.len() - 2..], units.record);
    let mut files = Files { gone: vec![folder], ..Files::default() };
    let [order, _, expulsion] = orders(units, &mut files);
    let mut kept = files.clone();
    let paper = certificate(&units.record, &order["stub"], units.size);
    let digest = kept.keep("stubs", &units.record, &paper);
    let destroyed = json!({"event": "destroyed", "record": units.record, "certificate": digest});
    let expelled = with(&destroyed, json!({"event": "expelled"}));
    let mut all = Vec::new();
    let mut add = |entries: Vec<Value>, may| all.push(Ending { entries, files: kept.clone(), may });
    for (order, end, other) in [(&order, &destroyed, &expelled), (&expulsion, &expelled, &destroyed)] {
        add(vec![order.clone(), end.clone()], true);
        add(vec![order.clone(), other.clone()], false);
        add(vec![order.clone(), end.clone(), end.clone()], false);
        add(vec![order.clone(), end.clone(), order.clone()], false);
        add(vec![end.clone(), order.clone()], false);
        add(vec![end.clone()], false);
        add(vec![order.clone(), with(end, json!({"record": OTHER}))], false);
        add(vec![order.clone(), with(end, json!({"stub": order["stub"]}))], false);
        add(vec![order.clone(), with(end, json!({"file": units.file}))], false);
        add(vec![order.clone(), with(end, json!({"case": OTHER}))], false);
        add(vec![order.clone(), without(end, "certificate")], false);
    }
    // A stub certifies nothing, nor does one document say both.
    let twice = with(&destroyed, json!({"certificate": order["stub"]}));
    all.push(Ending { entries: vec![order.clone(), twice], files: files.clone(), may: false });
    // Certificates and stubs that are not those of this end.
    let stub = &order["stub"];
    let wrong = [
        with(&paper, json!({"order": {"entry": units.size + 1}})),
        with(&paper, json!({"order": {"entry": units.size.to_string()}})),
        with(&paper, json!({"order": [units.size]})),
        with(&paper, json!({"stub": Digest::of(b"another")})),
        with(&paper, json!({"record": OTHER})),
        with(&paper, json!({"schema": "stub.v1"})),
        with(&paper, json!({"schema": "certificate.v2"})),
        with(&paper, json!({"replaces": stub})),
        with(&paper, json!({"salt": "5c"})),
        without(&paper, "order"),
        without(&paper, "stub"),
    ];
    for paper in wrong {
        let mut files = files.clone();
        let digest = files.keep("stubs", &units.record, &paper);
        let end = with(&destroyed, json!({"certificate": digest}));
        all.push(Ending { entries: vec![order.clone(), end], files, may: false });
    }
    let good = self::stub(&units.record);
    for stub in [
        with(&good, json!({"record": OTHER})),
        with(&good, json!({"schema": "certificate.v1"})),
        with(&good, json!({"schema": "record.v1"})),
        with(&good, json!({"replaces": stub})),
        with(&good, json!({"bytes": -1})),
        without(&good, "salt"),
        without(&good, "record"),
    ] {
        let mut files = Files::default();
        let digest = files.keep("stubs", &units.record, &stub);
        all.push(Ending { entries: vec![with(&order, json!({"stub": digest}))], files, may: false });
    }
    all
}

/// Nothing else is about a record from the order on.
fn after_an_order(units: &Units) -> Vec<Ending> {
    let mut files = Files::default();
    let [order, _, expulsion] = orders(units, &mut files);
    let (record, digest) = (&units.record, Digest::of(b"d"));
    let mut all = Vec::new();
    for later in [
        json!({"event": "accessioned", "record": record, "description": digest}),
        json!({"event": "lost", "record": record, "named_by": digest, "component": 1}),
        json!({"event": "damaged", "record": record, "named_by": digest, "component": 1, "place": 1, "fault": "missing"}),
        json!({"event": "repaired", "record": record, "named_by": digest, "component": 1, "place": 1, "source": 2}),
        json!({"event": "hold_placed", "record": record, "hold": units.hold, "asked_by": OTHER}),
    ] {
        for order in [&order, &expulsion] {
            let entries = vec![order.clone(), later.clone()];
            all.push(Ending { entries, files: files.clone(), may: false });
        }
    }
    // About a hold on a record that ends something may be said, and on its file a hold may lie.
    let on_file = json!({"event": "hold_placed", "file": units.file, "hold": units.hold, "asked_by": OTHER});
    let on_record = json!({"event": "hold_placed", "record": record, "hold": units.hold, "asked_by": OTHER});
    all.push(Ending { entries: vec![on_record, order, on_file], files, may: true });
    all
}
