//! Cosignatures of witnesses (C2SP tlog-cosignature, `cosignature/v1`): that somebody else saw this checkpoint, at
//! which moment, and that it goes on from all that they had seen before. Ed25519 only.
//!
//! # Why
//! *A type of its own*, so that a witness's key can never stand in a file of an archive's keys, nor the other way.
//! The type is part of the key id, and the text that is signed begins otherwise.

use crate::ledger::note::{self, Note, NoteFault};
use ed25519_dalek::{Signer as _, SigningKey};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// The signature type of cosignatures.
const COSIGNATURE: u8 = 0x04;
/// What a secret text begins with: the form that note tools share.
const SECRET: &str = "PRIVATE+KEY+";

/// The key that checks a witness's cosignatures, with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessKey {
    name: String,
    id: [u8; 4],
    key: ed25519_dalek::VerifyingKey,
}

impl WitnessKey {
    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Option<WitnessKey> {
        let named = || WitnessKey { name: name.to_owned(), id: note::key_id(name, COSIGNATURE, &key), key };
        note::is_key_name(name).then(named)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Is a line with this name and id by this key, if it holds?
    pub fn is_named(&self, name: &str, id: [u8; 4]) -> bool {
        self.name == name && self.id == id
    }

    /// The public key itself: two names may stand for one.
    pub fn bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// When the witness cosigned: `None` where no line is by this key. Every line that names the key must hold.
    pub fn cosigned(&self, note: &Note) -> Result<Option<u64>, NoteFault> {
        let mut newest = None;
        for line in note.lines().iter().filter(|line| self.is_named(line.name, line.id)) {
            newest = newest.max(Some(self.time(note.text(), &line.signature).ok_or(NoteFault::BadSignature)?));
        }
        Ok(newest)
    }

    /// The moment that a signature states, in seconds since 1970, if it holds.
    fn time(&self, text: &str, signature: &[u8]) -> Option<u64> {
        let (time, signature) = signature.split_first_chunk::<8>()?;
        let time = u64::from_be_bytes(*time);
        // A moment is stated, and one that signed arithmetic of 64 bits can count.
        if time == 0 || i64::try_from(time).is_err() {
            return None;
        }
        let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
        self.key.verify_strict(message(time, text).as_bytes(), &signature).ok().map(|()| time)
    }
}

/// What is signed: the moment, and the body of the checkpoint.
fn message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// As a vkey.
impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&note::write_vkey(&self.name, COSIGNATURE, &self.key))
    }
}

impl FromStr for WitnessKey {
    type Err = NoteFault;
    fn from_str(vkey: &str) -> Result<WitnessKey, NoteFault> {
        let malformed = NoteFault::Malformed("a witness's vkey is name+id+base64 of an Ed25519 cosignature key");
        let (name, key) = note::read_vkey(vkey, COSIGNATURE).ok_or(malformed.clone())?;
        WitnessKey::new(name, key).ok_or(malformed)
    }
}

/// A witness's secret key.
pub struct Cosigner {
    secret: SigningKey,
    public: WitnessKey,
}

/// Prints nothing secret.
impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cosigner").field("public", &self.public.to_string()).finish_non_exhaustive()
    }
}

impl Cosigner {
    /// From 32 random bytes, which the caller drew. `None` where `name` cannot name a key.
    pub fn from_seed(name: &str, seed: &Zeroizing<[u8; 32]>) -> Option<Cosigner> {
        let secret = SigningKey::from_bytes(seed);
        let public = WitnessKey::new(name, secret.verifying_key())?;
        Some(Cosigner { secret, public })
    }

    pub fn public(&self) -> &WitnessKey {
        &self.public
    }

    /// The cosignature line over the body of a checkpoint, with its line feed. `None` for a moment that cannot be
    /// stated.
    pub fn cosign(&self, text: &str, time: u64) -> Option<String> {
        let signature = self.secret.sign(message(time, text).as_bytes()).to_bytes();
        let stated = time > 0 && i64::try_from(time).is_ok();
        let payload = [time.to_be_bytes().as_slice(), &signature].concat();
        stated.then(|| note::signature_text(&self.public.name, self.public.id, &payload))
    }

