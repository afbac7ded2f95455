//! Checkpoints (C2SP tlog-checkpoint): the size and root of a tree, signed by its archive.

use crate::ledger::note::{self, Note, NoteFault, VerifyingKey};
use crate::record::digest::Digest;

/// What a log says of itself. The body of a commit note has the same three lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The name of the log, which is also the name of the key that signs it.
    pub origin: String,
    /// Leaves in the tree.
    pub size: u64,
    pub root: Digest,
}

impl Checkpoint {
    /// The text that is signed: origin, size, root in base64, one a line.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, note::encode_base64(&self.root.0))
    }

    /// Reads a body. Extension lines are refused: this archive writes none.
    pub fn parse_body(text: &str) -> Result<Checkpoint, NoteFault> {
        let lines: Vec<&str> = text.split('\n').collect();
        let [origin, size, root, ""] = lines[..] else {
            return Err(NoteFault::Malformed("a checkpoint has three lines"));
        };
        if !note::is_key_name(origin) {
            return Err(NoteFault::Malformed("the origin cannot name a key"));
        }
        let size = note::decode_number(size).ok_or(NoteFault::Malformed("the size is not a number in form"))?;
        let root = note::decode_hash(root).ok_or(NoteFault::Malformed("the root is not base64 of a hash"))?;
        Ok(Checkpoint { origin: origin.to_owned(), size, root })
    }

    /// What a note says, before anybody has checked who says so.
    pub fn unverified(note: &str) -> Result<Checkpoint, NoteFault> {
        Checkpoint::parse_body(Note::parse(note)?.text())
    }

    /// Opens a signed note. Only a key with the origin's name counts; other signatures are ignored.
    pub fn open<'k>(note: &str, keys: impl IntoIterator<Item = &'k VerifyingKey>) -> Result<Checkpoint, NoteFault> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse_body(note.text())?;
        note.check(keys.into_iter().filter(|key| key.name() == checkpoint.origin))?;
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body of the example in the tlog-checkpoint specification.
    const BODY: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn a_body_is_read_and_written() {
        let checkpoint = Checkpoint::parse_body(BODY).unwrap();
        assert_eq!((checkpoint.size, checkpoint.body().as_str()), (20_852_163, BODY));
    }

    #[test]
    fn sloppy_bodies_are_refused() {
        for (from, to) in [
            ("20852163", "020852163"),
            ("20852163", "+20852163"),
            ("20852163", "9000000000000000000"),
            ("20852163", ""),
            ("jxq2I=", "jxq2J="),
            ("jxq2I=", "jxq2I"),
            ("jxq2I=\n", "jxq2I="),
            ("jxq2I=\n", "jxq2I=\nextension\n"),
            ("jxq2I=\n", "jxq2I=\n\n"),
            ("example.com/behind-the-sofa", ""),
            ("example.com", "example com"),
        ] {
            let wrong = BODY.replacen(from, to, 1);
            assert!(Checkpoint::parse_body(&wrong).is_err(), "{wrong}");
        }
    }
}
