//! What a log offers a witness (C2SP tlog-witness, the body of `add-checkpoint`): the size from which the witness is to
//! go on, the proof that nothing was changed since, and the checkpoint.

use crate::ledger::note;
use crate::record::digest::Digest;

/// The longest body: 63 hashes and a hundred signatures fit several times.
pub const OFFER_BYTES_MAX: usize = 256 * 1024;
/// Hashes in a consistency proof at most.
const PROOF_MAX: usize = 63;

/// An offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// The size of the tree that the witness cosigned last.
    pub old: u64,
    /// From that tree to the one of the checkpoint.
    pub proof: Vec<Digest>,
    /// A signed note.
    pub checkpoint_note: String,
}

impl Offer {
    /// The body of the request.
    pub fn encode(&self) -> String {
        let mut text = format!("old {}\n", self.old);
        for hash in &self.proof {
            text += &note::encode_base64(&hash.0);
            text.push('\n');
        }
        text.push('\n');
        text + &self.checkpoint_note
    }

    /// Reads what [`Offer::encode`] wrote, and nothing else. The note is not read. `Err` says what is not in form.
    pub fn parse(text: &str) -> Result<Offer, &'static str> {
        let (head, note) = text.split_once("\n\n").ok_or("no empty line before the checkpoint")?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(note::decode_number);
        let old = old.ok_or("the first line is not old and a size")?;
        let proof: Option<Vec<Digest>> = lines.take(PROOF_MAX + 1).map(note::decode_hash).collect();
        let proof = proof.ok_or("a line of the proof is not base64 of a hash")?;
        if proof.len() > PROOF_MAX {
            return Err("more than 63 hashes in the proof");
        }
        Ok(Offer { old, proof, checkpoint_note: note.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_read_back_and_sloppy_ones_are_refused() {
        let offer = Offer { old: 3, proof: vec![Digest::of(b"a"), Digest::of(b"b")], checkpoint_note: "a\n1\n".into() };
        let text = offer.encode();
        assert_eq!(Offer::parse(&text).as_ref(), Ok(&offer));
        let first = Offer { old: 0, proof: vec![], ..offer };
        assert_eq!(first.encode(), "old 0\n\na\n1\n");
        assert_eq!(Offer::parse(&first.encode()), Ok(first));
        for (from, to) in [
            ("old 3\n", ""),
            ("old 3", "old 03"),
            ("old 3", "old  3"),
            ("old 3", "Old 3"),
            ("old 3", "old -3"),
            ("old 3", "old 18446744073709551616"),
            ("=\n", "\n"),
            ("=\n\n", "=\n"),
            ("\n", "\r\n"),
        ] {
            let wrong = text.replacen(from, to, 1);
            assert!(Offer::parse(&wrong).is_err(), "{wrong}");
        }
        let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
        let long = |n| Offer::parse(&format!("old 1\n{}\nnote", hash.repeat(n)));
        assert!(long(63).is_ok() && long(64).is_err() && long(10_000).is_err());
    }
}
