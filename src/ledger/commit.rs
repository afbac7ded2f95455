//! The commit object: a batch of entries and a note with the size and root that they lead to.
//!
//! `log/commits/<base size>` is created and never replaced, which makes it the lock on the order of all
//! entries. Its text: every entry on a line exactly as hashed, an empty line, the note.

use crate::ledger::{
    keys::{KeyFile, Signer},
    note::NoteFault,
    primacy::Primacy,
};
use crate::record::{
    digest::Digest,
    entry::{ENTRY_BYTES_MAX, Entry, Event},
};

/// A batch that was, or asks to be, appended at size `base`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Leaves before the batch.
    pub base: u64,
    /// The bytes of each entry, without line feed; at least one entry.
    pub entries: Vec<Vec<u8>>,
    /// Leaves after the batch.
    pub size: u64,
    /// The root after the batch.
    pub root: Digest,
    /// Where it was created.
    pub primacy: Primacy,
}

impl Commit {
    /// `log/commits/<base size, 20 digits>`.
    pub fn path(base: u64) -> String {
        format!("log/commits/{base:020}")
    }

    /// The object's bytes. Encoding the same batch again gives the same bytes.
    pub fn encode(&self, signer: &Signer) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in &self.entries {
            bytes.extend(entry);
            bytes.push(b'\n');
        }
        bytes.push(b'\n');
        bytes.extend(signer.sign_commit(self.size, self.root, self.primacy).as_bytes());
        bytes
    }

    /// Reads the object at `base` and checks its form, its count and its signature. The root is for the
    /// caller to compare with the [`Edge`](crate::ledger::edge::Edge), and the entries' meaning too.
    pub fn parse(bytes: &[u8], base: u64, keys: &KeyFile) -> Result<Commit, NoteFault> {
        let malformed = |why| Err(NoteFault::Malformed(why));
        let Ok(text) = std::str::from_utf8(bytes) else { return malformed("a commit is text") };
        let Some((batch, note)) = text.split_once("\n\n") else { return malformed("no empty line after the entries") };
        let well_formed = |entry: &str| {
            let printable = entry.bytes().all(|b| (b' '..=b'~').contains(&b));
            printable && (1..=ENTRY_BYTES_MAX).contains(&entry.len())
        };
        if !batch.split('\n').all(well_formed) {
            return malformed("a line of a commit is no entry: ASCII, 1 to 4096 bytes");
        }
        let entries: Vec<Vec<u8>> = batch.split('\n').map(|entry| entry.as_bytes().to_vec()).collect();
        let (stated, primacy) = keys.open_commit(note)?;
        if base.checked_add(entries.len() as u64) != Some(stated.size) {
            return malformed("the size in the note is not the base and the entries");
        }
        Ok(Commit { base, entries, size: stated.size, root: stated.root, primacy })
    }
}

/// The fingerprints of the keys that entries put in the place of the one in use.
pub fn new_keys(entries: &[Vec<u8>]) -> impl Iterator<Item = Digest> + '_ {
    let mentions = |entry: &&Vec<u8>| Entry::may_tell(entry, r#""event":"key_rotated""#);
    let read = |entry: &Vec<u8>| match Entry::from_bytes(entry).map(|entry| entry.event) {
        Ok(Event::KeyRotated { key }) => Some(key),
        _ => None,
    };
    entries.iter().filter(mentions).filter_map(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn example() -> (Commit, Signer, KeyFile) {
        let signer = Signer::from_seed("example.vn/kho", &Zeroizing::new([3; 32])).unwrap();
        let keys = KeyFile::founding(signer.verifying_key().clone());
        let entries = vec![b"{\"v\":1}".to_vec(), vec![b'x'; ENTRY_BYTES_MAX]];
        (Commit { base: 7, entries, size: 9, root: Digest::of(b"root"), primacy: Primacy::FIRST }, signer, keys)
    }

    #[test]
    fn a_commit_is_read_back_as_it_was() {
        let (commit, signer, keys) = example();
        let bytes = commit.encode(&signer);
        assert_eq!(Commit::parse(&bytes, 7, &keys).as_ref(), Ok(&commit));
        assert_eq!(Commit::path(7), "log/commits/00000000000000000007");
        assert!(Commit::parse(&bytes, 6, &keys).is_err() && Commit::parse(&bytes, u64::MAX, &keys).is_err());
        for cut in 0..bytes.len() {
            assert!(Commit::parse(&bytes[..cut], 7, &keys).is_err(), "{cut}");
        }
    }

    #[test]
    fn other_batches_and_other_keys_are_refused() {
        let (commit, signer, keys) = example();
        let with = |entries: Vec<Vec<u8>>| {
            let size = 7 + entries.len() as u64;
            Commit::parse(&Commit { entries, size, ..commit.clone() }.encode(&signer), 7, &keys)
        };
        assert!(with(vec![b"a".to_vec()]).is_ok());
        for wrong in [&b"\xc3\xa1"[..], b"", b"\t", b"\xff", b"\x7f", &[b'x'; ENTRY_BYTES_MAX + 1]] {
            assert!(with(vec![b"a".to_vec(), wrong.to_vec()]).is_err());
        }
        assert!(with(vec![]).is_err());
        let stranger = Signer::from_seed("example.vn/kho", &Zeroizing::new([4; 32])).unwrap();
        assert_eq!(Commit::parse(&commit.encode(&stranger), 7, &keys), Err(NoteFault::UnknownKey));
        // A checkpoint's signature does not make a commit.
        let text = String::from_utf8(commit.encode(&signer)).unwrap();
        let (batch, _) = text.split_once("\n\n").unwrap();
        let forged = format!("{batch}\n\n{}", signer.sign_checkpoint(9, commit.root));
        assert!(Commit::parse(forged.as_bytes(), 7, &keys).is_err());
    }
}
