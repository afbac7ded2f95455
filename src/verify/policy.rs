//! Which witnesses must have seen a checkpoint: a file in the form of C2SP tlog-policy.
//!
//! ```text
//! witness A witness.a.example+1a2b3c4d+BA…
//! witness B witness.b.example+…
//! witness C witness.c.example+…
//! group two-of-three 2 A B C
//! quorum two-of-three
//! ```
//!
//! # Why
//! *That form and none of our own*, so that one file serves every tool of that world; groups of groups are how
//! agencies say "two of ours and one of theirs".
//!
//! *No `log` lines*: who the archive is, the key file says. Two places that could say it might differ.

use crate::ledger::{
    cosignature::WitnessKey,
    note::{Note, NoteFault},
};

/// The longest policy file, in bytes, and the names that it may define.
pub const POLICY_BYTES_MAX: usize = 64 * 1024;
const NAMES_MAX: usize = 256;
/// What asks for no witness.
const NONE: &str = "none";

/// A policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    rules: Vec<Rule>,
    /// The rule that counts; `None` where no witness is asked for.
    quorum: Option<usize>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Rule {
    Witness(WitnessKey),
    /// So many of these earlier rules.
    Group(usize, Vec<usize>),
}

/// Why a text is no policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotAPolicy(&'static str);

impl Policy {
    /// Reads a policy file.
    pub fn parse(bytes: &[u8]) -> Result<Policy, NotAPolicy> {
        let control = |c: char| c < ' ' && c != '\n' && c != '\t' || c == '\u{7f}';
        let text = std::str::from_utf8(bytes).map_err(|_| NotAPolicy("it is not UTF-8"))?;
        if bytes.len() > POLICY_BYTES_MAX || text.contains(control) {
            return Err(NotAPolicy("it is longer than 64 KiB, or has control characters"));
        }
        let mut reading = Reading::default();
        for line in text.split('\n') {
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            match words[..] {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["witness", name, vkey] | ["witness", name, vkey, _] => reading.witness(name, vkey)?,
                ["group", name, count, ref members @ ..] => reading.group(name, count, members)?,
                ["quorum", name] => reading.quorum(name)?,
                _ => return Err(NotAPolicy("a line is no witness, group or quorum")),
            }
        }
        let quorum = reading.quorum.ok_or(NotAPolicy("it has no quorum line"))?;
        Ok(Policy { rules: reading.rules, quorum })
    }

    /// The witnesses that it names.
    pub fn witnesses(&self) -> impl Iterator<Item = &WitnessKey> {
        self.rules.iter().filter_map(|rule| match rule {
            Rule::Witness(key) => Some(key),
            Rule::Group(..) => None,
        })
    }

    /// Does it ask for any witness?
    pub fn asks(&self) -> bool {
        self.quorum.is_some()
    }

    /// Did enough witnesses cosign? A line that names one of them and does not hold is a fault.
    pub fn is_met(&self, note: &Note) -> Result<bool, NoteFault> {
        let mut met: Vec<bool> = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            met.push(match rule {
                Rule::Witness(key) => key.cosigned(note)?.is_some(),
                Rule::Group(count, members) => members.iter().filter(|member| met[**member]).count() >= *count,
            });
        }
        Ok(self.quorum.is_none_or(|quorum| met[quorum]))
    }
}

#[derive(Default)]
struct Reading<'a> {
    names: Vec<&'a str>,
    rules: Vec<Rule>,
    /// Which rules stand in a group already.
    taken: Vec<bool>,
    quorum: Option<Option<usize>>,
}

impl<'a> Reading<'a> {
    fn add(&mut self, name: &'a str, rule: Rule) -> Result<(), NotAPolicy> {
        if name == NONE || self.names.contains(&name) || self.names.len() == NAMES_MAX {
            return Err(NotAPolicy("a name is defined twice, is `none`, or is one of more than 256"));
        }
        self.names.push(name);
        self.rules.push(rule);
        self.taken.push(false);
        Ok(())
    }

    fn find(&self, name: &str) -> Result<usize, NotAPolicy> {
        let found = self.names.iter().position(|known| *known == name);
        found.ok_or(NotAPolicy("a name is used that no line above defines"))
    }

    fn witness(&mut self, name: &'a str, vkey: &str) -> Result<(), NotAPolicy> {
        let key: WitnessKey = vkey.parse().map_err(|_| NotAPolicy("a witness's key is no vkey of type 4"))?;
        if self.rules.iter().any(|rule| matches!(rule, Rule::Witness(known) if known.bytes() == key.bytes())) {
            return Err(NotAPolicy("two witnesses have one key"));
        }
        self.add(name, Rule::Witness(key))
    }

