//! Which entries an audit looks at: how many, and which ones.
//!
//! # Why
//! *Neither side chooses.* The indices follow by hash from the checkpoint, which is signed before the nonce is known,
//! and from the nonce, which the archive does not know before: whoever has both draws the same sample.
//!
//! *Numbers that are the same everywhere.* Shares are whole parts of a million, and the size of a sample is counted by
//! repeated multiplication, which every machine rounds alike; logarithms are not.

use crate::record::digest::Digest;
use std::collections::BTreeSet;

/// A whole, in the parts in which shares are told.
pub const WHOLE_PPM: u32 = 1_000_000;
/// The largest sample. Whoever wants more reads everything: `vankho verify archive`.
pub const SAMPLE_MAX: u64 = 20_000;

/// What an audit is to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The share of bad entries that is tolerated, in parts of a million.
    share_ppm: u32,
    /// How likely a larger share is found, in parts of a million.
    confidence_ppm: u32,
}

/// Not something that a sample can show.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTerms {
    #[error("share and confidence lie between 0 and 1, such as 0.01 and 0.95")]
    NotShares,
    #[error("that needs a sample of more than 20000 entries; tolerate a larger share, or run `vankho verify archive`")]
    TooLarge,
}

impl Terms {
    pub fn new(share_ppm: u32, confidence_ppm: u32) -> Result<Terms, NotTerms> {
        let within = |ppm: u32| (1..WHOLE_PPM).contains(&ppm);
        if !within(share_ppm) || !within(confidence_ppm) {
            return Err(NotTerms::NotShares);
        }
        let terms = Terms { share_ppm, confidence_ppm };
        if terms.size(u64::MAX) > SAMPLE_MAX { Err(NotTerms::TooLarge) } else { Ok(terms) }
    }

    /// From shares as a configuration has them.
    pub fn of_shares(share: f64, confidence: f64) -> Result<Terms, NotTerms> {
        // What is no number, or lies far outside, ends at a bound that is refused.
        let ppm = |share: f64| (share * f64::from(WHOLE_PPM)).round() as u32;
        Terms::new(ppm(share), ppm(confidence))
    }

    pub fn share_ppm(&self) -> u32 {
        self.share_ppm
    }

    pub fn confidence_ppm(&self) -> u32 {
        self.confidence_ppm
    }

    /// The smallest sample that holds a bad entry with the wanted confidence, where at least the share that is not
    /// tolerated is bad: the smallest n with (1 - share)^n <= 1 - confidence. All of them, where there are fewer.
    pub fn size(&self, population: u64) -> u64 {
        let (good, missed_max) = (rest(self.share_ppm), rest(self.confidence_ppm));
        let (mut missed, mut size, most) = (1.0, 0, population.min(SAMPLE_MAX + 1));
        while missed > missed_max && size < most {
            missed *= good;
            size += 1;
        }
        size
    }
}

/// What is left of a whole.
fn rest(ppm: u32) -> f64 {
    f64::from(WHOLE_PPM - ppm.min(WHOLE_PPM)) / f64::from(WHOLE_PPM)
}

/// How likely a bad share is seen in so many of what it is a share of, in parts of a million, rounded down.
pub fn seen_ppm(share_ppm: u32, size: u64) -> u32 {
    let (good, mut missed) = (rest(share_ppm), 1.0);
    for _ in 0..size.min(SAMPLE_MAX) {
        missed *= good;
    }
    ((1.0 - missed) * f64::from(WHOLE_PPM)) as u32
}

/// A share as people type it: `0.01`, `0,01`, `1%` or `1 %`; `None` for anything else, or for more than six decimals.
pub fn read_share(typed: &str) -> Option<u32> {
    let typed = typed.trim();
    let (number, decimals) = match typed.strip_suffix('%') {
        Some(number) => (number.trim_end(), 4),
        None => (typed, 6),
    };
    let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || part.len() > decimals || !digits(whole) || !digits(part) {
        return None;
    }
    format!("{whole}{part:0<decimals$}").parse().ok()
}

/// The nonce that somebody brings: 64 hexadecimal digits as they are, of any other text its SHA-256. So the ledger
/// holds nothing that anybody wrote.
pub fn read_nonce(typed: &str) -> Digest {
    let typed = typed.trim();
    typed.parse().unwrap_or_else(|_| Digest::of(typed.as_bytes()))
}

/// What the sample follows from: the checkpoint's three lines, exactly as they are signed, and the nonce.
pub fn seed(checkpoint: &str, nonce: Digest) -> Digest {
    Digest::of(format!("vankho audit v1\n{checkpoint}{nonce}\n").as_bytes())
}

