//! Keys: the secret one that signs, and the file of public ones that everybody may have.

use crate::ledger::{
    checkpoint::Checkpoint,
    note::{self, NOTE_BYTES_MAX, Note, NoteFault, VerifyingKey},
    primacy::Primacy,
};
use crate::record::digest::{Digest, hex};
use ed25519_dalek::SigningKey;
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// The kind of the report of an audit.
const AUDIT: &str = "audit";

/// What a secret text begins with: the form that note tools share.
const SECRET: &str = "PRIVATE+KEY+";

/// The name that signs commits of the log `origin`.
pub fn commit_name(origin: &str) -> String {
    format!("{origin}/commit")
}

/// The name that signs reports of one kind about the archive `origin`.
fn report_name(origin: &str, kind: &str) -> String {
    format!("{origin}/{kind}")
}

/// The archive's secret key. It signs checkpoints as `<origin>`, commit notes as `<origin>/commit` and reports under names
/// of their kind: the name is part of the key id and of the text, so that none can be taken for another.
pub struct Signer {
    secret: SigningKey,
    log: VerifyingKey,
    commit: VerifyingKey,
    /// The key before this one, while it is changed: it signs too.
    before: Option<Box<Signer>>,
}

/// Prints nothing secret.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("log", &self.log.to_string()).finish_non_exhaustive()
    }
}

impl Signer {
    /// From 32 random bytes, which the caller drew. `None` where `origin` cannot name a key.
    pub fn from_seed(origin: &str, seed: &Zeroizing<[u8; 32]>) -> Option<Signer> {
        let secret = SigningKey::from_bytes(seed);
        let log = VerifyingKey::new(origin, secret.verifying_key())?;
        let commit = log.renamed(&commit_name(origin))?;
        Some(Signer { secret, log, commit, before: None })
    }

    /// Signs together with the key before it, whose line comes first.
    pub fn together_with(mut self, before: Option<Signer>) -> Signer {
        self.before = before.map(Box::new);
        self
    }

    /// The log's name, which is the first line of its checkpoints.
    pub fn origin(&self) -> &str {
        self.log.name()
    }

    /// The public key, under the origin's name.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.log
    }

    /// The checkpoint of a tree as a signed note. Signing twice gives the same text.
    pub fn sign_checkpoint(&self, size: u64, root: Digest) -> String {
        self.sign(|signer| &signer.log, size, root, "")
    }

    /// The note at the end of a commit: no checkpoint, for its name is another one, and it says who was the
    /// primary.
    pub fn sign_commit(&self, size: u64, root: Digest, primacy: Primacy) -> String {
        self.sign(|signer| &signer.commit, size, root, &format!("{primacy}\n"))
    }

    /// The note under the report of an audit, a report itself: how many entries there were when it was signed, and the
    /// digest in the place of a root.
    pub fn sign_audit(&self, size: u64, report: Digest) -> Option<String> {
        let body = Checkpoint { origin: report_name(self.origin(), AUDIT), size, root: report }.body();
        self.sign_report(AUDIT, &body)
    }

    /// A report as a signed note, under the name `<origin>/<kind>`: it can be taken neither for a checkpoint nor for a
    /// report of another kind. `None` where the text is not of lines that end.
    pub fn sign_report(&self, kind: &str, text: &str) -> Option<String> {
        let plain = text.ends_with('\n') && !text.contains(|c: char| c < ' ' && c != '\n') && !text.contains("\n\n");
        let line = |signer: &Signer| {
            let name = signer.log.renamed(&report_name(self.origin(), kind))?;
            Some(note::sign(text, &name, &signer.secret))
        };
        if !plain {
            return None;
        }
        let before = self.before.as_deref().map_or(Some(String::new()), line)?;
        Some(format!("{text}\n{before}{}", line(self)?))
    }

    fn sign(&self, key: fn(&Signer) -> &VerifyingKey, size: u64, root: Digest, more: &str) -> String {
        let body = Checkpoint { origin: key(self).name().to_owned(), size, root }.body() + more;
        let line = |signer: &Signer| note::sign(&body, key(signer), &signer.secret);
        let before = self.before.as_deref().map(line).unwrap_or_default();
        format!("{body}\n{before}{}", line(self))
    }

    /// The secret key as one line with its line feed: `PRIVATE+KEY+<origin>+<id>+<base64 of 0x01 and the
    /// seed>`. The id shows a slip of the pen when the line is copied by hand.
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new([&[0x01], self.secret.as_bytes().as_slice()].concat());
        let seed = Zeroizing::new(note::encode_base64(&seed));
        Zeroizing::new(format!("{SECRET}{}+{}+{}\n", self.origin(), hex(&self.log.id()), *seed))
    }

    /// Reads what [`Signer::to_secret_text`] wrote; the line feed may be missing.
    pub fn from_secret_text(text: &str) -> Result<Signer, NoteFault> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let read = || {
            let (origin, rest) = line.strip_prefix(SECRET)?.split_once('+')?;
            let (_, key) = rest.split_once('+')?;
            let bytes = Zeroizing::new(note::decode_base64(key)?);
            let (0x01, seed) = bytes.split_first().map(|(kind, seed)| (*kind, seed))? else { return None };
            let mut fixed = Zeroizing::new([0; 32]);
            fixed.copy_from_slice(seed.get(..32).filter(|_| seed.len() == 32)?);
            Signer::from_seed(origin, &fixed)
        };
        let signer = read().filter(|signer| signer.to_secret_text().trim_end() == line);
        signer.ok_or(NoteFault::Malformed("a secret key is one line, PRIVATE+KEY+name+id+base64"))
    }
}