    /// The secret key as one line with its line feed: `PRIVATE+KEY+<name>+<id>+<base64 of 0x04 and the seed>`.
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new([&[COSIGNATURE], self.secret.as_bytes().as_slice()].concat());
        let seed = Zeroizing::new(note::encode_base64(&seed));
        let id = crate::record::digest::hex(&self.public.id);
        Zeroizing::new(format!("{SECRET}{}+{id}+{}\n", self.public.name, *seed))
    }

    /// Reads what [`Cosigner::to_secret_text`] wrote; the line feed may be missing.
    pub fn from_secret_text(text: &str) -> Option<Cosigner> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let (name, rest) = line.strip_prefix(SECRET)?.split_once('+')?;
        let bytes = Zeroizing::new(note::decode_base64(rest.split_once('+')?.1)?);
        let (_, seed) = bytes.split_first().filter(|(kind, _)| **kind == COSIGNATURE)?;
        let mut fixed = Zeroizing::new([0; 32]);
        fixed.copy_from_slice(Some(seed).filter(|seed| seed.len() == 32)?);
        Cosigner::from_seed(name, &fixed).filter(|cosigner| cosigner.to_secret_text().trim_end() == line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "example.vn/kho\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn cosigner(seed: u8) -> Cosigner {
        Cosigner::from_seed("witness.example.vn", &Zeroizing::new([seed; 32])).unwrap()
    }

    #[test]
    fn a_cosignature_states_its_moment_and_holds() {
        let line = cosigner(1).cosign(BODY, 1_679_315_147).unwrap();
        let text = format!("{BODY}\n{line}");
        let note = Note::parse(&text).unwrap();
        assert_eq!(cosigner(1).public().cosigned(&note), Ok(Some(1_679_315_147)));
        assert_eq!(cosigner(2).public().cosigned(&note), Ok(None), "nobody whom it names");
        let twice = format!("{text}{}", cosigner(1).cosign(BODY, 1_679_315_148).unwrap());
        assert_eq!(cosigner(1).public().cosigned(&Note::parse(&twice).unwrap()), Ok(Some(1_679_315_148)));
        assert_eq!(note.lines()[0].to_string(), line);
        for time in [0, u64::MAX, i64::MAX as u64 + 1] {
            assert_eq!(cosigner(1).cosign(BODY, time), None);
        }
    }

    #[test]
    fn another_moment_another_text_or_half_a_signature_is_refused() {
        let good = cosigner(1).cosign(BODY, 1_679_315_147).unwrap();
        let bytes = note::decode_base64(good.trim_end().rsplit_once(' ').unwrap().1).unwrap();
        let id = [bytes[0], bytes[1], bytes[2], bytes[3]];
        let judged = |body: &str, payload: &[u8]| {
            let text = format!("{body}\n{}", note::signature_text("witness.example.vn", id, payload));
            cosigner(1).public().cosigned(&Note::parse(&text).unwrap())
        };
        assert_eq!(judged(BODY, &bytes[4..]), Ok(Some(1_679_315_147)));
        assert_eq!(judged(&BODY.replace("\n3\n", "\n4\n"), &bytes[4..]), Err(NoteFault::BadSignature));
        for at in 4..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_eq!(judged(BODY, &other[4..]), Err(NoteFault::BadSignature), "{at}");
        }
        for length in [1, 8, 9, 64, 71, 73] {
            let mut other = bytes[4..].to_vec();
            other.resize(length, 0);
            assert_eq!(judged(BODY, &other), Err(NoteFault::BadSignature), "{length}");
        }
        // A true signature over a moment that is none.
        let nothing = cosigner(1).secret.sign(message(0, BODY).as_bytes()).to_bytes();
        assert_eq!(judged(BODY, &[&[0; 8], nothing.as_slice()].concat()), Err(NoteFault::BadSignature));
    }

    #[test]
    fn keys_of_witnesses_and_of_archives_are_not_taken_for_each_other() {
        let vkey = cosigner(1).public().to_string();
        assert_eq!(vkey.parse::<WitnessKey>().as_ref(), Ok(cosigner(1).public()));
        assert!(vkey.parse::<note::VerifyingKey>().is_err());
        let archive = note::VerifyingKey::new("witness.example.vn", cosigner(1).secret.verifying_key()).unwrap();
        assert!(archive.to_string().parse::<WitnessKey>().is_err());
        for wrong in ["", "a+b", &vkey.replacen('+', "++", 1), &vkey.to_uppercase(), &format!("{vkey} ")] {
            assert!(wrong.parse::<WitnessKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_one_line_and_prints_nothing() {
        let text = cosigner(7).to_secret_text();
        let again = Cosigner::from_secret_text(&text).unwrap();
        assert_eq!(again.public(), cosigner(7).public());
        let secret = text.trim_end().rsplit_once('+').unwrap().1.to_owned();
        assert!(!format!("{again:?}").contains(&secret[4..20]));
        let changed = text.replacen("BwcHBw", "BwcHCA", 1);
        assert_ne!(changed, *text);
        for wrong in ["", "PRIVATE+KEY+", &text.replacen("+KEY", "+CLE", 1), &format!("{}\n", *text)] {
            assert!(Cosigner::from_secret_text(wrong).is_none());
        }
        assert!(Cosigner::from_seed("two words", &Zeroizing::new([0; 32])).is_none());
    }
}
