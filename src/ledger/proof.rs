//! Receipts (C2SP tlog-proof): one text file that proves an entry, without network and without archive.

use crate::ledger::{
    checkpoint::Checkpoint,
    keys::KeyFile,
    merkle,
    note::{self, NoteFault},
};
use crate::record::{
    digest::Digest,
    entry::{Entry, NotAnEntry},
};

/// The first line of every receipt.
pub const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// The longest receipt, in bytes: a full entry, 63 hashes and a hundred signatures fit several times.
pub const RECEIPT_BYTES_MAX: usize = 256 * 1024;
/// Hashes in an inclusion path at most: no larger tree can be counted.
const PATH_MAX: usize = 63;

/// An entry, the way from it to a root, and the checkpoint that signs the root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The entry's bytes, carried as the `extra` data.
    pub entry: Vec<u8>,
    /// Its place in the ledger, from 0.
    pub index: u64,
    /// The inclusion path, the leaf's sibling first.
    pub path: Vec<Digest>,
    /// The signed note, with cosignatures if there are any.
    pub checkpoint_note: String,
}

/// What a receipt that holds says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    pub entry: Entry,
    pub checkpoint: Checkpoint,
}

/// Why a receipt does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptFault {
    /// Something else than a receipt: the caller took the wrong file.
    #[error("the text is no receipt: its first line is not {FIRST_LINE}")]
    NotAReceipt,
    /// Not in the one form that is read.
    #[error("the receipt is not in form: {0}")]
    Malformed(&'static str),
    /// The checkpoint is not in form or not signed by the archive.
    #[error("the checkpoint does not hold: {0}")]
    Checkpoint(#[from] NoteFault),
    /// The path does not lead from the entry to the root.
    #[error("the entry is not in the tree that the checkpoint signs")]
    NotIncluded,
    /// The tree holds these bytes, but they are no entry that this version knows.
    #[error("{0}")]
    Entry(#[from] NotAnEntry),
}

impl Receipt {
    /// The text of the receipt.
    pub fn encode(&self) -> String {
        let mut text = format!("{FIRST_LINE}\nextra {}\nindex {}\n", note::encode_base64(&self.entry), self.index);
        for hash in &self.path {
            text.push_str(&note::encode_base64(&hash.0));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint_note);
        text
    }

    /// Reads what [`Receipt::encode`] wrote, and nothing else. The note is read by [`Receipt::check`].
    pub fn parse(text: &str) -> Result<Receipt, ReceiptFault> {
        use ReceiptFault::{Malformed, NotAReceipt};
        let rest = text.strip_prefix(FIRST_LINE).and_then(|rest| rest.strip_prefix('\n')).ok_or(NotAReceipt)?;
        if text.len() > RECEIPT_BYTES_MAX {
            return Err(Malformed("longer than 256 KiB"));
        }
        let (head, note) = rest.split_once("\n\n").ok_or(Malformed("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let extra = lines.next().and_then(|line| line.strip_prefix("extra ")).and_then(note::decode_base64);
        let entry = extra.ok_or(Malformed("the second line is not extra and base64"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(note::decode_number);
        let index = index.ok_or(Malformed("the third line is not index and a number"))?;
        let path: Option<Vec<Digest>> = lines.take(PATH_MAX + 1).map(note::decode_hash).collect();
        let path = path.ok_or(Malformed("a line of the path is not base64 of a hash"))?;
        if path.len() > PATH_MAX {
            return Err(Malformed("more than 63 hashes in the path"));
        }
        Ok(Receipt { entry, index, path, checkpoint_note: note.to_owned() })
    }

    /// Checks signature, inclusion and the entry's form. Which file and which description the entry means
    /// is checked by the module `verify`.
    pub fn check(&self, keys: &KeyFile) -> Result<Checked, ReceiptFault> {
        let checkpoint = keys.open_checkpoint(&self.checkpoint_note)?;
        let leaf = merkle::leaf_hash(&self.entry);
        if !merkle::verify_inclusion(leaf, self.index, checkpoint.size, &self.path, checkpoint.root) {
            return Err(ReceiptFault::NotIncluded);
        }
        Ok(Checked { entry: Entry::from_bytes(&self.entry)?, checkpoint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{edge::Edge, keys::Signer};
    use crate::record::entry::Event;
    use zeroize::Zeroizing;

    /// A receipt for the second of three entries, of which only that one is a real entry.
    fn example() -> (Receipt, KeyFile) {
        let signer = Signer::from_seed("example.vn/kho", &Zeroizing::new([9; 32])).unwrap();
        let event = Event::Founded { documents: [("README.txt".to_owned(), Digest::of(b"r"))].into() };
        let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
        let by = crate::record::id::ActorId::new(0, [2; 10]);
        let entry = Entry { at, by, request: Digest::of(b"q"), event, v: 1 }.to_bytes().unwrap();
        let leaves = [merkle::leaf_hash(b"0"), merkle::leaf_hash(&entry), merkle::leaf_hash(b"2")];
        let mut edge = Edge::default();
        leaves.iter().for_each(|leaf| edge.append(*leaf));
        let checkpoint_note = signer.sign_checkpoint(3, edge.root());
        let receipt = Receipt { entry, index: 1, path: vec![leaves[0], leaves[2]], checkpoint_note };
        (receipt, KeyFile::founding(signer.verifying_key().clone()))
    }

    #[test]
    fn a_receipt_is_read_back_and_holds() {
        let (receipt, keys) = example();
        let text = receipt.encode();
        assert_eq!(Receipt::parse(&text).unwrap(), receipt);
        assert_eq!(receipt.check(&keys).unwrap().checkpoint.size, 3);
        for cut in 0..text.len() {
            let cut = text.get(..cut).map(Receipt::parse);
            assert!(!cut.is_some_and(|r| r.is_ok_and(|r| r.check(&keys).is_ok())));
        }
    }

    #[test]
    fn what_does_not_hold() {
        let (receipt, keys) = example();
        let change = |change: &dyn Fn(&mut Receipt)| {
            let mut changed = receipt.clone();
            change(&mut changed);
            changed.check(&keys).unwrap_err()
        };
        assert!(matches!(change(&|r| r.index = 0), ReceiptFault::NotIncluded));
        assert!(matches!(change(&|r| r.index = 3), ReceiptFault::NotIncluded));
        assert!(matches!(change(&|r| r.path.reverse()), ReceiptFault::NotIncluded));
        assert!(matches!(change(&|r| r.path.truncate(1)), ReceiptFault::NotIncluded));
        assert!(matches!(change(&|r| r.entry[3] ^= 1), ReceiptFault::NotIncluded));
        assert!(matches!(
            change(&|r| r.checkpoint_note.insert(0, 'x')),
            ReceiptFault::Checkpoint(NoteFault::UnknownKey)
        ));
        let not_an_entry =
            |r: &mut Receipt| (r.entry, r.index, r.path[0]) = (b"0".to_vec(), 0, merkle::leaf_hash(&r.entry));
        assert!(matches!(change(&not_an_entry), ReceiptFault::Entry(_)));
    }

    #[test]
    fn sloppy_receipts_are_refused() {
        let text = example().0.encode();
        for (from, to) in [
            ("@v1\n", "@v2\n"),
            ("@v1\n", "@v1\r\n"),
            ("extra ", "extra  "),
            ("extra ", "Extra "),
            ("index 1\n", "index 01\n"),
            ("index 1\n", "index 1\n\n"),
            ("index 1\n", "index -1\n"),
            ("index 1\n", ""),
            ("=\n\n", "=\n"),
            ("=\n", "\n"),
            ("=\n", "= \n"),
        ] {
            let wrong = text.replacen(from, to, 1);
            let refused =
                Receipt::parse(&wrong).is_err() || Receipt::parse(&wrong).unwrap().check(&example().1).is_err();
            assert!(refused, "{wrong}");
        }
        let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
        let long = |n| Receipt::parse(&format!("{FIRST_LINE}\nextra YQ==\nindex 0\n{}\nnote", hash.repeat(n)));
        assert!(long(63).is_ok() && long(64).is_err() && long(10_000).is_err());
    }
}
