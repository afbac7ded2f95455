//! What was signed of the ledger: the checkpoint in force, every published one, those that witnesses cosigned, and
//! those that somebody kept elsewhere. Each must be of the tree that the commits make.

use crate::ledger::{checkpoint::Checkpoint, edge::Edge, keys::KeyFile, note::Note};
use crate::record::digest::Digest;
use crate::store::{Store, layout};
use crate::verify::archive::{Findings, Kind, Trusted};
use std::collections::HashSet;

const FORK: &str = "it is signed, and not what the commits give: a fork";

/// A size and a root that were signed, and where that is known from.
struct State {
    name: String,
    checkpoint: Checkpoint,
    /// A commit ends at its size.
    met: bool,
}

/// All of it, while the commits are followed.
pub(crate) struct Signed<'a> {
    store: &'a Store,
    keys: &'a KeyFile,
    trusted: &'a Trusted,
    findings: &'a Findings,
    /// The size in force when we began: a living archive publishes while we look.
    pub published: u64,
    states: Vec<State>,
    checkpoints: HashSet<u64>,
    /// Sizes at which there are cosignatures.
    cosigned: HashSet<u64>,
    /// The largest size that enough witnesses cosigned.
    witnessed: u64,
}

impl<'a> Signed<'a> {
    /// Begins with the checkpoint in force and what was listed under `log/`.
    pub async fn read(
        store: &'a Store,
        keys: &'a KeyFile,
        trusted: &'a Trusted,
        findings: &'a Findings,
        listed: &[String],
    ) -> Signed<'a> {
        let sizes = |folder: &str| {
            let number = |path: &String| path.strip_prefix(folder)?.strip_prefix('/')?.parse().ok();
            listed.iter().filter_map(number).collect()
        };
        let (checkpoints, cosigned) = (sizes(layout::CHECKPOINTS), sizes(layout::COSIGNATURES));
        let state = |name: &str, checkpoint: &Checkpoint| State {
            name: name.into(),
            checkpoint: checkpoint.clone(),
            met: false,
        };
        let mut states: Vec<State> = trusted.known.iter().map(|(name, checkpoint)| state(name, checkpoint)).collect();
        let mut signed = Signed {
            store,
            keys,
            trusted,
            findings,
            published: 0,
            states: vec![],
            checkpoints,
            cosigned,
            witnessed: 0,
        };
        if let Some(stated) = signed.checkpoint(layout::CHECKPOINT).await {
            signed.published = stated.size;
            states.push(state(layout::CHECKPOINT, &stated));
        }
        Signed { states, ..signed }
    }

    /// The checkpoint of a file whose signature holds.
    async fn checkpoint(&self, path: &str) -> Option<Checkpoint> {
        let bytes = self.store.read(path).await.map_err(|error| self.findings.store(path, &error)).ok()?;
        let opened = std::str::from_utf8(&bytes).ok().and_then(|note| self.keys.open_checkpoint(note).ok());
        if opened.is_none() {
            self.findings.fault(path, Kind::Altered, "no signature of the archive holds");
        }
        opened
    }

    /// Is the checkpoint in force still the one that we began with? A living archive that has published more since may
    /// have removed what only the smaller size needs.
    pub async fn is_in_force(&self) -> bool {
        self.checkpoint(layout::CHECKPOINT).await.map(|checkpoint| checkpoint.size) == Some(self.published)
    }

    /// Compares what was signed with a tree, after any entry.
    pub fn compare(&self, edge: &Edge) {
        for State { name, checkpoint, .. } in self.states.iter().filter(|state| state.checkpoint.size == edge.size()) {
            if checkpoint.root != edge.root() {
                self.findings.fault(name, Kind::Altered, FORK);
            }
        }
    }

    /// A commit ends here: the published checkpoints of this size. Adds their paths to those that are accounted for.
    pub async fn commit_ends(&mut self, size: u64, root: Digest, known: &mut HashSet<String>) {
        self.states.iter_mut().filter(|state| state.checkpoint.size == size).for_each(|state| state.met = true);
        let mut paths = Vec::new();
        if self.checkpoints.contains(&size) || size == self.published {
            paths.push(layout::checkpoint(size));
        }
        if self.cosigned.contains(&size) {
            paths.push(layout::cosigned(size));
            self.cosignatures(size).await;
        }
        for path in paths {
            if let Some(stated) = self.checkpoint(&path).await
                && (stated.size, stated.root) != (size, root)
            {
                self.findings.fault(&path, Kind::Altered, FORK);
            }
            known.insert(path);
        }
    }

    /// Every line of a cosigned checkpoint is by somebody, and holds.
    async fn cosignatures(&mut self, size: u64) {
        let path = layout::cosigned(size);
        // What cannot be read, or is no note, is told with the checkpoint in it.
        let Ok(bytes) = self.store.read(&path).await else { return };
        let Ok(Ok(note)) = std::str::from_utf8(&bytes).map(Note::parse) else { return };
        for witness in self.trusted.witnesses() {
            if witness.cosigned(&note).is_err() {
                let detail = format!("the cosignature of {} does not hold", witness.name());
                self.findings.fault(&path, Kind::Altered, detail);
            }
        }
        for line in note.lines() {
            let ours = self.keys.keys_for(size).any(|key| key.name() == line.name && key.id() == line.id);
            if ours || self.trusted.witnesses().any(|witness| witness.is_named(line.name, line.id)) {
                continue;
            }
            let kind = if line.name == self.keys.origin() { Kind::Altered } else { Kind::Unchecked };
            self.findings.fault(&path, kind, "a line is by a witness whose key is not at hand; see --witnesses");
        }
        if self.trusted.policy.as_ref().is_some_and(|policy| policy.is_met(&note) == Ok(true)) {
            self.witnessed = size;
        }
    }

    /// What the commits did not come to.
    pub fn missed(&self, size: u64) {
        for State { name, checkpoint, met } in &self.states {
            if checkpoint.size > size {
                let detail = format!("{name} is of {} entries, the commits have {size}", checkpoint.size);
                self.findings.fault(&layout::commit(size), Kind::Missing, detail);
            } else if !met {
                self.findings.fault(name, Kind::Altered, "it is signed, and no commit ends at its size: a fork");
            }
        }
        let asked = self.trusted.policy.as_ref().is_some_and(|policy| policy.asks());
        if asked && self.witnessed < self.published {
            let detail =
                format!("too few witnesses cosigned the newest checkpoint; enough cosigned {} entries", self.witnessed);
            self.findings.fault(&layout::cosigned(self.published), Kind::Unchecked, detail);
        }
    }
}
