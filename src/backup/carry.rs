//! An archive's tree carried from one place to another, as its ledger has it: into a backup, and out of one.
//!
//! `named objects → commit → tiles → checkpoint`, commit after commit
//!
//! # Why
//! *A commit goes after all that it names.* So whatever interrupts it, what lies there is an archive, only a shorter one,
//! and the chain of its commits tells from where to go on.
//!
//! *Every object is hashed on its way against the digest that the ledger names, and read back.* What one place of the
//! source has altered is taken from another; what none has right is told and left out, for a backup that carries damage
//! on would be believed.
//!
//! *Of a record that was ordered to end nothing is carried*, and what an earlier run carried of it is taken away as soon as
//! the entry that orders it lies there; its stub and its certificate are carried as all else is. So a backup forgets with
//! its next run, and until then the certificate of the destruction names it.
//!
//! *From a mark on.* How far everything is known to be whole is put down every so often; what lies before it is not read
//! again, unless somebody asks for it.

use crate::archive::{ArchiveError, destroy};
use crate::backup::ended::ended;
use crate::ledger::{
    checkpoint::Checkpoint,
    commit::Commit,
    follow::{Follower, Following, Part, superseded_by},
    keys::KeyFile,
    log::LedgerError,
    published,
};
use crate::record::{
    backup::Lacking,
    description::Description,
    digest::Digest,
    entry::{Entry, Event},
    id::RecordId,
};
use crate::store::{
    Place, Standing, Store, StoreError, layout,
    replicas::{Pace, copy, lacks},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The mark is put down after so many entries or bytes, so that little is done twice.
const MARK_ENTRIES: u64 = 1000;
const MARK_BYTES: u64 = 1 << 30;
/// Entries of one commit whose objects are carried at once.
const AT_ONCE: usize = 8;

/// Hears how many entries are carried of how many.
pub type Tell = dyn Fn(u64, u64) + Send + Sync;

/// How far a tree is known to be whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The entries before this one are there with all that they name, but for what is lacking.
    pub entries: u64,
    pub lacking: BTreeSet<Lacking>,
    /// A self-description that an entry before the mark brought, and that is not known to be there.
    pub documents: Option<BTreeMap<String, Digest>>,
}

/// What is carried, and how.
pub struct Load<'a> {
    pub from: &'a Store,
    /// The ledger as it stood, and the newest checkpoint that was published then.
    pub entries: u64,
    pub checkpoint: Option<(Checkpoint, Bytes)>,
    /// The file of public keys that was in force, and its bytes.
    pub keys: (KeyFile, Bytes),
    /// The tree that is written; it says who it is.
    pub to: &'a Place,
    /// Where the mark lies.
    pub marks: (&'a Place, &'a str),
    /// Everything is read again, from the first entry on.
    pub all: bool,
    pub bytes_per_second_max: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    pub root: Digest,
    pub objects: u64,
    pub bytes: u64,
    pub lacking: BTreeSet<Lacking>,
}

/// What of a tree is written, by several at once.
struct Hands {
    sources: Vec<Place>,
    to: Place,
    pace: tokio::sync::Mutex<Pace>,
    /// Records of which nothing is carried.
    ended: HashSet<RecordId>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    objects: u64,
    bytes: u64,
    lacking: BTreeSet<Lacking>,
}

