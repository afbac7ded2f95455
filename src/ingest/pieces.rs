//! A file that was found in what is handed over, read in pieces: by the archive, and by whoever sends it to one.

use crate::store::PIECE_BYTES;
use bytes::Bytes;
use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags, openat2},
    io::Errno,
};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// A file in pieces, read where blocking is allowed.
pub struct Pieces {
    file: Option<fs::File>,
    first: Option<Bytes>,
    /// The first piece is the whole file.
    whole: bool,
}

impl Pieces {
    /// Does the first piece hold the whole file?
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Opens a regular file; up to `held_max` bytes come as one piece.
    pub async fn open(path: PathBuf, held_max: u64) -> std::io::Result<Pieces> {
        blocking(move || {
            let mut file = open_found(&path)?;
            let about = file.metadata()?;
            if !about.is_file() {
                return Err(std::io::Error::other("not a regular file"));
            }
            if about.len() > held_max {
                return Ok(Pieces { file: Some(file), first: None, whole: false });
            }
            let mut bytes = Vec::with_capacity(about.len() as usize);
            // One byte more than may be held tells a file that grows while it is read.
            (&mut file).take(held_max + 1).read_to_end(&mut bytes)?;
            let whole = bytes.len() as u64 <= held_max;
            Ok(Pieces { file: (!whole).then_some(file), first: Some(bytes.into()), whole })
        })
        .await
    }

    /// The next piece; empty files have none.
    pub async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Ok((!first.is_empty()).then_some(first));
        }
        let Some(mut file) = self.file.take() else { return Ok(None) };
        let (file, piece) = blocking(move || {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            (&mut file).take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
            Ok((file, piece))
        })
        .await?;
        self.file = Some(file);
        Ok((!piece.is_empty()).then(|| piece.into()))
    }
}

/// Opens a file that was found inside the folder that was handed over. Between finding and opening somebody may
/// have put a link or a pipe in its place, or in the place of a folder above it: neither is followed.
fn open_found(path: &Path) -> std::io::Result<fs::File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // A kernel before 5.6, or a sandbox that does not know the call.
        Err(Errno::NOSYS | Errno::PERM) => rustix::fs::open(path, flags | OFlags::NOFOLLOW, Mode::empty()),
        opened => opened,
    };
    Ok(opened?.into())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
