//! Which witnesses there are, and what each has not cosigned yet.

use crate::archive::{Archive, ArchiveError};
use crate::config;
use crate::ledger::cosignature::WitnessKey;

/// Witnesses of one archive at most: a note has room for a hundred lines.
const WITNESSES_MAX: usize = 32;

/// A witness as the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Where it is asked; `None` where it is not any more.
    pub url: Option<String>,
    pub key: WitnessKey,
}

/// What a witness has not cosigned yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    pub name: String,
    /// Where it is asked; `None` where it is not any more.
    pub url: Option<String>,
    /// The size of the tree that it cosigned last.
    pub size: u64,
    /// When, in seconds since 1970; 0 where it has cosigned nothing.
    pub time: u64,
    /// Entries since then.
    pub entries: u64,
    pub why: Option<String>,
}

/// The witnesses of a configuration.
pub fn configured(evidence: &config::Evidence) -> Result<Vec<Witness>, ArchiveError> {
    let mut witnesses: Vec<Witness> = Vec::with_capacity(evidence.witnesses.len());
    let refused = |key: &str, why: &str| {
        Err(ArchiveError::Place(format!(
            "evidence.witnesses, {key}: {why}; see [evidence] in deploy/config.example.toml"
        )))
    };
    for config::Witness { url, key: vkey } in &evidence.witnesses {
        let Ok(key) = vkey.parse::<WitnessKey>() else {
            return refused(vkey, "no key of a witness, as `vankho witness init` prints it");
        };
        if witnesses.iter().any(|known| known.key.bytes() == key.bytes()) {
            return refused(vkey, "the same key twice");
        }
        if !url.is_empty() && !url.starts_with("http://") && !url.starts_with("https://") {
            return refused(vkey, "its url begins with https:// or http://, or is \"\"");
        }
        witnesses.push(Witness { url: Some(url.clone()).filter(|url| !url.is_empty()), key });
    }
    match witnesses.len() > WITNESSES_MAX {
        true => refused("all", "more than 32"),
        false => Ok(witnesses),
    }
}

impl Archive {
    /// How every witness stands.
    pub async fn unsigned(&self) -> Result<Vec<Unsigned>, ArchiveError> {
        let (mut unsigned, now) = (Vec::new(), self.ledger.size());
        for Witness { url, key } in &self.witnesses {
            let heard = self.desk.heard(&key.to_string()).await?;
            let (name, entries) = (key.name().to_owned(), now.saturating_sub(heard.size));
            unsigned.push(Unsigned {
                name,
                url: url.clone(),
                size: heard.size,
                time: heard.time,
                entries,
                why: heard.why,
            });
        }
        Ok(unsigned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::cosignature::Cosigner;
    use zeroize::Zeroizing;

    #[test]
    fn what_is_no_witness_is_refused_when_the_archive_opens() {
        let key = |n: u8| Cosigner::from_seed("w", &Zeroizing::new([n; 32])).unwrap().public().to_string();
        let judged = |witnesses: &[(&str, String)]| {
            let witnesses = witnesses.iter().map(|(url, key)| config::Witness { url: (*url).into(), key: key.clone() });
            configured(&config::Evidence { witnesses: witnesses.collect(), ..Default::default() })
        };
        let two = judged(&[("https://w.example", key(1)), ("", key(2))]).unwrap();
        assert_eq!((two[0].url.as_deref(), two[1].url.as_deref()), (Some("https://w.example"), None));
        assert!(judged(&[("https://w.example", "w+x".into())]).is_err());
        assert!(judged(&[("https://w.example", key(1)), ("https://v.example", key(1))]).is_err());
        assert!(judged(&[("w.example", key(1))]).is_err());
        assert!(judged(&(0..33).map(|n| ("", key(n))).collect::<Vec<_>>()).is_err());
    }
}
