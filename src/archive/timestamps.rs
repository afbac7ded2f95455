//! Which authorities timestamp checkpoints, what each has said last, and how what it said is kept.

use crate::archive::{Archive, ArchiveError, keep::Intent};
use crate::config;
use crate::ledger::authority::Certificates;
use crate::record::{
    digest::Digest,
    entry::{Event, Instant},
    stamp::{AuthorityCode, Stamped},
};
use crate::store::{Awaited, Created, StoreError, layout};
use bytes::Bytes;
use std::{collections::BTreeMap, fs, sync::Mutex};

/// Authorities of one archive at most.
const AUTHORITIES_MAX: usize = 16;

/// A timestamping authority as the configuration names it.
#[derive(Clone, Debug)]
pub struct Authority {
    pub code: AuthorityCode,
    /// Where it is asked; `None` where it is not any more.
    pub url: Option<String>,
    /// Its root, and what stands between.
    pub certificates: Certificates,
    /// Where its revocation lists are.
    pub revocations: Vec<String>,
}

/// Why each authority has not said more, as this process heard it.
pub type Reasons = Mutex<BTreeMap<AuthorityCode, String>>;

/// How an authority stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstamped {
    pub code: AuthorityCode,
    pub url: Option<String>,
    /// Its last timestamp.
    pub last: Option<Stamped>,
    /// Entries that it has not seen, timestamps apart.
    pub entries: u64,
    pub why: Option<String>,
}

/// A token and its chain that are durable, and the promise to drop them if no entry comes to name them.
#[derive(Debug)]
pub struct KeptToken {
    pub size: u64,
    pub authority: AuthorityCode,
    pub token: Digest,
    pub chain: Digest,
    intent: Intent,
}

/// The authorities of a configuration, with their certificates read.
pub fn configured(evidence: &config::Evidence) -> Result<Vec<Authority>, ArchiveError> {
    let mut authorities: Vec<Authority> = Vec::with_capacity(evidence.authorities.len());
    let refused = |code: &str, why: &dyn std::fmt::Display| {
        let advice = "see [evidence] in deploy/config.example.toml";
        ArchiveError::Place(format!("evidence.authorities, {code:?}: {why}; {advice}"))
    };
    for config::Authority { code: name, url, certificates: path, revocations } in &evidence.authorities {
        let code = AuthorityCode::try_from(name.clone()).map_err(|error| refused(name, &error))?;
        if authorities.iter().any(|known| known.code == code) || authorities.len() == AUTHORITIES_MAX {
            return Err(refused(name, &"the same code twice, or more than 16 authorities"));
        }
        if std::iter::once(url).filter(|url| !url.is_empty()).chain(revocations).any(|url| !is_address(url)) {
            return Err(refused(name, &"its addresses begin with https:// or http://"));
        }
        let pem = fs::read(path).map_err(|error| refused(name, &format!("{path} cannot be read ({error})")))?;
        let certificates = Certificates::parse(&pem).map_err(|error| refused(name, &format!("{path}: {error}")))?;
        if !certificates.has_root() {
            return Err(refused(name, &format!("{path}: no certificate in it signs itself; the root is needed too")));
        }
        let url = Some(url.clone()).filter(|url| !url.is_empty());
        authorities.push(Authority { code, url, certificates, revocations: revocations.clone() });
    }
    Ok(authorities)
}

