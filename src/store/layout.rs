//! Where everything lies: the paths of `format.md`, and nothing but paths.
//!
//! `<aa>` is the last two hexadecimal digits of an identifier: version 7 begins with the time, so the
//! first digits would put everything of one month into one folder.

use crate::record::{
    digest::Digest,
    id::{ActorId, IntentId, RecordId},
    stamp::AuthorityCode,
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

/// The folder of a record. To destroy a record is to empty this folder.
pub fn record(id: RecordId) -> String {
    format!("{RECORDS}/{}/{id}", id.shard())
}

/// A component of a record: the name is `sha256sum` of the bytes.
pub fn component(id: RecordId, sha256: Digest) -> String {
    format!("{}/{sha256}", record(id))
}

/// A description of a record.
pub fn description(id: RecordId, sha256: Digest) -> String {
    format!("{}/{sha256}.json", record(id))
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
pub fn damaged(id: RecordId, component: u32, place: u32) -> String {
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
    let shards = (0..=255).map(|shard: u8| format!("{RECORDS}/{shard:02x}"));
    let log = [COMMITS, CHECKPOINTS, COSIGNATURES, TIMESTAMPS, "log/tile/entries", "log/tile/0", INTENTS, "keys"]
        .map(String::from);
    log.into_iter().chain(shards).collect()
}

/// The record whose folder a path lies in.
pub fn record_of(path: &str) -> Option<RecordId> {
    let rest = path.strip_prefix(RECORDS)?.strip_prefix('/')?;
    let (shard, rest) = rest.split_once('/')?;
    let id: RecordId = rest.split_once('/')?.0.parse().ok()?;
    (id.shard() == shard).then_some(id)
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
    fn a_record_is_one_folder() {
        let id = RecordId::new(1_763_877_600_000, [0x5c; 10]);
        let digest = Digest::of(b"x");
        assert_eq!(component(id, digest), format!("records/5c/{id}/{digest}"));
        assert_eq!(description(id, digest), format!("records/5c/{id}/{digest}.json"));
        assert_eq!(record_of(&component(id, digest)), Some(id));
        for other in ["records/x", "records/5d/y/z", &format!("records/5d/{id}/z"), &format!("log/5c/{id}/z")] {
            assert_eq!(record_of(other), None, "{other}");
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
