//! Another agency's program: it follows archives, sees that they only grew, and cosigns (C2SP tlog-witness).
//!
//! In reading order: [`judge`] (may this be cosigned?), [`folder`] (what must not be forgotten), [`serve`] (the two
//! addresses). [`Witness::add`] is the whole story.
//!
//! # Why
//! *It sees nothing of an archive but its public keys and its checkpoints*: a size, a root and a proof. It needs no
//! access to the archive, and nothing that is kept there passes through it.
//!
//! *Kept before it is said.* What was cosigned is on the disk before the answer goes out, so that a witness that was
//! killed at any moment never cosigns a smaller tree, nor another root of the same size.
//!
//! *A disk that fails ends the following of that archive*, until the program is started again: nobody knows then what
//! is on the disk.
//!
//! *What contradicts is kept as well*: a checkpoint that the archive's key signed and that does not go on from what was
//! cosigned may be the proof of a fork.
//!
//! *Its own few lines of HTTP over `hyper`*, and not the archive's door: an agency that reads this program reads two
//! addresses and nothing of accounts, pages and packages.

pub mod judge;

pub mod folder;

pub mod serve;

use crate::ledger::{checkpoint::Checkpoint, cosignature::Cosigner, keys::KeyFile, note::Note, offer::Offer};
use folder::Folder;
use judge::{Refusal, State};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Mutex;

/// What the time is, in seconds since 1970; handed in by whoever may ask the clock.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Why a witness cannot begin, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    #[error(
        "{path}: {source} / kiểm tra đường dẫn, quyền và ổ đĩa rồi chạy lại / check path, permission and disk, then run again"
    )]
    Disk { path: PathBuf, source: io::Error },
    #[error("{0}: đã có bên chứng kiến tại đây / there is a witness here already")]
    Exists(PathBuf),
    #[error(
        "{0}: không có bên chứng kiến nào tại đây; lập bằng `vankho witness init` / there is no witness here; make one with `vankho witness init`"
    )]
    Nobody(PathBuf),
    #[error("{0}: một tiến trình khác đang dùng thư mục này / another process uses this folder")]
    InUse(PathBuf),
    #[error("{0:?}: không thể là tên khóa / cannot name a key; for example witness.example.vn")]
    Name(String),
    #[error("{path}: {why} / tệp này không dùng được / this file cannot be used")]
    Unusable { path: PathBuf, why: String },
    #[error("{0} / địa chỉ không dùng được / the address cannot be used; for example 127.0.0.1:9090")]
    Listen(String),
}

/// One archive that is followed.
#[derive(Debug)]
struct Followed {
    keys: KeyFile,
    /// What was cosigned last; `None` after the disk failed. Held while an offer is judged and kept: two offers at
    /// once would each go on from the same tree.
    state: Mutex<Option<State>>,
}

/// A witness at work.
#[derive(Debug)]
pub struct Witness {
    cosigner: Cosigner,
    folder: Folder,
    followed: BTreeMap<String, Followed>,
}

impl Witness {
    /// Opens a witness's folder for following the archives of these key files.
    pub fn open(data: &Path, archives: &[PathBuf]) -> Result<Witness, WitnessError> {
        let (folder, cosigner) = Folder::open(data)?;
        let mut followed = BTreeMap::new();
        for path in archives {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|source| WitnessError::Disk { path: path.clone(), source })?;
            let unusable = |why: String| WitnessError::Unusable { path: path.clone(), why };
            let keys: KeyFile = text.parse().map_err(|fault| unusable(format!("{fault}")))?;
            let origin = keys.origin().to_owned();
            let state = Mutex::new(Some(folder.state(&origin, cosigner.public())?));
            if followed.insert(origin.clone(), Followed { keys, state }).is_some() {
                return Err(unusable(format!("{origin} twice")));
            }
        }
        Ok(Witness { cosigner, folder, followed })
    }

    /// The public key, as a vkey.
    pub fn key(&self) -> String {
        self.cosigner.public().to_string()
    }

    /// Judges an offer, keeps what follows from it, and gives the cosignature line.
    ///
    /// If we stop here, what was cosigned is kept and nobody was told: the archive offers again, is told the size, and
    /// gets another cosignature over the same tree.
    pub async fn add(&self, body: &str, now: u64) -> Result<String, Refusal> {
        let offer = Offer::parse(body).map_err(Refusal::Malformed)?;
        let stated =
            Checkpoint::unverified(&offer.checkpoint_note).map_err(|_| Refusal::Malformed("the checkpoint"))?;
        let followed = self.followed.get(&stated.origin).ok_or(Refusal::UnknownLog)?;
        let checkpoint = judge::signed(&followed.keys, &offer, &stated)?;
        let mut state = followed.state.lock().await;
        let before = state.as_ref().ok_or(Refusal::Failed)?;
        if let Err(refusal) = judge::grows(before, &offer, &checkpoint) {
            self.contradicted(&refusal, &checkpoint, body).await;
            return Err(refusal);
        }
        let next = judge::next(before, &followed.keys, &self.cosigner, &offer, &checkpoint, now)?;
        let line = next.line.clone();
        match self.folder.keep(&checkpoint.origin, &next.state.note).await {
            Ok(()) => *state = Some(next.state),
            Err(error) => {
                tracing::error!(origin = checkpoint.origin, %error, "nothing more is cosigned for this archive until a restart");
                *state = None;
                return Err(Refusal::Failed);
            }
        }
        tracing::info!(origin = checkpoint.origin, size = checkpoint.size, "cosigned");
        Ok(line)
    }

    async fn contradicted(&self, refusal: &Refusal, checkpoint: &Checkpoint, body: &str) {
        if !matches!(refusal, Refusal::DoesNotFollow(_)) {
            return;
        }
        let (origin, size) = (&checkpoint.origin, checkpoint.size);
        tracing::error!(origin, size, "a signed checkpoint does not go on from what was cosigned: perhaps a fork");
        if let Err(error) = self.folder.keep_refused(body).await {
            tracing::error!(%error, "it could not be kept");
        }
    }

    /// The checkpoint that was cosigned last, by the SHA-256 of its origin.
    pub async fn newest(&self, origin_hash: &str) -> Option<String> {
        let found = self.followed.iter().find(|(origin, _)| folder::name_of(origin) == origin_hash);
        let state = found?.1.state.lock().await;
        state.as_ref().filter(|state| !state.note.is_empty()).map(|state| state.note.clone())
    }
}

/// The lines of a checkpoint's own archive in a note: those by keys in use at its size.
fn own_lines(note: &Note, keys: &KeyFile, size: u64) -> String {
    let known = |name: &str, id: [u8; 4]| keys.keys_for(size).any(|key| key.name() == name && key.id() == id);
    note.lines().iter().filter(|line| known(line.name, line.id)).map(ToString::to_string).collect()
}
