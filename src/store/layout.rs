//! Where everything lies: the paths of `format.md`, and nothing but paths.
//!
//! `<aa>` is the last two hexadecimal digits of an identifier: version 7 begins with the time, so the
//! first digits would put everything of one month into one folder.

use crate::record::{
    digest::Digest,
    id::{ActorId, IntentId, RecordId},
    stamp::AuthorityCode,
    unit::{Kind, Unit},
};

/// The identity of the place, made once.
pub const PLACE: &str = "place.json";
/// Public keys: one `vkey from-size to-size` a line.
pub const KEYS: &str = "keys/archive.keys";
/// Create-only: the one lock.
pub const COMMITS: &str = "log/commits";
/// The latest signed note.
pub const CHECKPOINT: &str = "log/checkpoint";
/// Every published checkpoint.
pub const CHECKPOINTS: &str = "log/checkpoints";
/// Checkpoints with the lines of the witnesses that cosigned them.
pub const COSIGNATURES: &str = "log/cosignatures";
/// What timestamping authorities said of checkpoints.
pub const TIMESTAMPS: &str = "log/timestamps";
/// Components and descriptions of records.
pub const RECORDS: &str = "records";
/// What is kept of records that ended: their stubs, and the certificates of their destruction.
pub const STUBS: &str = "stubs";
/// Discardable.
pub const STAGING: &str = "staging";
/// Intents: which folders a process may be writing into.
pub const INTENTS: &str = "staging/intents";

/// Held, shared, by every process that has the archive open, so that one that starts knows whether it is
/// alone and may sweep. Only on a local disk.
pub const ALIVE: &str = "staging/alive.lock";
/// Held while the checkpoint is replaced. Only on a local disk.
pub const PUBLISHING: &str = "staging/publish.lock";
/// Files that are nothing but locks: never discarded, for a lock that is unlinked is none.
pub const LOCKS: [&str; 2] = [ALIVE, PUBLISHING];

/// Hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// The commit that begins at a tree size.
pub fn commit(base: u64) -> String {
    format!("{COMMITS}/{base:020}")
}

/// The published checkpoint of a tree size.
pub fn checkpoint(size: u64) -> String {
    format!("{CHECKPOINTS}/{size}")
}

/// The checkpoint of a tree size, cosigned.
pub fn cosigned(size: u64) -> String {
    format!("{COSIGNATURES}/{size}")
}

/// What an authority said of the checkpoint of a tree size, as it sent it (RFC 3161, TimeStampResp).
pub fn token(size: u64, authority: &AuthorityCode) -> String {
    format!("{TIMESTAMPS}/{size}.{authority}.tsr")
}

/// The certificates and revocation lists that it was judged by, PEM.
pub fn chain(size: u64, authority: &AuthorityCode) -> String {
    format!("{TIMESTAMPS}/{size}.{authority}.chain.pem")
}

/// The folder of a unit. To destroy a record is to empty its folder.
pub fn unit(of: impl Into<Unit>) -> String {
    let of = of.into();
    format!("{}/{}/{of}", of.kind().folder(), of.shard())
}

/// A component of a record: the name is `sha256sum` of the bytes.
pub fn component(of: impl Into<Unit>, sha256: Digest) -> String {
    format!("{}/{sha256}", unit(of))
}

/// A description of a unit.
pub fn description(of: impl Into<Unit>, sha256: Digest) -> String {
    format!("{}/{sha256}.json", unit(of))
}

/// The folder of what is kept of a record that ended.
pub fn stubs(of: RecordId) -> String {
    format!("{STUBS}/{}/{of}", of.shard())
}

/// A stub or a certificate.
pub fn stub(of: RecordId, sha256: Digest) -> String {
    format!("{}/{sha256}.json", stubs(of))
}

/// The record and the digest of a stub or a certificate.
pub fn stub_of(path: &str) -> Option<(RecordId, Digest)> {
    let mut parts = path.strip_prefix(STUBS)?.strip_prefix('/')?.split('/');
    let (_, record, name) = (parts.next()?, parts.next()?, parts.next()?);
    let (record, digest) = (record.parse().ok()?, name.strip_suffix(".json")?.parse().ok()?);
    (stub(record, digest) == path).then_some((record, digest))
}

/// Bytes on their way into a record.
pub fn staged(id: RecordId, ordinal: u32) -> String {
    format!("{STAGING}/{id}/{ordinal}")
}

/// The staging folder of a record.
pub fn staging(id: RecordId) -> String {
    format!("{STAGING}/{id}")
}

/// What a place held in place of a component, kept for whoever wants to know what happened to it.
pub fn damaged(id: Unit, component: u32, place: u32) -> String {
    format!("{STAGING}/{id}/damaged-{component}-at-{place}")
}

/// The intents of one desk, named by its operator.
pub fn intents(by: ActorId) -> String {
    format!("{INTENTS}/{by}")
}

/// An intent.
pub fn intent(by: ActorId, id: IntentId) -> String {
    format!("{}/{id}", intents(by))
}

