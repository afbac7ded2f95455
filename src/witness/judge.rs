//! May this be cosigned? Pure: what is known, and what is offered.

use crate::ledger::{
    checkpoint::Checkpoint,
    cosignature::{Cosigner, WitnessKey},
    keys::KeyFile,
    merkle,
    note::Note,
    offer::Offer,
};
use crate::record::digest::Digest;
use crate::witness::own_lines;

/// What was cosigned last of one archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    pub size: u64,
    pub root: Digest,
    /// The moment that was stated, in seconds since 1970.
    pub time: u64,
    /// The checkpoint with the lines of the archive and ours; empty before the first.
    pub note: String,
}

impl State {
    /// Nothing was cosigned yet: every tree begins with the empty one.
    pub const EMPTY: State = State { size: 0, root: merkle::EMPTY_ROOT, time: 0, note: String::new() };

    /// From a note that we cosigned ourselves. `None` where we did not.
    pub fn of_note(note: &str, us: &WitnessKey) -> Option<State> {
        let read = Note::parse(note).ok()?;
        let Checkpoint { size, root, .. } = Checkpoint::parse_body(read.text()).ok()?;
        let time = us.cosigned(&read).ok()??;
        Some(State { size, root, time, note: note.to_owned() })
    }
}

/// Why an offer is not cosigned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Not in the one form that is read.
    Malformed(&'static str),
    /// No archive that is followed.
    UnknownLog,
    /// No signature of the archive, or one that does not hold.
    NotSigned,
    /// It goes on from another size than the one that was cosigned last, which is told.
    OtherSize(u64),
    /// It is signed, and does not go on from what was cosigned.
    DoesNotFollow(&'static str),
    /// The disk failed, or the clock tells no moment.
    Failed,
}

/// The checkpoint, if the archive signed it with a key in use at its size.
pub fn signed(keys: &KeyFile, offer: &Offer, stated: &Checkpoint) -> Result<Checkpoint, Refusal> {
    let checkpoint = keys.open_checkpoint(&offer.checkpoint_note).map_err(|_| Refusal::NotSigned)?;
    if offer.old > stated.size {
        return Err(Refusal::Malformed("the old size is larger than the checkpoint's"));
    }
    Ok(checkpoint)
}

/// Does it go on from what was cosigned last?
pub fn grows(before: &State, offer: &Offer, checkpoint: &Checkpoint) -> Result<(), Refusal> {
    if offer.old != before.size {
        return Err(Refusal::OtherSize(before.size));
    }
    let Checkpoint { size, root, .. } = *checkpoint;
    match merkle::verify_consistency(before.size, before.root, size, root, &offer.proof) {
        true => Ok(()),
        false if before.size == size => Err(Refusal::DoesNotFollow("another root of the same size")),
        false => Err(Refusal::DoesNotFollow("the proof does not lead from the old tree to the new one")),
    }
}

/// What is known once an offer is cosigned, and the line that says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Next {
    pub state: State,
    pub line: String,
}

