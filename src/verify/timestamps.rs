//! Timestamps: does each token hold, does it agree with the entries around it, and was each renewed in time?
//!
//! # Why
//! *Whose root is trusted the asker says.* The archive keeps the certificates that it judged by, which proves that
//! nobody changed them since, and not that they are the authority's. Without certificates from elsewhere the answer is
//! incomplete, as it is for a witness whose key is not at hand.

use crate::ledger::{authority::Certificates, timestamp::Token};
use crate::record::{
    digest::Digest,
    entry::Instant,
    stamp::{Stamped, is_backdated, is_late},
};
use crate::store::{Store, layout};
use crate::verify::archive::{Findings, Kind};
use std::collections::BTreeSet;

/// The times of the entries on both sides of a commit's end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// Entries up to there.
    pub size: u64,
    pub root: Digest,
    pub last: Instant,
    pub next: Option<Instant>,
}

/// The files that timestamps stand on.
pub(crate) fn files(stamps: &[Stamped]) -> impl Iterator<Item = String> {
    stamps.iter().flat_map(|one| {
        let (size, authority) = (one.size, &one.authority);
        [layout::checkpoint(size), layout::token(size, authority), layout::chain(size, authority)]
    })
}

/// Judges every timestamp that the ledger names. `bounds` are in the order of their sizes.
pub(crate) async fn verify_timestamps(
    store: &Store,
    stamps: &[Stamped],
    bounds: &[Bound],
    trusted: Option<&Certificates>,
    findings: &Findings,
) {
    let mut unchecked = BTreeSet::new();
    for one in stamps {
        let path = layout::token(one.size, &one.authority);
        let wrong = |detail: &str| findings.fault(&path, Kind::Altered, detail);
        let bound = bounds.binary_search_by_key(&one.size, |bound| bound.size).ok().and_then(|n| bounds.get(n));
        match bound {
            None => wrong("it is of a size at which no commit ends"),
            Some(bound) if is_late(bound.last, one.time) => wrong("an entry that it covers is later than it"),
            Some(Bound { next: Some(next), .. }) if is_backdated(*next, one.time) => {
                findings.fault(
                    &layout::commit(one.size),
                    Kind::Altered,
                    "an entry is earlier than a timestamp before it",
                );
            }
            Some(_) => {}
        }
        let (token, chain) = (read(store, &path, one.token, findings).await, chain(store, one, findings).await);
        if read(store, &layout::checkpoint(one.size), one.checkpoint, findings).await.is_none() {
            continue;
        }
        let (Some(token), Some(chain)) = (token, chain) else { continue };
        let Ok(token) = Token::read(&token) else {
            wrong("it is no timestamp");
            continue;
        };
        let own = trusted.map_or_else(|| chain.clone(), |trusted| trusted.clone().with_others(&chain));
        match token.verify(one.checkpoint, &own) {
            Ok(stamp) if (stamp.time, stamp.until) == (one.time, one.until) => {}
            Ok(_) => wrong("it says another time than the ledger"),
            Err(fault) => findings.fault(&path, Kind::Altered, fault),
        }
        if trusted.is_none() {
            unchecked.insert(&one.authority);
        }
    }
    for authority in unchecked {
        let detail = format!("the certificates of authority {authority} are not at hand: give them with --authorities");
        findings.fault(layout::TIMESTAMPS, Kind::Unchecked, detail);
    }
    lapsed(stamps, findings);
}

/// A timestamp that was not renewed before its certificate ended is worth what the archive's word is worth. Whether
/// the newest ones have ended is for whoever knows what day it is.
fn lapsed(stamps: &[Stamped], findings: &Findings) {
    let Some(newest) = stamps.iter().map(|one| one.time).max() else { return };
    for one in stamps.iter().filter(|one| one.until <= newest) {
        if !stamps.iter().any(|later| one.is_renewed_by(later)) {
            let detail = format!("its certificate ended at {}, and no other timestamp covered it by then", one.until);
            findings.fault(&layout::token(one.size, &one.authority), Kind::Unchecked, detail);
        }
    }
}

async fn chain(store: &Store, one: &Stamped, findings: &Findings) -> Option<Certificates> {
    let path = layout::chain(one.size, &one.authority);
    let pem = read(store, &path, one.chain, findings).await?;
    let chain = Certificates::parse(&pem);
    if chain.is_err() {
        findings.fault(&path, Kind::Altered, "it is no file of certificates");
    }
    chain.ok()
}

/// A file whose digest an entry tells.
async fn read(store: &Store, path: &str, digest: Digest, findings: &Findings) -> Option<bytes::Bytes> {
    match store.read(path).await {
        Ok(bytes) if Digest::of(&bytes) == digest => return Some(bytes),
        Ok(_) => findings.fault(path, Kind::Altered, "its digest is not the one in the ledger"),
        Err(error) => findings.store(path, &error),
    }
    None
}
