//! A ledger that is written and signed anew, as whoever has the archive's key could do it.

use crate::{
    endings::{self, Ending, Files, Units},
    mutate::Chance,
};
use serde_json::{Value, json};
use std::{fs, path::Path};
use vankho::{
    ledger::{
        commit::Commit,
        edge::Edge,
        keys::Signer,
        merkle::leaf_hash,
        primacy::Primacy,
        tile::{self, Bundle},
    },
    record::digest::Digest,
    store::layout,
};

/// How much of it is published.
#[derive(Clone, Copy)]
pub enum Publish {
    All,
    UpTo(u64),
}

/// The entries of every commit, and who it says was the primary.
#[derive(Clone)]
pub struct History {
    pub batches: Vec<Vec<Vec<u8>>>,
    primacies: Vec<Primacy>,
    /// What entries that were added name.
    files: Files,
}

impl History {
    /// Of an archive that has had one primary.
    pub fn read(root: &Path) -> History {
        let (mut batches, mut base) = (Vec::new(), 0);
        while let Ok(text) = fs::read_to_string(root.join(layout::commit(base))) {
            let batch: Vec<Vec<u8>> =
                text.split_once("\n\n").unwrap().0.lines().map(|line| line.as_bytes().to_vec()).collect();
            base += batch.len() as u64;
            batches.push(batch);
        }
        History { primacies: vec![Primacy::FIRST; batches.len()], batches, files: Files::default() }
    }

    /// The sizes at which commits end.
    pub fn ends(&self) -> Vec<u64> {
        let add = |size: &mut u64, batch: &Vec<Vec<u8>>| {
            *size += batch.len() as u64;
            Some(*size)
        };
        self.batches.iter().scan(0, add).collect()
    }

    pub fn size(&self) -> u64 {
        self.batches.iter().map(|batch| batch.len() as u64).sum()
    }

    fn edge(&self, size: u64) -> Edge {
        let mut edge = Edge::default();
        self.batches.iter().flatten().take(size as usize).for_each(|entry| edge.append(leaf_hash(entry)));
        edge
    }

    pub fn root(&self, size: u64) -> Digest {
        self.edge(size).root()
    }

    /// Puts the digest of a document into the first entry.
    pub fn name_document(&mut self, path: &str, bytes: &[u8]) {
        let mut entry: Value = serde_json::from_slice(&self.batches[0][0]).unwrap();
        entry["documents"][path] = json!(Digest::of(bytes));
        self.batches[0][0] = serde_json_canonicalizer::to_vec(&entry).unwrap();
    }

    /// What audits pledged is a state of this history again.
    pub fn pledge_anew(&mut self) {
        for n in 0..self.batches.len() {
            for at in 0..self.batches[n].len() {
                let mut entry: Value = serde_json::from_slice(&self.batches[n][at]).unwrap();
                if entry["event"] == "audit_pledged" {
                    entry["root"] = json!(self.root(entry["size"].as_u64().unwrap()));
                    self.batches[n][at] = serde_json_canonicalizer::to_vec(&entry).unwrap();
                }
            }
        }
    }

