//! What is kept of records that ended: the stub that each order names, the certificate of each that was carried out, and
//! nothing else in `stubs/`.

use crate::record::{digest::Digest, id::RecordId};
use crate::store::{Listed, Store, layout};
use crate::verify::{
    archive::{Findings, Kind},
    description::Remains,
    log::Log,
    sequence::{End, Ends},
};
use std::collections::{BTreeSet, HashSet};

/// Goes through the folders shard by shard, so that only one shard's listing is in memory.
pub(crate) async fn verify_stubs(store: &Store, log: &Log, findings: &Findings) {
    let mut shards: BTreeSet<String> = log.ended.keys().cloned().collect();
    match store.names(layout::STUBS).await {
        Ok(names) => {
            for name in names {
                match name.strip_suffix('/') {
                    Some(shard) => drop(shards.insert(shard.to_owned())),
                    None => findings.unnamed(&format!("{}/{name}", layout::STUBS)),
                }
            }
        }
        Err(error) => findings.store(layout::STUBS, &error),
    }
    let nothing = Ends::new();
    for shard in shards {
        verify_shard(store, &shard, log.ended.get(&shard).unwrap_or(&nothing), findings).await;
    }
}

async fn verify_shard(store: &Store, shard: &str, ended: &Ends, findings: &Findings) {
    let folder = format!("{}/{shard}", layout::STUBS);
    let listed = match store.everything(&folder).await {
        Ok(listed) => listed,
        Err(error) => return findings.store(&folder, &error),
    };
    let mut expected = HashSet::new();
    for (record, end) in ended {
        for digest in [Some(end.stub), end.certificate].into_iter().flatten() {
            let path = layout::stub(*record, digest);
            match store.read(&path).await {
                Ok(bytes) => {
                    if let Err(detail) = judge(&bytes, digest, *record, end) {
                        findings.fault(&path, Kind::Altered, detail);
                    }
                }
                Err(error) => findings.store(&path, &error),
            }
            expected.insert(path);
        }
    }
    let has_a_name = |stem: &str| layout::stub_of(stem).is_some();
    for Listed { path, .. } in listed.iter().filter(|listed| !expected.contains(&listed.path)) {
        findings.unnamed_or_leftover(path, has_a_name);
    }
}

/// Is it the stub, or the certificate, of this end?
fn judge(bytes: &[u8], digest: Digest, record: RecordId, end: &End) -> Result<(), String> {
    if Digest::of(bytes) != digest {
        return Err("its digest is not its name".into());
    }
    let read = Remains::read(bytes).map_err(|fault| fault.to_string())?;
    if read.record() != record {
        return Err("it is of another record".into());
    }
    let of_this = match read {
        // A stub certifies nothing.
        Remains::Stub { .. } => digest == end.stub && Some(digest) != end.certificate,
        Remains::Certificate { stub, order, .. } => {
            Some(digest) == end.certificate && (stub, order) == (end.stub, end.order)
        }
    };
    if of_this { Ok(()) } else { Err("it is not what the entry names, or of another stub or order".into()) }
}