/// One public key and the sizes of the checkpoints that it may sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyLine {
    pub key: VerifyingKey,
    /// The smallest size.
    pub from: u64,
    /// The largest size; `None` while the key is in use.
    pub to: Option<u64>,
}

/// `keys/archive.keys`: every public key that the archive ever had, oldest first, under one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyFile {
    lines: Vec<KeyLine>,
}

impl KeyFile {
    /// The file of an archive that begins: one key, from size 0.
    pub fn founding(key: VerifyingKey) -> KeyFile {
        KeyFile { lines: vec![KeyLine { key, from: 0, to: None }] }
    }

    /// As it was before a key was to follow: without that key, and the last one in use.
    pub fn before(&self, next: &VerifyingKey) -> KeyFile {
        let mut lines = self.lines.clone();
        if lines.len() > 1 && lines.last().is_some_and(|line| line.key == *next) {
            lines.pop();
            lines.iter_mut().next_back().into_iter().for_each(|line| line.to = None);
        }
        KeyFile { lines }
    }

    /// Another key signs from a size on, the last one up to it.
    pub fn followed_by(&self, next: VerifyingKey, size: u64) -> KeyFile {
        let mut lines = self.lines.clone();
        lines.iter_mut().next_back().into_iter().for_each(|line| line.to = Some(size));
        lines.push(KeyLine { key: next, from: size, to: None });
        KeyFile { lines }
    }

    /// Another key signs too, at every size.
    pub fn either(&self, next: VerifyingKey) -> KeyFile {
        let mut lines = self.lines.clone();
        lines.push(KeyLine { key: next, from: 0, to: None });
        KeyFile { lines }
    }

    /// The key with a fingerprint, and where it begins.
    pub fn find(&self, fingerprint: Digest) -> Option<&KeyLine> {
        self.lines.iter().find(|line| line.key.fingerprint() == fingerprint)
    }

    /// The keys, in the order of the file; at least one.
    pub fn lines(&self) -> &[KeyLine] {
        &self.lines
    }

    /// The name of all keys.
    pub fn origin(&self) -> &str {
        self.lines.first().map_or("", |line| line.key.name())
    }

    /// The keys that may sign at this size: one, or two where one follows the other.
    pub fn keys_for(&self, size: u64) -> impl Iterator<Item = &VerifyingKey> {
        let in_use = move |line: &&KeyLine| line.from <= size && line.to.is_none_or(|to| size <= to);
        self.lines.iter().filter(in_use).map(|line| &line.key)
    }

    /// The latest of [`KeyFile::keys_for`].
    pub fn key_for(&self, size: u64) -> Option<&VerifyingKey> {
        self.keys_for(size).last()
    }

    /// Opens a checkpoint with the keys in use at the size that it states.
    pub fn open_checkpoint(&self, note: &str) -> Result<Checkpoint, NoteFault> {
        let stated = Checkpoint::unverified(note)?;
        Checkpoint::open(note, self.keys_for(stated.size))
    }