impl Load<'_> {
    /// Carries everything up to the size that was asked for.
    ///
    /// If we stop anywhere here, a shorter archive lies there, and the next time it goes on from the mark.
    pub async fn carry(&self, tell: &Tell) -> Result<Carried, ArchiveError> {
        let mut mark = if self.all { Mark::default() } else { self.mark().await? };
        let mut follower = self.follower(&mark).await;
        self.is_ours(&follower).await?;
        let mut hands = Hands::new(self);
        hands.ended = ended(&hands.sources, &self.keys.0, mark.entries..self.entries).await;
        for Lacking { path, sha256 } in std::mem::take(&mut mark.lacking) {
            // What has no digest is looked at again in any case; what ended is lacking nowhere.
            if let Some(digest) = sha256
                && !hands.is_over(&path)
            {
                hands.ensure(&path, digest).await?;
            }
        }
        // Folders of partial tiles that may become full.
        let open: HashSet<String> = follower.partials().iter().map(|(path, _)| folder_of(path)).collect();
        let (mut partials, mut superseded, mut marked) = (Vec::new(), Vec::new(), (mark.entries, 0));
        while follower.size() < self.entries {
            let (bytes, following) = self.next(&hands, &follower).await?;
            let (base, size) = (follower.size(), following.commit.size);
            let entries = if size > mark.entries { entries_of(&following)? } else { Vec::new() };
            self.named(&hands, &entries, &mut mark).await?;
            self.commit(&follower, &layout::commit(base), bytes).await?;
            self.forget(base, &entries).await?;
            for (path, bytes) in follower.take(following) {
                self.put(&path, bytes).await?;
                superseded.extend(superseded_by(&path).filter(|folder| open.contains(folder)));
            }
            partials.extend(self.partials_at(&follower)?);
            mark.entries = mark.entries.max(size);
            tell(size, self.entries);
            if mark.entries >= marked.0 + MARK_ENTRIES || hands.state().bytes >= marked.1 + MARK_BYTES {
                marked = (mark.entries, hands.state().bytes);
                self.put_mark(&hands, &mark).await?;
            }
        }
        self.documents(&hands, &mut mark).await?;
        self.publish(partials, superseded).await?;
        self.cosignatures(&hands).await?;
        mark.entries = self.entries;
        self.put_mark(&hands, &mark).await?;
        let root = follower.root();
        let State { objects, bytes, lacking } = std::mem::take(&mut *hands.state());
        Ok(Carried { root, objects, bytes, lacking })
    }

    /// Takes away what lies there of records that the entries of a commit order to end. Only now, that the commit lies there
    /// too, may it be missing.
    ///
    /// If we stop here, some of it is gone; the mark is before this commit, and the next time takes the rest.
    async fn forget(&self, base: u64, entries: &[Entry]) -> Result<(), ArchiveError> {
        for (seq, entry) in (base..).zip(entries) {
            destroy::empty_by(seq, entry, self.to).await?;
        }
        Ok(())
    }

    /// Where to go on; from the first entry where that cannot be told.
    async fn mark(&self) -> Result<Mark, ArchiveError> {
        let (place, path) = self.marks;
        match place.read(path).await {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(StoreError::Absent(_)) => Ok(Mark::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// If we stop here, the old mark stands, and what lies between is looked at again.
    async fn put_mark(&self, hands: &Hands, mark: &Mark) -> Result<(), ArchiveError> {
        let mark = Mark { lacking: hands.state().lacking.clone(), ..mark.clone() };
        let text = serde_json::to_string(&mark).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
        Ok(self.marks.0.keep(self.marks.1, Bytes::from(text + "\n")).await?)
    }

    /// The tree as it lies there already, as far as the mark goes.
    async fn follower(&self, mark: &Mark) -> Follower {
        let keys = self.keys.0.clone();
        match mark.entries.min(self.entries) {
            0 => Follower::new(keys),
            entries => Follower::at(&Store::at(self.to.clone()), keys, entries).await,
        }
    }

    /// Refuses to go on where another history lies: its last commit is not the source's.
    async fn is_ours(&self, follower: &Follower) -> Result<(), ArchiveError> {
        let there = Store::at(self.to.clone());
        let size = match published::tip(&there, &self.keys.0).await {
            Ok((size, _)) => size.max(follower.size()),
            // Nothing there, or damage: commit by commit, it is found or mended.
            Err(_) => follower.size(),
        };
        let Some(base) = self.to.commit_before(size).await? else { return Ok(()) };
        let path = layout::commit(base);
        let ours = match self.from.read(&path).await {
            Ok(ours) => Some(ours),
            Err(StoreError::Absent(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let theirs = self.to.read(&path).await?;
        let signed = Commit::parse(&theirs, base, &self.keys.0);
        match (ours, signed) {
            (Some(ours), _) if ours == theirs => Ok(()),
            // Damage, which is written anew.
            (Some(_), Err(_)) => Ok(()),
            _ => Err(self.another(base)),
        }
    }

    fn another(&self, base: u64) -> ArchiveError {
        ArchiveError::Place(format!(
            "{0} giữ sự kiện mà kho này không có (từ số {base}): kho đã bị lùi lại, hoặc là một lịch sử khác; giữ nguyên {0}, tìm hiểu vì sao, và sao lưu vào nơi khác / {0} holds entries which this archive lacks (from {base} on): the archive went back, or is another history; leave it as it is, find out why, and begin another one elsewhere",
            self.to.name()
        ))
    }

    /// The next commit, from whichever place has it so that it can follow.
    async fn next(&self, hands: &Hands, follower: &Follower) -> Result<(Bytes, Following), ArchiveError> {
        let path = layout::commit(follower.size());
        let mut why: Option<ArchiveError> = None;
        for source in &hands.sources {
            let read = match source.read(&path).await {
                Ok(bytes) => follower.next(&bytes).map(|next| (bytes, next)),
                Err(error) => Err(LedgerError::Store(error)),
            };
            match read {
                Ok(next) => return Ok(next),
                // What the primary says is what is told.
                Err(fault) => why = why.or(Some(fault.into())),
            }
        }
        Err(why.unwrap_or(ArchiveError::Damaged(path)))
    }

    /// Everything that the entries of a commit name.
    async fn named(&self, hands: &Hands, entries: &[Entry], mark: &mut Mark) -> Result<(), ArchiveError> {
        for entry in entries {
            if let Event::Founded { documents } | Event::Refreshed { documents } = &entry.event {
                mark.documents = Some(documents.clone());
            }
        }
        let carried = stream::iter(entries.to_vec()).map(|entry| hands.entry(self.from, entry));
        carried.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
    }

    /// A commit that can follow, where all that it names lies.
    ///
    /// If we stop here, it is there or it is not: the next time looks again.
    async fn commit(&self, follower: &Follower, path: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        match self.to.read(path).await {
            Ok(found) if found == bytes => return Ok(self.to.sync(path)?),
            // One that could follow as well was signed by somebody: nothing is written over it.
            Ok(found) if follower.next(&found).is_ok() => return Err(self.another(follower.size())),
            Ok(_) | Err(StoreError::Absent(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.to.keep(path, bytes).await?)
    }

    /// If we stop here, it is there or it is not.
    async fn put(&self, path: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        match self.to.read(path).await {
            Ok(found) if found == bytes => Ok(()),
            _ => Ok(self.to.keep(path, bytes).await?),
        }
    }

    /// What the checkpoint stands on, where the tree has just come to its size.
    fn partials_at(&self, follower: &Follower) -> Result<Vec<Part>, ArchiveError> {
        match &self.checkpoint {
            Some((checkpoint, _)) if checkpoint.size == follower.size() => match checkpoint.root == follower.root() {
                true => Ok(follower.partials()),
                false => Err(ArchiveError::Damaged(format!(
                    "the ledger: it does not go on from its checkpoint of size {}",
                    checkpoint.size
                ))),
            },
            _ => Ok(Vec::new()),
        }
    }

    /// Partial tiles, then the checkpoint, which only ever replaces a smaller one.
    ///
    /// If we stop anywhere here, the old checkpoint stands and its tiles are still there.
    async fn publish(&self, partials: Vec<Part>, superseded: Vec<String>) -> Result<(), ArchiveError> {
        let Some((checkpoint, note)) = &self.checkpoint else { return Ok(()) };
        let keys = &self.keys.0;
        let there = match self.to.read(layout::CHECKPOINT).await {
            Ok(bytes) => std::str::from_utf8(&bytes).ok().and_then(|note| keys.open_checkpoint(note).ok()),
            Err(StoreError::Absent(_)) => None,
            Err(error) => return Err(error.into()),
        };
        if there.as_ref().is_none_or(|there| there.size <= checkpoint.size) {
            for (path, bytes) in partials {
                self.put(&path, bytes).await?;
            }
            self.put(&layout::checkpoint(checkpoint.size), note.clone()).await?;
            self.put(layout::CHECKPOINT, note.clone()).await?;
        }
        for folder in superseded {
            let partials: Vec<_> = self.to.list(&folder)?.try_collect().await?;
            for partial in partials {
                self.to.discard(&partial.path).await?;
            }
        }
        Ok(())
    }

    /// The self-description in force, where it is new there. What is lacking is asked for again the next time, unless
    /// an entry has brought another one by then.
    async fn documents(&self, hands: &Hands, mark: &mut Mark) -> Result<(), ArchiveError> {
        let Some(documents) = mark.documents.take() else { return Ok(()) };
        let mut whole = true;
        for (path, digest) in &documents {
            match path.as_str() {
                // It says which place this is, and was said before anything was written.
                layout::PLACE => {}
                layout::KEYS if Digest::of(&self.keys.1) == *digest => self.put(path, self.keys.1.clone()).await?,
                _ if hands.brings(path, *digest).await? => {}
                _ => {
                    hands.lacks(path, None);
                    whole = false;
                }
            }
        }
        mark.documents = Some(documents).filter(|_| !whole);
        Ok(())
    }

    /// What witnesses have said, which cannot be made again.
    ///
    /// If we stop here, some of it is there, and the next time brings the rest.
    async fn cosignatures(&self, hands: &Hands) -> Result<(), ArchiveError> {
        let (from, keys) = (self.from.primary(), &self.keys.0);
        let there: HashMap<String, u64> = match self.all {
            true => HashMap::new(),
            false => self.to.list(layout::COSIGNATURES)?.map_ok(|one| (one.path, one.size)).try_collect().await?,
        };
        let mut ours = from.list(layout::COSIGNATURES)?;
        while let Some(listed) = ours.try_next().await? {
            // A line more makes it longer.
            if there.get(&listed.path) == Some(&listed.size) {
                continue;
            }
            let bytes = from.read(&listed.path).await?;
            let note = std::str::from_utf8(&bytes).ok().and_then(|note| keys.open_checkpoint(note).ok());
            match note {
                Some(note) if note.size > self.entries => {}
                Some(note) if layout::cosigned(note.size) == listed.path => self.put(&listed.path, bytes).await?,
                _ => hands.lacks(&listed.path, None),
            }
        }
        Ok(())
    }
}

impl Hands {
    fn new(load: &Load<'_>) -> Hands {
        let known = load.from.replicas().all().iter();
        let known = known.filter(|replica| replica.is_known() && replica.standing() != Standing::Diverged);
        let sources = std::iter::once(load.from.primary().clone()).chain(known.map(|replica| replica.place.clone()));
        Hands {
            sources: sources.collect(),
            to: load.to.clone(),
            pace: tokio::sync::Mutex::new(Pace::of(load.bytes_per_second_max.max(1))),
            ended: HashSet::new(),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lacks(&self, path: &str, sha256: Option<Digest>) {
        let shown = layout::without_digests(path);
        tracing::error!(path = shown, "no place has this object as it was kept; it is not carried");
        self.state().lacking.insert(Lacking { path: path.into(), sha256 });
    }

    /// Does a path lie in the folder of a record of which nothing is carried?
    fn is_over(&self, path: &str) -> bool {
        let record = layout::unit_of(path).and_then(|unit| unit.record());
        record.is_some_and(|record| self.ended.contains(&record))
    }

    /// Everything that an entry names.
    async fn entry(&self, from: &Store, entry: Entry) -> Result<(), ArchiveError> {
        if let Event::Timestamped { size, checkpoint, authority, token, chain, .. } = &entry.event {
            self.ensure(&layout::checkpoint(*size), *checkpoint).await?;
            self.ensure(&layout::chain(*size, authority), *chain).await?;
            self.ensure(&layout::token(*size, authority), *token).await?;
        }
        if let Some((record, digest)) = entry.event.stub() {
            self.ensure(&layout::stub(record, digest), digest).await?;
        }
        let Some((unit, digest)) = entry.event.names() else { return Ok(()) };
        if unit.record().is_some_and(|record| self.ended.contains(&record)) {
            return Ok(());
        }
        let path = layout::description(unit, digest);
        if !self.ensure(&path, digest).await? || unit.record().is_none() {
            return Ok(());
        }
        // It lies there as the ledger names it, wherever it came from.
        let bytes = match self.to.read(&path).await {
            Ok(bytes) if Digest::of(&bytes) == digest => bytes,
            _ => from.read_as(&path, digest).await?,
        };
        let Ok(description) = Description::from_bytes(&bytes) else { return Ok(()) };
        for component in &description.components {
            self.ensure(&layout::component(unit, component.sha256), component.sha256).await?;
        }
        Ok(())
    }

    /// An object with the right digest; where no place has it, that is told.
    async fn ensure(&self, path: &str, digest: Digest) -> Result<bool, ArchiveError> {
        let there = self.brings(path, digest).await?;
        if !there {
            self.lacks(path, Some(digest));
        }
        Ok(there)
    }

    /// An object with the right digest, from whichever place has it so; false where none has.
    async fn brings(&self, path: &str, digest: Digest) -> Result<bool, ArchiveError> {
        match self.to.digest(path).await {
            Ok((found, bytes)) => {
                self.pace.lock().await.wait(bytes as usize).await;
                if found == digest {
                    return Ok(true);
                }
                let path = layout::without_digests(path);
                tracing::warn!(place = self.to.name(), path, "an object is altered there and is written anew");
            }
            Err(StoreError::Absent(_)) => {}
            Err(error) => return Err(error.into()),
        }
        for (number, source) in self.sources.iter().enumerate() {
            match copy(source, &self.to, path, digest, &mut Pace::of(u64::MAX)).await {
                Ok(bytes) => {
                    {
                        let mut state = self.state();
                        (state.objects, state.bytes) = (state.objects + 1, state.bytes + bytes);
                    }
                    self.pace.lock().await.wait(bytes as usize).await;
                    return Ok(true);
                }
                Err(failure) => match lacks(source, path, digest).await {
                    Ok(true) => {}
                    // A replica that does not answer is not waited for; what it may have is told as lacking.
                    Err(_) if number > 0 => {}
                    // It has it right: whatever failed is there, or may not fail the next time.
                    Ok(false) | Err(_) => return Err(failure.into()),
                },
            }
        }
        Ok(false)
    }
}

fn entries_of(following: &Following) -> Result<Vec<Entry>, ArchiveError> {
    let read = |bytes: &Vec<u8>| Entry::from_bytes(bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()));
    following.commit.entries.iter().map(read).collect()
}

fn folder_of(path: &str) -> String {
    path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()
}