fn is_address(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

impl Archive {
    /// How every authority stands.
    pub async fn unstamped(&self) -> Result<Vec<Unstamped>, ArchiveError> {
        let (mut unstamped, now) = (Vec::new(), self.ledger.size());
        for Authority { code, url, .. } in &self.authorities {
            let last = self.catalog.last_timestamp(code).await?;
            let from = last.as_ref().map_or(0, |last| last.size);
            let entries = self.catalog.entries_but_timestamps(from, now).await?;
            let why = self.reasons.lock().ok().and_then(|reasons| reasons.get(code).cloned());
            unstamped.push(Unstamped { code: code.clone(), url: url.clone(), last, entries, why });
        }
        Ok(unstamped)
    }

    /// Remembers why an authority has not said more, or that nothing is in its way; says whether that is new.
    pub fn reason(&self, code: &AuthorityCode, why: Option<String>) -> bool {
        let Ok(mut reasons) = self.reasons.lock() else { return true };
        match why {
            Some(why) => reasons.insert(code.clone(), why.clone()) != Some(why),
            None => reasons.remove(code).is_some(),
        }
    }

    /// The token that lies where the one of this size and authority belongs, and what lies beside it: another process
    /// put it there, or one that died before its entry was committed.
    pub async fn token_there(
        &self,
        size: u64,
        code: &AuthorityCode,
    ) -> Result<(Option<Bytes>, Option<Bytes>), ArchiveError> {
        let there = async |path: String| match self.store.read(&path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        };
        Ok((there(layout::token(size, code)).await?, there(layout::chain(size, code)).await?))
    }

    /// Keeps a published checkpoint under its size, at the primary and as many replicas as are required, which have only
    /// the newest ones by themselves: what stands on it needs it, whichever place decides by then.
    ///
    /// If we stop here, it lies at some of them, as it may.
    pub(in crate::archive) async fn keep_checkpoint(&self, (size, note): (u64, Bytes)) -> Result<(), ArchiveError> {
        let path = layout::checkpoint(size);
        self.store.keep(&path, note.clone()).await?;
        Ok(self.store.replicas().keep(self.store.primary(), &path, note, Awaited::Required).await?)
    }

    /// Keeps a token with the certificates that it was judged by. `None` where another process was first with either:
    /// what it put there is to be judged.
    ///
    /// If we stop here, an intent names what lies there, and the next start drops it.
    pub async fn keep_token(
        &self,
        (size, note): (u64, Bytes),
        authority: &AuthorityCode,
        token: Bytes,
        chain: Bytes,
    ) -> Result<Option<KeptToken>, ArchiveError> {
        // Where a token is, the checkpoint has to be that it is of.
        self.keep_checkpoint((size, note)).await?;
        let (at, beside) = (layout::token(size, authority), layout::chain(size, authority));
        let intent = self.intend_files(&[&at, &beside]).await?;
        for (path, ours) in [(&at, &token), (&beside, &chain)] {
            if let Created::AlreadyThere(other) = self.store.create(path, ours.clone()).await?
                && other != ours
            {
                self.fulfil(intent).await?;
                return Ok(None);
            }
        }
        self.store.keep(&beside, chain.clone()).await?;
        self.store.keep(&at, token.clone()).await?;
        let (token, chain) = (Digest::of(&token), Digest::of(&chain));
        Ok(Some(KeptToken { size, authority: authority.clone(), token, chain, intent }))
    }

    /// Commits that a checkpoint was stamped.
    ///
    /// If we stop here, the entry is there or it is not; then the next start drops the token.
    pub async fn note_token(
        &self,
        kept: KeptToken,
        checkpoint: Digest,
        (time, until): (Instant, Instant),
    ) -> Result<u64, ArchiveError> {
        let KeptToken { size, authority, token, chain, intent } = kept;
        let event = Event::Timestamped { size, checkpoint, authority, time, until, token, chain };
        let entry = self.note(event).await?.seq;
        self.fulfil(intent).await?;
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_authority_is_refused_when_the_archive_opens() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let empty = file("empty.pem", "# nothing\n");
        let judged = |code: &str, url: &str, certificates: &str| {
            let authority = config::Authority {
                code: code.into(),
                url: url.into(),
                certificates: certificates.into(),
                revocations: Vec::new(),
            };
            let evidence = config::Evidence { authorities: vec![authority], ..Default::default() };
            configured(&evidence).unwrap_err().to_string()
        };
        assert!(judged("VGCA", "http://tsa.example", &empty).contains("a to z"));
        assert!(judged("vgca", "tsa.example", &empty).contains("https://"));
        assert!(judged("vgca", "http://tsa.example", &empty).contains("certificates"));
        assert!(judged("vgca", "http://tsa.example", "/nowhere.pem").contains("/nowhere.pem"));
        assert!(configured(&config::Evidence::default()).unwrap().is_empty());
    }
}