    /// The text of a report that a key signed which was in use when the ledger had so many entries.
    pub fn open_report<'n>(&self, kind: &str, note: &'n str, size: u64) -> Result<&'n str, NoteFault> {
        let (note, name) = (Note::parse(note)?, report_name(self.origin(), kind));
        let keys: Vec<_> = self.keys_for(size).filter_map(|key| key.renamed(&name)).collect();
        note.check(&keys)?;
        Ok(note.text())
    }

    /// Opens the note of a commit in the same way, under the name for commits.
    pub fn open_commit(&self, note: &str) -> Result<(Checkpoint, Primacy), NoteFault> {
        let note = Note::parse(note)?;
        let (body, primacy) = Primacy::split(note.text())?;
        let (stated, name) = (Checkpoint::parse_body(body)?, commit_name(self.origin()));
        let keys: Vec<_> = self.keys_for(stated.size).filter_map(|key| key.renamed(&name)).collect();
        note.check(keys.iter().filter(|key| key.name() == stated.origin))?;
        Ok((stated, primacy))
    }

    /// The report under the report of an audit: the size of the ledger then, and the digest.
    pub fn open_audit(&self, note: &str) -> Result<(u64, Digest), NoteFault> {
        let stated = Checkpoint::parse_body(Note::parse(note)?.text())?;
        self.open_report(AUDIT, note, stated.size)?;
        match stated.origin == report_name(self.origin(), AUDIT) {
            true => Ok((stated.size, stated.root)),
            false => Err(NoteFault::UnknownKey),
        }
    }
}

impl fmt::Display for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for KeyLine { key, from, to } in &self.lines {
            let to = to.map_or("-".to_owned(), |to| to.to_string());
            writeln!(f, "{key} {from} {to}")?;
        }
        Ok(())
    }
}

impl FromStr for KeyFile {
    type Err = NoteFault;
    /// Empty lines and lines that begin with `#` are passed over.
    fn from_str(text: &str) -> Result<KeyFile, NoteFault> {
        if text.len() > NOTE_BYTES_MAX || text.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteFault::Malformed("a control character in the key file, or more than 256 KiB"));
        }
        let meant = text.split('\n').filter(|line| !line.is_empty() && !line.starts_with('#'));
        let lines: Vec<KeyLine> = meant.map(key_line).collect::<Result<_, _>>()?;
        let Some(first) = lines.first() else { return Err(NoteFault::Malformed("no key in the key file")) };
        if lines.iter().any(|line| line.key.name() != first.key.name()) {
            return Err(NoteFault::Malformed("keys of more than one archive in the key file"));
        }
        Ok(KeyFile { lines })
    }
}

