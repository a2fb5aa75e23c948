//! Where no box can be had: rules of the kernel about files and signals (`landlock(7)`), and for
//! root a user of its own for each run.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use landlock::{
    ABI, Access as _, AccessFs, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, Scope,
    path_beneath_rules,
};

use nix::libc;

use super::{Confined, Entry, FIRST_USER, Folder, SYSTEM, filter, is_root, outermost};
use crate::run::filter::Surroundings;

/// What the rules are written in; an older kernel keeps those that it knows. With the sixth come
/// signals and abstract sockets.
const RULES: ABI = ABI::V6;

/// How a program is fenced in.
#[derive(Clone, Debug)]
pub(super) struct Fence {
    /// Whether it is run as a user that nobody else is. Else, started by root, it stays root
    /// without any of root's powers.
    pub(super) own_user: bool,
}

impl Fence {
    /// The ways that are worth a try, the strongest first.
    pub(super) fn kinds() -> Vec<Fence> {
        let own_user = Fence { own_user: true };
        // In a container root may not be allowed to look at processes of another user.
        let mut kinds = vec![Fence { own_user: false }];
        if is_root() {
            kinds.insert(0, own_user);
        }
        kinds
    }

    pub(super) fn confine(&self, command: &[OsString], files: &[PathBuf]) -> Result<Confined> {
        let owner = self.own_user.then_some(FIRST_USER);
        let folder = Folder::new(owner)?;
        let user = folder.user();
        let surroundings =
            if self.own_user { Surroundings::OwnUser } else { Surroundings::SharedUser };
        Ok(Confined {
            command: command.to_vec(),
            executions: 0,
            folder: folder.path().into(),
            home: folder.path().into(),
            entry: Entry {
                streams_to: user,
                user,
                powerless: true,
                ruleset: rules(folder.path(), files)?,
                filters: filter::forbidden(surroundings)?,
                inherited: Vec::new(),
            },
            kept: Some(folder),
        })
    }
}

/// What may be opened, and who may be signalled: only who is inside.
fn rules(own: &Path, files: &[PathBuf]) -> Result<Option<OwnedFd>> {
    let read = AccessFs::from_read(RULES);
    let device = AccessFs::ReadFile | AccessFs::WriteFile;
    let devices = ["null", "zero", "full", "random", "urandom", "tty"].map(|d| format!("/dev/{d}"));
    // Where `sem_open(3)` keeps semaphores, without which Python's queues between processes fail.
    let shared =
        device | AccessFs::ReadDir | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Truncate;
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()
        .context("landlock_create_ruleset")?
        .add_rules(path_beneath_rules(SYSTEM.iter().chain(&["/proc"]), read))?
        .add_rules(path_beneath_rules(outermost(files), read))?
        .add_rules(path_beneath_rules(devices, device))?
        .add_rules(path_beneath_rules(["/dev/shm"], shared))?
        .add_rules(path_beneath_rules([own], AccessFs::from_all(RULES)))?;
    Ok(ruleset.into())
}

/// Whether the kernel keeps programs from the abstract sockets of others (`unix(7)`): since the sixth
/// version of its rules.
pub(super) fn divides_sockets() -> bool {
    const ASK_VERSION: libc::c_uint = 1;
    let nothing = std::ptr::null::<libc::c_void>();
    // SAFETY: asked for the version, it reads no memory.
    #[allow(unsafe_code)]
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, ASK_VERSION) };
    version >= 6
}