/// Cosigns. The moment never goes back: a larger tree was not seen earlier.
pub fn next(
    before: &State,
    keys: &KeyFile,
    cosigner: &Cosigner,
    offer: &Offer,
    checkpoint: &Checkpoint,
    now: u64,
) -> Result<Next, Refusal> {
    let note = Note::parse(&offer.checkpoint_note).map_err(|_| Refusal::Malformed("the checkpoint"))?;
    let time = now.max(before.time);
    let line = cosigner.cosign(note.text(), time).ok_or(Refusal::Failed)?;
    let own = own_lines(&note, keys, checkpoint.size);
    let note = format!("{}\n{own}{line}", note.text());
    Ok(Next { state: State { size: checkpoint.size, root: checkpoint.root, time, note }, line })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{edge::Edge, keys::Signer};
    use zeroize::Zeroizing;

    const ORIGIN: &str = "kho.example.vn";

    fn signer(seed: u8) -> Signer {
        Signer::from_seed(ORIGIN, &Zeroizing::new([seed; 32])).unwrap()
    }

    fn root(words: &str) -> Digest {
        let mut edge = Edge::default();
        words.bytes().for_each(|b| edge.append(merkle::leaf_hash(&[b])));
        edge.root()
    }

    fn checkpoint(words: &str) -> Checkpoint {
        Checkpoint { origin: ORIGIN.into(), size: words.len() as u64, root: root(words) }
    }

    fn offer(old: u64, proof: &[Digest], words: &str) -> Offer {
        let checkpoint_note = signer(1).sign_checkpoint(words.len() as u64, root(words));
        Offer { old, proof: proof.to_vec(), checkpoint_note }
    }

    fn after(words: &str) -> State {
        State { size: words.len() as u64, root: root(words), time: 5, note: String::new() }
    }

    /// The right half of the tree over these two.
    fn pair(a: u8, b: u8) -> Digest {
        merkle::node_hash(merkle::leaf_hash(&[a]), merkle::leaf_hash(&[b]))
    }

    #[test]
    fn only_what_goes_on_is_cosigned() {
        let wrong = |state: &State, offer: &Offer, words: &str| grows(state, offer, &checkpoint(words)).unwrap_err();
        assert_eq!(grows(&State::EMPTY, &offer(0, &[], "ab"), &checkpoint("ab")), Ok(()));
        assert_eq!(grows(&State::EMPTY, &offer(0, &[], ""), &checkpoint("")), Ok(()));
        let grown = offer(2, &[pair(b'c', b'd')], "abcd");
        assert_eq!(grows(&after("ab"), &grown, &checkpoint("abcd")), Ok(()));
        assert_eq!(grows(&after("ab"), &offer(2, &[], "ab"), &checkpoint("ab")), Ok(()), "the same again");
        assert_eq!(wrong(&after("ab"), &offer(0, &[], "abcd"), "abcd"), Refusal::OtherSize(2));
        assert_eq!(wrong(&after("abcd"), &offer(2, &[], "ab"), "ab"), Refusal::OtherSize(4), "rolled back");
        for (state, offer, words) in [
            (after("ab"), offer(2, &[], "ax"), "ax"),
            (after("ab"), offer(2, &[pair(b'c', b'd')], "axcd"), "axcd"),
            (after("ab"), offer(2, &[], "abcd"), "abcd"),
            (after("ab"), offer(2, &[pair(b'c', b'd'), pair(b'c', b'd')], "abcd"), "abcd"),
            (State::EMPTY, offer(0, &[pair(b'c', b'd')], "abcd"), "abcd"),
            (after("ab"), offer(2, &[pair(b'c', b'd')], "ab"), "ab"),
        ] {
            assert!(matches!(wrong(&state, &offer, words), Refusal::DoesNotFollow(_)), "{words} {offer:?}");
        }
        let empty = Checkpoint { root: Digest::of(b"not of nothing"), ..checkpoint("") };
        assert!(matches!(grows(&State::EMPTY, &offer(0, &[], ""), &empty), Err(Refusal::DoesNotFollow(_))));
    }

    #[test]
    fn only_the_archive_s_own_keys_speak_for_it() {
        let keys: KeyFile =
            format!("{} 0 3\n{} 3 -\n", signer(1).verifying_key(), signer(2).verifying_key()).parse().unwrap();
        let judged = |offer: &Offer| signed(&keys, offer, &Checkpoint::unverified(&offer.checkpoint_note).unwrap());
        assert_eq!(judged(&offer(0, &[], "abc")), Ok(checkpoint("abc")));
        assert_eq!(judged(&offer(0, &[], "abcd")), Err(Refusal::NotSigned), "the old key, after its time");
        assert!(matches!(judged(&offer(3, &[], "ab")), Err(Refusal::Malformed(_))));
        let mut false_line = offer(0, &[], "abc");
        false_line.checkpoint_note = false_line.checkpoint_note.replacen("\n3\n", "\n2\n", 1);
        assert_eq!(judged(&false_line), Err(Refusal::NotSigned));
    }

    #[test]
    fn what_is_kept_has_our_line_and_the_archive_s_and_no_stranger_s() {
        let cosigner = Cosigner::from_seed("w.example", &Zeroizing::new([9; 32])).unwrap();
        let keys = KeyFile::founding(signer(1).verifying_key().clone());
        let mut given = offer(0, &[], "ab");
        given.checkpoint_note += "\u{2014} stranger AAAAAAE=\n";
        let next = next(&after(""), &keys, &cosigner, &given, &checkpoint("ab"), 3).unwrap();
        assert_eq!(next.state.time, 5, "it never goes back");
        assert!(next.state.note.ends_with(&next.line) && !next.state.note.contains("stranger"));
        assert!(keys.open_checkpoint(&next.state.note).is_ok());
        assert_eq!(State::of_note(&next.state.note, cosigner.public()), Some(next.state));
        assert_eq!(State::of_note(&given.checkpoint_note, cosigner.public()), None);
    }
}