fn key_line(line: &str) -> Result<KeyLine, NoteFault> {
    let malformed = NoteFault::Malformed("a key line is vkey, from-size and to-size or -");
    let fields: Vec<&str> = line.split(' ').collect();
    let [key, from, to] = fields[..] else { return Err(malformed) };
    let key = key.parse()?;
    let from = note::decode_number(from).ok_or(malformed.clone())?;
    let to = match to {
        "-" => None,
        to => Some(note::decode_number(to).filter(|to| from <= *to).ok_or(malformed)?),
    };
    Ok(KeyLine { key, from, to })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::digest::unhex;

    fn signer(seed: u8) -> Signer {
        Signer::from_seed("example.vn/kho", &Zeroizing::new([seed; 32])).unwrap()
    }

    /// RFC 8032, section 7.1, TEST 1.
    #[test]
    fn the_public_key_of_rfc_8032() {
        let seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let signer = Signer::from_seed("k", &Zeroizing::new(seed.try_into().unwrap())).unwrap();
        let public = unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
        let vkey = signer.verifying_key().to_string();
        assert_eq!(note::decode_base64(vkey.splitn(3, '+').nth(2).unwrap()).unwrap()[1..], public);
    }

    #[test]
    fn a_secret_is_one_line_and_prints_nothing() {
        let text = signer(7).to_secret_text();
        assert_eq!(text.lines().count(), 1);
        let again = Signer::from_secret_text(&text).unwrap();
        assert_eq!(again.verifying_key(), signer(7).verifying_key());
        assert!(Signer::from_secret_text(text.trim_end()).is_ok());
        let secret = text.trim_end().splitn(5, '+').nth(4).unwrap().to_owned();
        assert!(!format!("{again:?}").contains(&secret[4..20]));
        for wrong in [
            "",
            "\n",
            "PRIVATE+KEY+",
            &text.replacen("+KEY", "+CLE", 1),
            &text.replacen("B", "C", 1),
            &format!("{}\n", *text),
        ] {
            assert!(Signer::from_secret_text(wrong).is_err());
        }
        assert!(Signer::from_seed("two words", &Zeroizing::new([0; 32])).is_none());
    }

    #[test]
    fn checkpoints_and_commits_are_never_taken_for_each_other() {
        let (signer, root) = (signer(1), Digest::of(b"root"));
        let keys = KeyFile::founding(signer.verifying_key().clone());
        let (checkpoint, commit) = (signer.sign_checkpoint(5, root), signer.sign_commit(5, root, Primacy::FIRST));
        assert_eq!(keys.open_checkpoint(&checkpoint).map(|c| (c.size, c.root)), Ok((5, root)));
        assert_eq!(
            keys.open_commit(&commit).map(|(c, of)| (c.origin, of)),
            Ok(("example.vn/kho/commit".to_owned(), Primacy::FIRST))
        );
        assert!(keys.open_checkpoint(&commit).is_err());
        assert!(keys.open_commit(&checkpoint).is_err(), "it does not say who was the primary");
        let report = signer.sign_audit(5, root).unwrap();
        assert_eq!(keys.open_audit(&report), Ok((5, root)));
        assert!(keys.open_checkpoint(&report).is_err() && keys.open_commit(&report).is_err());
        assert!(keys.open_audit(&checkpoint).is_err() && keys.open_audit(&commit).is_err());
        assert_eq!(checkpoint, signer.sign_checkpoint(5, root));
    }

    #[test]
    fn a_report_is_nothing_but_a_report_of_its_kind() {
        let (signer, other) = (signer(1), signer(2));
        let keys = KeyFile::founding(signer.verifying_key().clone());
        let report = signer.sign_report("drill", "{\"a\":1}\n").unwrap();
        assert_eq!(keys.open_report("drill", &report, 5), Ok("{\"a\":1}\n"));
        assert_eq!(keys.open_report("audit", &report, 5), Err(NoteFault::UnknownKey));
        assert!(keys.open_checkpoint(&report).is_err() && keys.open_commit(&report).is_err());
        assert_eq!(keys.open_report("drill", &report.replace(":1", ":2"), 5), Err(NoteFault::BadSignature));
        let foreign = other.sign_report("drill", "{\"a\":1}\n").unwrap();
        assert_eq!(keys.open_report("drill", &foreign, 5), Err(NoteFault::UnknownKey));
        for wrong in ["{}", "a\n\nb\n", "a\tb\n"] {
            assert_eq!(signer.sign_report("drill", wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn one_key_follows_another() {
        let (old, new) = (signer(1), signer(2));
        let text = format!("# khóa\n\n{} 0 10\n{} 10 -\n", old.verifying_key(), new.verifying_key());
        let keys: KeyFile = text.parse().unwrap();
        assert_eq!(keys.to_string().parse::<KeyFile>().as_ref(), Ok(&keys));
        assert_eq!((keys.keys_for(9).count(), keys.keys_for(10).count(), keys.keys_for(11).count()), (1, 2, 1));
        assert_eq!((keys.key_for(9), keys.key_for(10)), (Some(old.verifying_key()), Some(new.verifying_key())));
        let root = Digest::of(b"");
        assert!(keys.open_checkpoint(&old.sign_checkpoint(10, root)).is_ok());
        assert_eq!(keys.open_checkpoint(&old.sign_checkpoint(11, root)), Err(NoteFault::UnknownKey));
        assert_eq!(keys.open_commit(&new.sign_commit(9, root, Primacy::FIRST)), Err(NoteFault::UnknownKey));
    }

    #[test]
    fn sloppy_key_files_are_refused() {
        let vkey = signer(1).verifying_key().to_string();
        let other = Signer::from_seed("other", &Zeroizing::new([1; 32])).unwrap().verifying_key().to_string();
        for wrong in [
            String::new(),
            "# none\n".into(),
            vkey.clone(),
            format!("{vkey} 0"),
            format!("{vkey} 0 - "),
            format!("{vkey}  0 -"),
            format!("{vkey} 00 -"),
            format!("{vkey} 5 4"),
            format!("{vkey} - 4"),
            format!("{vkey} 0 -\r\n"),
            format!("#\t\n{vkey} 0 -"),
            format!(" {vkey} 0 -"),
            format!("{vkey} 0 -\n{other} 0 -"),
            format!("{vkey} 0 -\n{}", "#\n".repeat(NOTE_BYTES_MAX / 2)),
        ] {
            assert!(wrong.parse::<KeyFile>().is_err(), "{wrong:?}");
        }
    }
}
