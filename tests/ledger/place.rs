//! A small archive in memory: a key, a ledger, a record with a description and files, a receipt.

use vankho::ledger::edge::Edge;
use vankho::ledger::keys::{KeyFile, Signer};
use vankho::ledger::merkle::{self, Node};
use vankho::ledger::proof::Receipt;
use vankho::record::component::{Component, Format, Role};
use vankho::record::description::{Description, SCHEMA};
use vankho::record::digest::Digest;
use vankho::record::entry::{Entry, Event};
use vankho::record::id::{ActorId, RecordId};
use vankho::record::metadata::Metadata;
use zeroize::Zeroizing;

pub const ORIGIN: &str = "kho.example.vn/so-cai";

pub fn signer(origin: &str, seed: u8) -> Signer {
    Signer::from_seed(origin, &Zeroizing::new([seed; 32])).unwrap()
}

pub fn keys(signer: &Signer) -> KeyFile {
    KeyFile::founding(signer.verifying_key().clone())
}

pub fn record(number: u8) -> RecordId {
    RecordId::new(1_763_877_600_000, [number; 10])
}

/// What the file of a record holds.
pub const FILE: &[u8] = "Quyết định số 48/QĐ-UBND\n".as_bytes();

/// A description with everything that JSON writers disagree on.
pub fn description(number: u8) -> Description {
    let component = |ordinal, bytes: &[u8], name: &str| Component {
        ordinal,
        sha256: Digest::of(bytes),
        size: bytes.len() as u64,
        format: Format { mime: "application/pdf".into() },
        role: Role::Original,
        original_name: Some(name.into()),
        made_from: None,
        made_by: None,
        unread: None,
    };
    let subject = "Công bố \"thủ tục\" \\ / \u{7f} \u{1}\t\r\n\u{2028} 😀 <&> Đ".to_owned();
    Description {
        schema: SCHEMA.into(),
        record: record(number),
        replaces: None,
        salt: "5a".repeat(32),
        metadata: Metadata { subject, pages: Some(12), ..Metadata::default() },
        components: vec![component(1, b"other", "phụ lục.pdf"), component(2, FILE, "\\u007f\u{7f}.pdf")],
        findings: vec![],
        secrecy: None,
        reasons: vec![],
    }
}

pub fn entry(event: Event) -> Vec<u8> {
    let at = "2026-11-23T03:04:05.123456Z".parse().unwrap();
    Entry { at, by: ActorId::new(0, [2; 10]), request: Digest::of(b"request"), event, v: 1 }.to_bytes().unwrap()
}

pub fn accessioned(number: u8) -> Vec<u8> {
    let description = Digest::of(&description(number).to_bytes().unwrap());
    entry(Event::Accessioned { record: record(number), description })
}

/// A tree whose every node can be asked for.
pub struct Tree {
    pub leaves: Vec<Digest>,
}

impl Tree {
    pub fn of(entries: &[Vec<u8>]) -> Tree {
        Tree { leaves: entries.iter().map(|entry| merkle::leaf_hash(entry)).collect() }
    }

    pub fn node(&self, node: &Node) -> Digest {
        let from = (node.index << node.level) as usize;
        merkle::perfect_root(&self.leaves[from..from + (1 << node.level)]).unwrap()
    }

    pub fn assemble(&self, plan: &merkle::Plan) -> Vec<Digest> {
        plan.assemble(&plan.nodes().iter().map(|node| self.node(node)).collect::<Vec<_>>())
    }

    pub fn root(&self, size: u64) -> Digest {
        self.assemble(&merkle::root_plan(size))[0]
    }

    pub fn edge(&self) -> Edge {
        let mut edge = Edge::default();
        self.leaves.iter().for_each(|leaf| edge.append(*leaf));
        edge
    }

    pub fn receipt(&self, signer: &Signer, entry: &[u8], index: u64) -> Receipt {
        let size = self.leaves.len() as u64;
        let path = self.assemble(&merkle::inclusion_plan(index, size).unwrap());
        Receipt { entry: entry.to_vec(), index, path, checkpoint_note: signer.sign_checkpoint(size, self.root(size)) }
    }
}
