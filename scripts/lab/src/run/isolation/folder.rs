//! A folder of its own for each run, and with it, for root, a user that no other run has.
//!
//! The number of both is taken by a lock on the folder, so two graders at once never take the
//! same one, and what a killed grader has left is found and emptied by the next.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use nix::libc;
use nix::unistd::geteuid;

/// So many runs can go on at once on a machine.
const MOST: u32 = 500;

/// A folder that is removed, with all that is in it, when it is dropped.
pub(in crate::run) struct Folder {
    outer: PathBuf,
    inner: PathBuf,
    user: Option<u32>,
    _lock: Flock<File>,
}

impl Folder {
    /// The first that is free; with `first_user`, for the user of the same place in the row.
    pub(super) fn new(first_user: Option<u32>) -> Result<Folder> {
        let own = geteuid().as_raw();
        for number in 0..MOST {
            let outer = std::env::temp_dir().join(format!("lab-{own}-{number}"));
            let Some(lock) = take(&outer, own)? else { continue };
            let inner = outer.join("run");
            clear(&inner)?;
            fs::create_dir(&inner).with_context(|| inner.display().to_string())?;
            fs::set_permissions(&inner, fs::Permissions::from_mode(0o700))?;
            let user = first_user.map(|first| first + number);
            if user.is_some() {
                chown(&inner, user, user).with_context(|| format!("chown {}", inner.display()))?;
            }
            return Ok(Folder { outer, inner, user, _lock: lock });
        }
        bail!("{MOST} programs are running at once already");
    }

    pub(super) fn path(&self) -> &Path {
        &self.inner
    }

    pub(super) fn user(&self) -> Option<u32> {
        self.user
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = clear(&self.inner);
        let _ = fs::remove_dir(&self.outer);
        // What it shared with its own children by name, and has not removed.
        let shared = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
        for file in shared.filter(|_| self.user.is_some()) {
            if file.metadata().is_ok_and(|at| Some(at.uid()) == self.user) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

/// Makes the folder, or finds it, and locks it; `None` when it is somebody else's.
fn take(outer: &Path, own: u32) -> Result<Option<Flock<File>>> {
    match fs::create_dir(outer) {
        Ok(()) => fs::set_permissions(outer, fs::Permissions::from_mode(0o755))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| outer.display().to_string()),
    }
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let Ok(opened) = File::options().read(true).custom_flags(flags).open(outer) else {
        return Ok(None);
    };
    let Ok(lock) = Flock::lock(opened, FlockArg::LockExclusiveNonblock) else {
        return Ok(None);
    };
    let locked = lock.metadata()?;
    // Its former owner may have removed it between our opening and our locking.
    let same = fs::symlink_metadata(outer).is_ok_and(|now| now.ino() == locked.ino());
    Ok((same && locked.uid() == own).then_some(lock))
}

/// Removes a folder in which somebody else may have taken all rights away.
fn clear(folder: &Path) -> std::io::Result<()> {
    for _ in 0..64 {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                if !open_up(folder, 64) {
                    return Err(error);
                }
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => return Ok(()),
        }
    }
    fs::remove_dir_all(folder)
}

/// Gives the first folder that can't be read or written back to us; whether there was one.
fn open_up(folder: &Path, depth: usize) -> bool {
    let Ok(at) = fs::symlink_metadata(folder) else { return false };
    if !at.is_dir() || depth == 0 {
        return false;
    }
    if at.mode() & 0o700 != 0o700 {
        return fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).is_ok();
    }
    let inside = fs::read_dir(folder).into_iter().flatten().flatten();
    inside.into_iter().any(|entry| open_up(&entry.path(), depth - 1))
}