/// Every folder that must exist, durably, before the first record: a folder made in a hurry by one
/// writer is seen by another before it is on disk.
pub fn folders() -> Vec<String> {
    let shards = Kind::ALL.into_iter().map(|kind| kind.folder()).chain([STUBS]);
    let shards = shards.flat_map(|folder| (0..=255).map(move |n: u8| format!("{folder}/{n:02x}")));
    let log = [COMMITS, CHECKPOINTS, COSIGNATURES, TIMESTAMPS, "log/tile/entries", "log/tile/0", INTENTS, "keys"]
        .map(String::from);
    log.into_iter().chain(shards).collect()
}

/// The kind of unit in whose folder a path lies.
pub fn kind_of(path: &str) -> Option<Kind> {
    let (folder, _) = path.split_once('/')?;
    Kind::ALL.into_iter().find(|kind| kind.folder() == folder)
}

/// The unit whose folder a path lies in.
pub fn unit_of(path: &str) -> Option<Unit> {
    let (shard, rest) = path.split_once('/')?.1.split_once('/')?;
    let unit = kind_of(path)?.unit(rest.split_once('/')?.0).ok()?;
    (unit.shard() == shard).then_some(unit)
}

/// How an intent says that a unit's folder is written into: a record by its identifier alone.
pub fn intended(unit: Unit) -> String {
    match unit {
        Unit::Record(record) => record.to_string(),
        other => format!("{}/{other}", other.kind().folder()),
    }
}

/// The unit that a line of an intent is about.
pub fn unit_intended(line: &str) -> Option<Unit> {
    match line.split_once('/') {
        None => Kind::Record.unit(line).ok(),
        Some((_, id)) => kind_of(line).filter(|kind| *kind != Kind::Record)?.unit(id).ok(),
    }
}

/// The tree size and the authority of a file of a timestamp.
pub fn timestamp_of(path: &str) -> Option<(u64, AuthorityCode)> {
    let name = path.strip_prefix(TIMESTAMPS)?.strip_prefix('/')?;
    let name = name.strip_suffix(".tsr").or_else(|| name.strip_suffix(".chain.pem"))?;
    let (size, code) = name.split_once('.')?;
    let (size, code) = (size.parse().ok()?, AuthorityCode::try_from(code.to_owned()).ok()?);
    let named = path == token(size, &code) || path == chain(size, &code);
    named.then_some((size, code))
}

/// A text without the digests in which its paths and addresses end. Log lines and answers name the record; a digest
/// would tell whoever reads them that they hold the same file, and of a file that follows a form, what is in it.
pub fn without_digests(text: &str) -> String {
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(slash) = rest.find('/') {
        let (before, after) = rest.split_at(slash + 1);
        shown.push_str(before);
        let digits = after.bytes().take_while(u8::is_ascii_hexdigit).count();
        rest = match digits {
            DIGEST_DIGITS => {
                shown.push('…');
                &after[digits..]
            }
            _ => after,
        };
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_one_folder() {
        let id = RecordId::new(1_763_877_600_000, [0x5c; 10]);
        let digest = Digest::of(b"x");
        assert_eq!(component(id, digest), format!("records/5c/{id}/{digest}"));
        assert_eq!(description(id, digest), format!("records/5c/{id}/{digest}.json"));
        assert_eq!(unit_of(&component(id, digest)), Some(Unit::Record(id)));
        for other in ["records/x", "records/5d/y/z", &format!("records/5d/{id}/z"), &format!("log/5c/{id}/z")] {
            assert_eq!(unit_of(other), None, "{other}");
        }
        for kind in Kind::ALL {
            let other = kind.unit(&id.to_string()).unwrap();
            let path = description(other, digest);
            assert_eq!(path, format!("{}/5c/{id}/{digest}.json", kind.folder()));
            assert_eq!((unit_of(&path), unit_intended(&intended(other))), (Some(other), Some(other)));
        }
        for other in ["", "x", "records/019aaf1c-9b00-7707-8707-070707070707", "log/timestamps/1.a.tsr"] {
            assert_eq!(unit_intended(other), None, "{other}");
        }
        assert_eq!(commit(7), "log/commits/00000000000000000007");
    }

    #[test]
    fn what_is_told_of_a_path_is_the_record() {
        let (id, digest) = (RecordId::new(1_763_877_600_000, [0x5c; 10]), Digest::of(b"x"));
        assert_eq!(without_digests(&component(id, digest)), format!("records/5c/{id}/…"));
        let told =
            format!("GET http://127.0.0.1/kho/{} in 3 s; {}, again", component(id, digest), description(id, digest));
        let shown = format!("GET http://127.0.0.1/kho/records/5c/{id}/… in 3 s; records/5c/{id}/….json, again");
        assert_eq!(without_digests(&told), shown);
        for other in
            ["", "/", "log/commits/00000000000000000007", "a/đ/0123", &digest.to_string(), &format!("/{digest}0")]
        {
            assert_eq!(without_digests(other), *other);
        }
    }
}
