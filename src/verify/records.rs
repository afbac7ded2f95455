//! The records, and all else that is described: every description that an entry names, every component that a
//! description names, and nothing else in their folders.

use crate::record::{
    digest::Digest,
    unit::{self, Unit},
};
use crate::store::{Listed, Store, StoreError, layout};
use crate::verify::{
    archive::{Findings, Kind, Tell},
    description::Stated,
    log::Log,
    sequence::Ends,
};
use futures::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// Records looked at side by side. Hashing is what takes the time.
const AT_ONCE: usize = 8;

/// What is told of a file that lies where its record was destroyed.
const LEFT: &str = "the record was destroyed, and nothing of it belongs here";

/// Goes through the folders shard by shard, so that only one shard's listing is in memory.
pub(crate) async fn verify_records(store: &Store, log: &Log, findings: &Findings, tell: &Tell) {
    let mut shards: BTreeSet<(unit::Kind, String)> = log.named.keys().cloned().collect();
    for kind in unit::Kind::ALL {
        match store.names(kind.folder()).await {
            Ok(names) => {
                for name in names {
                    match name.strip_suffix('/') {
                        Some(shard) => drop(shards.insert((kind, shard.to_owned()))),
                        None => findings.unnamed(&format!("{}/{name}", kind.folder())),
                    }
                }
            }
            Err(error) => findings.store(kind.folder(), &error),
        }
    }
    let total: u64 = log.named.values().map(|named| named.len() as u64).sum();
    let mut done = 0;
    let nothing = Ends::new();
    for shard in shards {
        let named = log.named.get(&shard).map(Vec::as_slice).unwrap_or_default();
        let ended = Some(&shard.1).filter(|_| shard.0 == unit::Kind::Record).and_then(|shard| log.ended.get(shard));
        let folder = format!("{}/{}", shard.0.folder(), shard.1);
        verify_shard(store, &folder, named, ended.unwrap_or(&nothing), findings).await;
        done += named.len() as u64;
        tell(done, total);
    }
}

async fn verify_shard(store: &Store, folder: &str, named: &[(Unit, Digest)], ended: &Ends, findings: &Findings) {
    let listed = match store.everything(folder).await {
        Ok(listed) => listed,
        Err(error) => return findings.store(folder, &error),
    };
    let end = |unit: &Unit| unit.record().and_then(|record| ended.get(&record));
    let mut units: BTreeMap<Unit, Vec<Digest>> = BTreeMap::new();
    // Nothing has to be there of a record that was ordered to end, and nothing of it is read.
    for (unit, description) in named.iter().filter(|(unit, _)| end(unit).is_none()) {
        units.entry(*unit).or_default().push(*description);
    }
    let records = units.keys().filter(|unit| unit.record().is_some()).count();
    findings.change(|report| {
        report.records += records as u64;
        report.ended += ended.len() as u64;
    });
    // Each is a task of its own, so that hashing uses every core.
    let looks = stream::iter(units).map(|(unit, descriptions)| look(store.clone(), unit, descriptions));
    let looked: Vec<Looked> =
        looks.map(tokio::spawn).buffer_unordered(AT_ONCE).filter_map(|done| async { done.ok() }).collect().await;
    let mut expected = BTreeSet::new();
    for one in looked {
        findings.change(|report| {
            report.components += one.components;
            report.bytes += one.bytes;
        });
        for (path, kind, detail) in one.faults {
            findings.fault(&path, kind, detail);
        }
        expected.extend(one.paths);
    }
    for Listed { path, .. } in listed.iter().filter(|listed| !expected.contains(&listed.path)) {
        match layout::unit_of(path).as_ref().and_then(end) {
            None => findings.unnamed(path),
            Some(end) if end.certificate.is_some() => findings.fault(path, Kind::Unknown, LEFT),
            // The order is being carried out.
            Some(_) => {}
        }
    }
}

/// What was seen of one unit.
#[derive(Default)]
struct Looked {
    paths: BTreeSet<String>,
    components: u64,
    bytes: u64,
    faults: Vec<(String, Kind, String)>,
}

impl Looked {
    fn fault(&mut self, path: String, kind: Kind, detail: impl std::fmt::Display) {
        self.faults.push((path, kind, detail.to_string()));
    }

    fn store(&mut self, path: String, error: StoreError) {
        match error {
            StoreError::Absent(_) => self.fault(path, Kind::Missing, "nothing is there"),
            error => self.fault(path, Kind::Unreadable, error),
        }
    }
}

async fn look(store: Store, unit: Unit, descriptions: Vec<Digest>) -> Looked {
    let mut looked = Looked::default();
    let mut components: BTreeMap<Digest, u64> = BTreeMap::new();
    let mut before = None;
    for digest in descriptions {
        let path = layout::description(unit, digest);
        looked.paths.insert(path.clone());
        match store.read(&path).await {
            Ok(bytes) => match described(&bytes, unit, digest, before) {
                Ok(description) => components.extend(description.components),
                Err(detail) => looked.fault(path, Kind::Altered, detail),
            },
            Err(error) => looked.store(path, error),
        }
        before = Some(digest);
    }
    for (digest, size) in components {
        let path = layout::component(unit, digest);
        looked.paths.insert(path.clone());
        match store.digest(&path).await {
            Ok(found) if found == (digest, size) => {
                looked.components += 1;
                looked.bytes += size;
            }
            Ok(_) => looked.fault(path, Kind::Altered, "its digest is not its name"),
            Err(error) => looked.store(path, error),
        }
    }
    looked
}

fn described(bytes: &[u8], unit: Unit, digest: Digest, before: Option<Digest>) -> Result<Stated, String> {
    if Digest::of(bytes) != digest {
        return Err("its digest is not its name".into());
    }
    let description = Stated::read(bytes).map_err(|fault| fault.to_string())?;
    match (description.unit == unit, description.replaces == before) {
        (true, true) => Ok(description),
        (false, _) => Err("it describes another record, or another file or fonds".into()),
        (_, false) => Err("it does not replace the description before it".into()),
    }
}
