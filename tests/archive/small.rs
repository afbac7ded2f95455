//! A small disk, which is soon full.

use std::{path::Path, process::Command};

/// A file system of its own, unmounted when dropped.
pub struct Small<'a>(pub &'a Path);

impl Small<'_> {
    pub fn mount(&self, options: &str) {
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(self.0).output().unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success(),
            "a full disk is tried on a tmpfs, which needs the right to mount (root): {told}"
        );
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0).status().unwrap();
    }
}