/// The sample: so many different numbers below `population`, all equally likely. The k-th try, counted from 0, is the
/// first eight bytes of SHA-256(seed, k as eight bytes), the higher first, by the remainder; tries that would make some
/// numbers likelier than others, and numbers that are drawn already, are passed over.
pub fn draw(seed: Digest, population: u64, size: u64) -> BTreeSet<u64> {
    if size >= population {
        return (0..population).collect();
    }
    let unfair = (u64::MAX % population + 1) % population;
    let (mut drawn, mut tries) = (BTreeSet::new(), 0_u64);
    while (drawn.len() as u64) < size {
        let Digest(bytes) = Digest::of(&[&seed.0[..], &tries.to_be_bytes()].concat());
        let value = bytes[..8].iter().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
        if value <= u64::MAX - unfair {
            drawn.insert(value % population);
        }
        tries += 1;
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(share: &str, confidence: &str) -> Terms {
        Terms::new(read_share(share).unwrap(), read_share(confidence).unwrap()).unwrap()
    }

    #[test]
    fn the_size_of_a_sample() {
        for (share, confidence, population, size) in [
            ("0.01", "0.95", 1_000_000, 299),
            ("0.001", "0.95", 1_000_000, 2_995),
            ("0.01", "0.99", 1_000_000, 459),
            ("0.05", "0.95", 1_000_000, 59),
            ("0.1", "0.9", 1_000_000, 22),
            ("0.5", "0.5", 1_000_000, 1),
            ("0.1", "0.1", 1_000_000, 1),
            ("0.5", "0.75", 1_000_000, 2),
            ("0.01", "0.95", 300, 299),
            ("0.01", "0.95", 299, 299),
            ("0.01", "0.95", 298, 298),
            ("0.01", "0.95", 1, 1),
            ("0.01", "0.95", 0, 0),
            ("0.000150", "0.95", u64::MAX, 19_971),
        ] {
            assert_eq!(terms(share, confidence).size(population), size, "{share} {confidence} {population}");
        }
    }

    #[test]
    fn what_a_sample_cannot_show_is_refused() {
        for (share, confidence) in [(0, 950_000), (10_000, 0), (1_000_000, 950_000), (10_000, 1_000_000)] {
            assert_eq!(Terms::new(share, confidence), Err(NotTerms::NotShares), "{share} {confidence}");
        }
        assert_eq!(Terms::new(149, 950_000), Err(NotTerms::TooLarge));
        assert_eq!(Terms::new(1, 999_999), Err(NotTerms::TooLarge));
        assert_eq!(Terms::of_shares(0.01, 0.95), Terms::new(10_000, 950_000));
        for (share, confidence) in [(f64::NAN, 0.95), (-1.0, 0.95), (0.01, f64::INFINITY), (0.0, 0.95)] {
            assert!(Terms::of_shares(share, confidence).is_err(), "{share} {confidence}");
        }
    }

    #[test]
    fn shares_as_people_type_them() {
        for (typed, ppm) in [
            ("0.01", Some(10_000)),
            ("0,01", Some(10_000)),
            ("1%", Some(10_000)),
            (" 0,1 % ", Some(1_000)),
            ("95%", Some(950_000)),
            ("0.999999", Some(999_999)),
            ("1", Some(1_000_000)),
            ("0.0000001", None),
            ("", None),
            ("%", None),
            (".5", None),
            ("-1", None),
            ("1e-2", None),
            ("0.01.1", None),
            ("1234", None),
            ("một", None),
        ] {
            assert_eq!(read_share(typed), ppm, "{typed}");
        }
    }

    #[test]
    fn a_nonce_is_a_digest_or_is_made_one() {
        let digest = Digest::of("số của hôm nay: 42".as_bytes());
        assert_eq!(read_nonce(" số của hôm nay: 42 "), digest);
        assert_eq!(read_nonce(&digest.to_string()), digest);
        assert_ne!(read_nonce(&digest.to_string().to_uppercase()), digest, "another text is another nonce");
    }

    #[test]
    fn a_sample_follows_from_checkpoint_and_nonce_alone() {
        let (body, nonce) = ("kho.example.vn\n7\nAAAA\n", Digest::of(b"n"));
        let drawn = draw(seed(body, nonce), 10_000, 299);
        assert_eq!(drawn.len(), 299);
        assert!(drawn.iter().all(|index| *index < 10_000));
        assert_eq!(draw(seed(body, nonce), 10_000, 299), drawn);
        assert_ne!(draw(seed(body, Digest::of(b"m")), 10_000, 299), drawn);
        assert_ne!(draw(seed("kho.example.vn\n8\nAAAA\n", nonce), 10_000, 299), drawn);
        // A smaller sample is a part of a larger one: whoever asks for more sees no other beginning.
        assert!(draw(seed(body, nonce), 10_000, 59).is_subset(&drawn));
        for (population, size) in [(5, 5), (5, 9), (1, 1), (0, 0), (0, 3)] {
            assert_eq!(draw(seed(body, nonce), population, size), (0..population).collect(), "{population} {size}");
        }
    }

    /// The first draws, so that another program can be held to the same.
    #[test]
    fn the_numbers_themselves() {
        let seed = seed("kho.example.vn\n7\nAAAA\n", Digest::of(b"n"));
        let Digest(first) = Digest::of(&[&seed.0[..], &[0; 8]].concat());
        let first = u64::from_be_bytes(first[..8].try_into().unwrap());
        assert!(draw(seed, 1 << 40, 1).contains(&(first % (1 << 40))));
    }

    /// Every number is as likely as any other: of a population that does not divide 2^64.
    #[test]
    fn no_number_is_likelier() {
        let mut often = [0_u32; 7];
        for n in 0..7_000_u32 {
            let one = draw(Digest::of(&n.to_be_bytes()), 7, 1);
            often[*one.first().unwrap() as usize] += 1;
        }
        assert!(often.iter().all(|count| (850..1150).contains(count)), "{often:?}");
        // Of a population of more than half of all numbers nearly half of the tries are passed over.
        let large = u64::MAX / 2 + 2;
        let low = (0..4_000_u32).filter(|n| *draw(Digest::of(&n.to_be_bytes()), large, 1).first().unwrap() < large / 2);
        assert!((1_850..2_150).contains(&low.count()));
    }

    #[test]
    fn how_likely_a_share_is_seen() {
        assert_eq!(seen_ppm(10_000, 0), 0);
        assert!(seen_ppm(10_000, 298) < 950_000 && seen_ppm(10_000, 299) >= 950_000);
        assert!((300_000..400_000).contains(&seen_ppm(10_000, 40)));
    }
}
