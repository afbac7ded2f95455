//! Notes, checkpoints and keys against `signed_note` and `tlog_tiles`.

use crate::place::{ORIGIN, keys, signer};
use proptest::prelude::*;
use signed_note::{Note, StandardSigner, StandardVerifier, VerifierList};
use vankho::ledger::checkpoint::Checkpoint;
use vankho::ledger::keys::KeyFile;
use vankho::ledger::note::{self, VerifyingKey};
use vankho::ledger::{commit::Commit, proof::Receipt};
use vankho::record::digest::Digest;

fn verifiers(vkey: &str) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(vkey).unwrap())])
}

#[test]
fn others_open_our_checkpoints_and_read_our_keys() {
    let signer = signer(ORIGIN, 5);
    let text = signer.sign_checkpoint(70_000, Digest::of(b"root"));
    let note = Note::from_bytes(text.as_bytes()).unwrap();
    let (known, unknown) = note.verify(&verifiers(&signer.verifying_key().to_string())).unwrap();
    assert_eq!((known.len(), unknown.len()), (1, 0));
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!((checkpoint.origin(), checkpoint.size()), (ORIGIN, 70_000));
    assert_eq!(checkpoint.hash().0, Digest::of(b"root").0);
}

#[test]
fn our_secret_line_signs_the_same_elsewhere() {
    let signer = signer(ORIGIN, 6);
    let body = Checkpoint { origin: ORIGIN.into(), size: 3, root: Digest::of(b"r") }.body();
    let theirs = StandardSigner::new(signer.to_secret_text().trim_end()).unwrap();
    let mut note = Note::new(body.as_bytes(), &[]).unwrap();
    note.add_sigs(&[&theirs]).unwrap();
    let text = String::from_utf8(note.to_bytes()).unwrap();
    assert_eq!(text, signer.sign_checkpoint(3, Digest::of(b"r")));
    assert!(keys(&signer).open_checkpoint(&text).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// One byte changed anywhere: nobody opens it, and where they do not read it, neither do we.
    #[test]
    fn a_changed_checkpoint_is_opened_by_nobody(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let signer = signer(ORIGIN, 5);
        let mut bytes = signer.sign_checkpoint(70_000, Digest::of(b"root")).into_bytes();
        let place = at.index(bytes.len());
        prop_assume!(bytes[place] != to);
        bytes[place] = to;
        let theirs = Note::from_bytes(&bytes).ok();
        let theirs = theirs.is_some_and(|n| n.verify(&verifiers(&signer.verifying_key().to_string())).is_ok());
        let ours = std::str::from_utf8(&bytes).is_ok_and(|text| keys(&signer).open_checkpoint(text).is_ok());
        prop_assert_eq!((theirs, ours), (false, false));
    }

    #[test]
    fn what_we_take_for_a_note_others_do_too(text in "(a\n)?\n?(\u{2014} [a+ \u{a0}]{0,3} [A-Ea=]{0,12}\n?){0,3}") {
        if note::Note::parse(&text).is_ok() {
            prop_assert!(Note::from_bytes(text.as_bytes()).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,80}\n{0,2}\\PC{0,80}\n{0,2}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let keys = keys(&signer(ORIGIN, 5));
        let _ = (text.parse::<KeyFile>(), text.parse::<VerifyingKey>(), Checkpoint::unverified(&text));
        let _ = Receipt::parse(&format!("c2sp.org/tlog-proof@v1\n{text}"));
        let _ = (Commit::parse(&bytes, 3, &keys), Commit::parse(text.as_bytes(), u64::MAX, &keys));
    }

    #[test]
    fn base64_has_one_spelling(text in "[A-Da-d+/=]{0,12}") {
        if let Some(bytes) = note::decode_base64(&text) {
            prop_assert_eq!(note::encode_base64(&bytes), text);
        }
    }
}