    /// Changes what a commit says, and tells how.
    pub fn change(&mut self, n: usize, chance: &mut Chance) -> &'static str {
        let batch = &mut self.batches[n];
        let at = chance.below(batch.len());
        let set = |entry: &mut Vec<u8>, name: &str, value: Value| {
            let mut read: Value = serde_json::from_slice(entry).unwrap();
            read[name] = value;
            *entry = serde_json_canonicalizer::to_vec(&read).unwrap();
        };
        match chance.below(7) {
            0 => {
                set(&mut batch[at], "at", json!("2020-01-01T00:00:00.000000Z"));
                "an entry backdated"
            }
            1 => {
                set(&mut batch[at], "at", json!("2090-01-01T00:00:00.000000Z"));
                "an entry dated ahead"
            }
            2 => {
                let name = *chance.pick(&["by", "record", "description", "replaces", "request", "event", "v", "more"]);
                set(&mut batch[at], name, json!("5a".repeat(32)));
                "a field of an entry"
            }
            3 => {
                let entry = batch[at].clone();
                batch.insert(at, entry);
                "an entry twice"
            }
            4 if batch.len() > 1 => {
                batch.remove(at);
                "an entry less"
            }
            5 if batch.len() > 1 => {
                batch.rotate_left(1);
                "entries in another order"
            }
            _ => {
                let entry = &mut batch[at];
                let (_, other) = crate::mutate::changed(entry, chance);
                // Two lines of one would be read as two entries, and an empty one as the end of them.
                let one = !other.is_empty() && !other.contains(&b'\n');
                *entry = if one { other } else { b"x".to_vec() };
                "an entry's bytes"
            }
        }
    }

    /// Entries of every event that somebody may want to be the next, and whether they may.
    fn next(&self) -> Vec<(Value, Primacy, Option<bool>)> {
        let digest = |text: &str| json!(Digest::of(text.as_bytes()));
        let last = self.batches.iter().flatten().last().unwrap();
        let last: Value = serde_json::from_slice(last).unwrap();
        let (record, moment) = (last["record"].clone(), "2090-01-01T00:00:00.000000Z");
        let other = json!("0198c5a2-7d5c-7000-8000-0000000000ab");
        let counts = |bytes: Value| {
            json!({"event": "fixity_checked", "place": 1, "since": moment, "to": 4, "records": 3, "components": 4,
                "bytes": bytes, "faults": 0})
        };
        let damaged = |record: &Value, component: u64, fault: &str| {
            json!({"event": "damaged", "record": record, "named_by": digest("n"), "component": component, "place": 1,
                "fault": fault})
        };
        let is_pledge = |entry: &Vec<u8>| String::from_utf8_lossy(entry).contains("audit_pledged");
        let ended = self.batches.iter().flatten().position(is_pledge).unwrap_or(0);
        let (end, state) = (self.ends()[1], self.root(self.ends()[1]));
        let pledged = |size: u64, root: Digest, by: &str| {
            json!({"event": "audit_pledged", "size": size, "root": root, "nonce": digest("n"), "nonce_by": by,
                "share_ppm": 10000, "confidence_ppm": 950000})
        };
        let audited = |pledge: usize| {
            json!({"event": "audited", "record": record, "pledge": pledge, "entries": 1, "faults": 0, "repaired": 0,
                "lost": 0})
        };
        let all = || self.batches.iter().flatten().map(|entry| serde_json::from_slice::<Value>(entry).unwrap());
        // The file and the hold of the history, each with its description in force.
        let named = |kind: &str| all().rfind(|one| one[kind].is_string()).unwrap_or_default();
        let about = |event: &str, kind: &str, replaces: &Value| json!({"event": event, kind: named(kind)[kind], "description": digest("d"), "replaces": replaces});
        let (file, hold) = (named("file")["description"].clone(), named("hold")["description"].clone());
        let opened = |kind: &str, id: &Value| json!({"event": "opened", kind: id, "description": digest("d")});
        let moved = json!({"event": "moved", "record": record, "description": digest("d"), "replaces": digest("r")});
        let second = Primacy { replica: 2, epoch: 2 };
        let promoted = json!({"event": "promoted", "replica": 2, "epoch": 2});
        let before = Primacy::FIRST;
        vec![
            (counts(json!(0)), before, Some(true)),
            (counts(json!(9007199254740991_u64)), before, Some(true)),
            (counts(json!(9007199254740992_u64)), before, Some(false)),
            (counts(json!(-1)), before, Some(false)),
            (counts(json!("1")), before, Some(false)),
            (damaged(&record, 0, "altered"), before, Some(true)),
            (damaged(&record, 4294967295, "missing"), before, Some(true)),
            (damaged(&record, 4294967296, "missing"), before, Some(false)),
            (damaged(&record, 1, "gone"), before, Some(false)),
            (damaged(&other, 1, "missing"), before, Some(false)),
            (
                json!({"event": "repaired", "record": record, "named_by": digest("n"), "component": 1, "place": 1, "source": 2}),
                before,
                Some(true),
            ),
            (json!({"event": "lost", "record": record, "named_by": digest("n"), "component": 1}), before, Some(true)),
            (
                json!({"event": "lost", "record": record, "named_by": digest("n"), "component": 1, "more": 1}),
                before,
                Some(false),
            ),
            (json!({"event": "lost", "record": other, "named_by": digest("n"), "component": 1}), before, Some(false)),
            (json!({"event": "refreshed", "documents": {"a/../../b": digest("x")}}), before, Some(false)),
            (json!({"event": "refreshed", "documents": {"/etc/hostname": digest("x")}}), before, Some(false)),
            (json!({"event": "founded", "documents": {}}), before, Some(false)),
            (json!({"event": "accessioned", "record": record, "description": digest("d")}), before, Some(false)),
            (json!({"event": "accessioned", "record": other, "description": digest("d")}), before, Some(false)),
            (
                json!({"event": "described", "record": record, "description": digest("d"), "replaces": digest("r")}),
                before,
                Some(false),
            ),
            (json!({"event": "forgotten"}), before, Some(false)),
            // Nothing is kept of what these name, so even where they may follow the whole does not hold.
            (opened("file", &other), before, Some(false)),
            (opened("record", &other), before, Some(false)),
            (opened("file", &named("file")["file"]), before, Some(false)),
            (about("described", "file", &file), before, Some(false)),
            (about("described", "hold", &hold), before, Some(false)),
            (about("closed", "file", &file), before, Some(false)),
            (about("closed", "hold", &hold), before, Some(false)),
            (about("reopened", "file", &digest("r")), before, Some(false)),
            (moved, before, Some(false)),
            (
                json!({"event": "lost", "file": named("file")["file"], "named_by": digest("n"), "component": 0}),
                before,
                Some(true),
            ),
            (
                json!({"event": "lost", "hold": named("hold")["hold"], "named_by": digest("n"), "component": 0}),
                before,
                Some(true),
            ),
            (
                json!({"event": "lost", "fonds": named("file")["file"], "named_by": digest("n"), "component": 0}),
                before,
                Some(false),
            ),
            (
                json!({"event": "lost", "file": named("file")["file"], "hold": named("hold")["hold"],
                    "named_by": digest("n"), "component": 0}),
                before,
                Some(false),
            ),
            (pledged(end, state, "auditor"), before, Some(true)),
            (pledged(end, state, "archive"), before, Some(true)),
            (pledged(end, state, "nobody"), before, Some(false)),
            (pledged(end, Digest::of(b"another history"), "auditor"), before, Some(false)),
            (pledged(end + 1, state, "auditor"), before, Some(false)),
            (pledged(0, state, "auditor"), before, Some(false)),
            (pledged(self.size() + 1, state, "auditor"), before, Some(false)),
            (audited(0), before, Some(false)),
            (audited(ended), before, Some(false)),
            (promoted.clone(), second, Some(true)),
            (promoted, before, Some(false)),
            (json!({"event": "promoted", "replica": 2, "epoch": 3}), Primacy { replica: 2, epoch: 3 }, Some(false)),
        ]
    }

    /// What may come of units that are held, reviewed and ordered to end.
    fn endings(&self) -> Vec<Ending> {
        let all = || self.batches.iter().flatten().map(|entry| serde_json::from_slice::<Value>(entry).unwrap());
        let named = |kind: &str| all().rfind(|one| one[kind].is_string()).unwrap_or_default();
        let id = |kind: &str| named(kind)[kind].as_str().unwrap_or_default().to_owned();
        let [record, file, hold] = ["record", "file", "hold"].map(id);
        let described = named("hold")["description"].clone();
        endings::all(&Units { record, file, hold, described, size: self.size() })
    }

    /// How many different next commits there are.
    pub fn many(&self) -> usize {
        self.next().len() + self.endings().len()
    }

    /// One more commit; may it follow? `None` where only the verifiers can tell.
    pub fn append(&mut self, chance: &mut Chance) -> Option<bool> {
        let must = self.append_next(chance.below(self.many()));
        let last = self.batches.last_mut()?;
        if must.is_some() && chance.below(5) == 0 {
            let at = chance.below(last.len());
            let entry = crate::mutate::changed(&last[at], chance).1;
            let one = !entry.is_empty() && !entry.contains(&b'\n');
            last[at] = if one { entry } else { b"x".to_vec() };
            return None;
        }
        must
    }

    /// The same with one of those commits, as it is.
    pub fn append_next(&mut self, n: usize) -> Option<bool> {
        let single = self.next();
        let (entries, primacy, must) = match single.get(n) {
            Some((entry, primacy, must)) => (vec![entry.clone()], *primacy, *must),
            None => {
                let ending = self.endings().swap_remove(n - single.len());
                self.files = ending.files;
                (ending.entries, Primacy::FIRST, Some(ending.may))
            }
        };
        let (moment, by) = (json!("2090-01-01T00:00:00.000000Z"), json!(endings::OTHER));
        let written = entries.into_iter().enumerate().map(|(n, mut entry)| {
            let request = json!(Digest::of(format!("another request {n}").as_bytes()));
            let members = [("at", moment.clone()), ("by", by.clone()), ("request", request), ("v", json!(1))];
            members.into_iter().for_each(|(name, value)| entry[name] = value);
            serde_json_canonicalizer::to_vec(&entry).unwrap()
        });
        self.batches.push(written.collect());
        self.primacies.push(primacy);
        must
    }

    /// Writes one commit, signed over the tree that ends with it.
    pub fn write_commit(&self, root: &Path, n: usize, signer: &Signer) {
        let (size, entries) = (self.ends()[n], self.batches[n].clone());
        let base = size - entries.len() as u64;
        let commit = Commit { base, size, root: self.root(size), primacy: self.primacies[n], entries };
        fs::write(root.join(Commit::path(base)), commit.encode(signer)).unwrap();
    }

    /// Writes all of `log/` anew, but what witnesses signed.
    pub fn write(&self, root: &Path, signer: &Signer, publish: Publish) {
        for folder in [layout::COMMITS, layout::CHECKPOINTS, "log/tile"] {
            fs::remove_dir_all(root.join(folder)).unwrap();
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        (0..self.batches.len()).for_each(|n| self.write_commit(root, n, signer));
        self.files.write(root);
        let size = match publish {
            Publish::All => self.size(),
            Publish::UpTo(size) => size,
        };
        let (edge, entries) = (self.edge(size), self.batches.iter().flatten().cloned().collect::<Vec<_>>());
        let publication = tile::tiles_for(0, size);
        let write = |path: String, bytes: Vec<u8>| {
            fs::create_dir_all(root.join(&path).parent().unwrap()).unwrap();
            fs::write(root.join(path), bytes).unwrap();
        };
        for of in &publication.tiles {
            write(of.path(), tile::encode_hashes(edge.tile(of.level, of.n).unwrap()));
        }
        for Bundle { n, width } in &publication.bundles {
            let (bundle, from) = (Bundle { n: *n, width: *width }, (n * 256) as usize);
            write(bundle.path(), tile::encode_bundle(&entries[from..from + usize::from(*width)]).unwrap());
        }
        let note = signer.sign_checkpoint(size, edge.root());
        write(layout::checkpoint(size), note.clone().into_bytes());
        write(layout::CHECKPOINT.into(), note.into_bytes());
    }
}