    fn group(&mut self, name: &'a str, count: &str, members: &[&str]) -> Result<(), NotAPolicy> {
        let mut rules = Vec::with_capacity(members.len());
        for member in members {
            let rule = self.find(member)?;
            if std::mem::replace(&mut self.taken[rule], true) {
                return Err(NotAPolicy("a name is a member twice"));
            }
            rules.push(rule);
        }
        let digits = (1..=3).contains(&count.len()) && count.bytes().all(|b| b.is_ascii_digit());
        let count = match count {
            "any" => 1,
            "all" => rules.len(),
            count if digits && !count.starts_with('0') => count.parse().unwrap_or(usize::MAX),
            _ => return Err(NotAPolicy("a group asks for any, all, or a number")),
        };
        if rules.is_empty() || count > rules.len() {
            return Err(NotAPolicy("a group asks for more members than it has"));
        }
        self.add(name, Rule::Group(count, rules))
    }

    fn quorum(&mut self, name: &str) -> Result<(), NotAPolicy> {
        let rule = if name == NONE { None } else { Some(self.find(name)?) };
        match self.quorum.replace(rule) {
            None => Ok(()),
            Some(_) => Err(NotAPolicy("it has two quorum lines")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::cosignature::Cosigner;
    use zeroize::Zeroizing;

    const BODY: &str = "kho.example.vn\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn witness(n: u8) -> Cosigner {
        Cosigner::from_seed(&format!("w{n}.example"), &Zeroizing::new([n; 32])).unwrap()
    }

    fn lines(n: u8) -> String {
        (1..=n).map(|n| format!("witness w{n} {}\n", witness(n).public())).collect()
    }

    fn met(policy: &str, by: &[u8]) -> bool {
        let cosigned: String = by.iter().map(|n| witness(*n).cosign(BODY, 9).unwrap()).collect();
        let note = format!("{BODY}\n\u{2014} stranger AAAAAAE=\n{cosigned}");
        Policy::parse(policy.as_bytes()).unwrap().is_met(&Note::parse(&note).unwrap()).unwrap()
    }

    #[test]
    fn so_many_of_so_many() {
        let of_three = |count: &str| format!("# ai\n\n{}group g {count} w1 w2 w3\n\tquorum  g \n", lines(3));
        for (count, by, expected) in [
            ("2", &[1, 3][..], true),
            ("2", &[2], false),
            ("any", &[2], true),
            ("any", &[], false),
            ("all", &[1, 2, 3], true),
            ("all", &[1, 2], false),
            ("2", &[1, 1], false),
            ("2", &[4, 5], false),
        ] {
            assert_eq!(met(&of_three(count), by), expected, "{count} {by:?}");
        }
        assert!(met(&format!("{}quorum w1\n", lines(2)), &[1]) && !met(&format!("{}quorum w1\n", lines(2)), &[2]));
        assert!(met("quorum none", &[]));
        let nested = format!("{}group a any w1 w2\ngroup b 2 w3 w4\ngroup both all a b\nquorum both\n", lines(4));
        assert!(met(&nested, &[2, 3, 4]) && !met(&nested, &[1, 2, 3]) && !met(&nested, &[3, 4]));
    }

    #[test]
    fn a_false_line_of_a_witness_is_a_fault_even_where_enough_are_true() {
        let one = witness(1).cosign(BODY, 9).unwrap();
        let other = witness(2).cosign(&BODY.replace("\n3\n", "\n4\n"), 9).unwrap();
        let note = format!("{BODY}\n{one}{other}");
        let policy = Policy::parse(format!("{}group g any w1 w2\nquorum g\n", lines(2)).as_bytes()).unwrap();
        assert_eq!(policy.is_met(&Note::parse(&note).unwrap()), Err(NoteFault::BadSignature));
    }

    #[test]
    fn what_is_no_policy() {
        let two = lines(2);
        let same = two.lines().next().unwrap().replacen("w1", "again", 1);
        for wrong in [
            String::new(),
            two.clone(),
            format!("{two}quorum w3\n"),
            format!("quorum w1\n{two}"),
            format!("{two}quorum w1\nquorum w1\n"),
            format!("{two}quorum w1 w2\n"),
            format!("{two}{same}\nquorum w1\n"),
            format!("{two}group w1 any w1 w2\nquorum w1\n"),
            format!("{two}group none any w1 w2\nquorum none\n"),
            format!("{two}group g any\nquorum g\n"),
            format!("{two}group g 0 w1\nquorum g\n"),
            format!("{two}group g 01 w1\nquorum g\n"),
            format!("{two}group g 3 w1 w2\nquorum g\n"),
            format!("{two}group g 1 w1 w1\nquorum g\n"),
            format!("{two}group g 1 w1\ngroup h 1 w1\nquorum g\n"),
            format!("{two}group g some w1\nquorum g\n"),
            format!("{two}log x\nquorum w1\n"),
            format!("{two}quorum w1\r\n"),
            "witness w kho+00000000+AQAA\nquorum w\n".into(),
            format!("{}quorum none\n", "# x\n".repeat(17_000)),
        ] {
            assert!(Policy::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(Policy::parse(b"quorum none # \xff").is_err());
    }
}
