//! The parent's side of the reading child: start it, hear it out, and end it, whatever it does.

use crate::config;
use crate::content::child::WORD;
use crate::content::wire::{Receiver, Violation};
use crate::record::component::Unread;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// How much of what the child writes to its standard error is looked at. It is never logged: it may
/// quote the document.
const COMPLAINT_BYTES: u64 = 4096;

/// A child under way. Dropping it ends the child and whatever it may have started.
pub(crate) struct Running {
    child: Child,
}

/// Why the child is not heard any further.
pub(crate) enum Broken {
    Violation(Violation),
    Io(io::Error),
}

/// How a child ended that was heard out.
pub(crate) struct Ended {
    status: ExitStatus,
    complaint: Vec<u8>,
}

impl Running {
    pub fn start(program: &Path, input: File, limits: &config::Content) -> io::Result<Running> {
        let child = Command::new(program)
            .arg(WORD)
            .arg(serde_json::to_string(limits)?)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(input))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Running { child })
    }

    /// Takes everything the child says, and its end.
    pub async fn follow(&mut self, receiver: &mut Receiver) -> Result<Ended, Broken> {
        let (Some(out), Some(errors)) = (self.child.stdout.take(), self.child.stderr.take()) else {
            return Err(Broken::Io(io::ErrorKind::BrokenPipe.into()));
        };
        let complaints = async {
            let mut complaint = Vec::new();
            errors.take(COMPLAINT_BYTES).read_to_end(&mut complaint).await.map_err(Broken::Io)?;
            Ok(complaint)
        };
        let ((), complaint) = tokio::try_join!(hear(out, receiver), complaints)?;
        Ok(Ended { status: self.child.wait().await.map_err(Broken::Io)?, complaint })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // There is a number only while the child has not been waited for, so it cannot be another's by now.
        let group = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = group {
            // It may have ended just now; there is nothing left to do then.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn hear(mut out: impl AsyncRead + Unpin, receiver: &mut Receiver) -> Result<(), Broken> {
    let mut piece = vec![0; 64 << 10];
    loop {
        match out.read(&mut piece).await.map_err(Broken::Io)? {
            0 => return Ok(()),
            length => receiver.push(&piece[..length]).map_err(Broken::Violation)?,
        }
    }
}

impl Ended {
    pub fn in_order(&self) -> bool {
        self.status.success()
    }

    /// The verdict over a child that gave no answer.
    pub fn why(&self) -> Unread {
        let out_of_memory = self.complaint.windows(17).any(|words| words == b"memory allocation");
        match self.status.signal() {
            Some(signal) if signal == Signal::XCPU.as_raw() => Unread::TookTooLong,
            _ if out_of_memory => Unread::TookTooMuchMemory,
            _ => Unread::ReaderDied,
        }
    }
}
