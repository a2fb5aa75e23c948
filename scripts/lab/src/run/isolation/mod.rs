//! What a program under examination is kept away from.
//!
//! Three tiers: a box of [bubblewrap]'s with files, processes and a network of its own; a [fence]
//! of the kernel's around its files and signals (`landlock(7)`), and as root a user of its own; or
//! nothing but limits. Which of them works here is not asked but tried: a [canary] is run inside
//! and attempts what it must not be able to do.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, fchown, getuid, setgid, setgroups, setuid};
use seccompiler::BpfProgram;
use serde::{Deserialize, Serialize};

mod bubblewrap;
mod canary;
mod fence;
mod folder;
mod network;
mod secrets;

use super::{Limits, filter};
use bubblewrap::Bubblewrap;
use fence::Fence;
pub(super) use folder::Folder;
pub use secrets::hide_value_of;

/// Users that belong to nobody: systemd, which hands out most numbers, leaves these unused
/// (<https://systemd.io/UIDS-GIDS/>).
const FIRST_USER: u32 = 60_600;

/// What every program needs of the system.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/gnu/store",
    "/etc/alternatives",
    "/etc/group",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
];

/// How much a program is kept away from.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Default,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Nothing: it is limited in what it may use, and ended with all that it started.
    #[default]
    Limits,
    /// Files, and as far as the kernel can, other processes.
    Partial,
    /// Files, processes and the network.
    Full,
}

/// What is in force, as it is printed and recorded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Protection {
    /// The tier that was reached.
    pub tier: Tier,
    /// What holds, as it was tried.
    pub holds: Vec<String>,
    /// What does not.
    pub open: Vec<String>,
    /// What would give more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// Why nothing can be verified here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untraced: Option<String>,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.tier {
            Tier::Limits => "isolation: limits only",
            Tier::Partial => "isolation: partial",
            Tier::Full => "isolation: full",
        })?;
        for fact in &self.holds {
            write!(f, " · {fact}")?;
        }
        if let Some(why) = &self.untraced {
            write!(f, " · nothing is run, as it could not be verified: {why}")?;
        } else if !self.open.is_empty() {
            write!(f, " · open: {}", self.open.join(", "))?;
        }
        if let Some(more) = &self.more {
            write!(f, " · for more: {more}")?;
        }
        Ok(())
    }
}

/// How programs are confined.
#[derive(Clone, Debug, Default)]
pub struct Isolation {
    way: Way,
    /// Whether the machine's network has been left.
    apart: bool,
    /// What that holds.
    pub protection: Protection,
}

#[derive(Clone, Debug, Default)]
enum Way {
    #[default]
    Limits,
    Fence(Fence),
    Bubblewrap(Bubblewrap),
}

impl Isolation {
    /// The strongest that works here, at most `most`. With `peers`, what is run and this process
    /// have to reach each other on the loopback network.
    ///
    /// To be called before this process starts a thread: then its network, too, can be taken away.
    pub fn find(most: Tier, peers: bool) -> Isolation {
        if most == Tier::Limits {
            return Isolation::limits(network::Reach::All, None);
        }
        let network = network::leave();
        let mut why_not = None;
        if most == Tier::Full {
            let found = Bubblewrap::installed(!peers)
                .map(|bubblewrap| canary::send(Way::Bubblewrap(bubblewrap)));
            match found {
                Some(Ok(mut isolation)) => {
                    isolation.apart = network == network::Reach::Loopback;
                    if peers {
                        isolation.protection.share_loopback(network);
                    }
                    return isolation;
                }
                Some(Err(why)) => why_not = Some(format!("bubblewrap does not work here: {why:#}")),
                None => {}
            }
        }
        for fence in Fence::kinds() {
            let own_user = fence.own_user;
            if let Ok(mut isolation) = canary::send(Way::Fence(fence)) {
                isolation.apart = network == network::Reach::Loopback;
                // Local sockets that are in no file: a network has them, or Landlock divides them.
                if own_user && !isolation.apart && !fence::divides_sockets() {
                    isolation.protection.open.push("abstract sockets".into());
                }
                isolation.protection.share_loopback(network);
                isolation.protection.more = more(most, why_not);
                return isolation;
            }
        }
        Isolation::limits(network, more(most, why_not))
    }

    fn limits(network: network::Reach, more: Option<String>) -> Isolation {
        let open = ["your files", "your processes"].map(String::from).to_vec();
        let mut protection = Protection { open, more, ..Protection::default() };
        protection.share_loopback(network);
        if let Some(why) = crate::run::untraced() {
            protection.more = Some(crate::run::NotTraced::what_helps());
            protection.untraced = Some(why.to_string());
        }
        Isolation { way: Way::Limits, apart: network == network::Reach::Loopback, protection }
    }

    /// To be called by a thread that examines one program while others examine other ones: what it
    /// runs from now on can't reach what they run.
    pub fn divide_network(&self) {
        if self.apart {
            // Where this does not work they share one, as before: nothing else is lost.
            let _ = network::divide();
        }
    }

    /// A file that the program needs and could not read, when it is run as another user.
    pub fn unreadable<'a>(&self, mut files: impl Iterator<Item = &'a Path>) -> Option<&'a Path> {
        match &self.way {
            Way::Fence(fence) if fence.own_user => files.find(|file| !readable_by_all(file)),
            _ => None,
        }
    }

    /// Prepares one run of a command that needs these files besides the system's.
    pub(super) fn confine(
        &self,
        command: &[OsString],
        files: &[PathBuf],
        limits: &Limits,
    ) -> Result<Confined> {
        match &self.way {
            Way::Limits => {
                let folder = Folder::new(None)?;
                Ok(Confined {
                    command: command.to_vec(),
                    executions: 0,
                    folder: folder.path().into(),
                    home: folder.path().into(),
                    entry: Entry::default(),
                    kept: Some(folder),
                })
            }
            Way::Fence(fence) => fence.confine(command, files),
            Way::Bubblewrap(bubblewrap) => bubblewrap.confine(command, files, limits),
        }
    }

    /// The same for a run that must be able to read these files: where only root may, and nothing
    /// could show them to another user, it stays root, without root's powers.
    pub fn reading(&self, files: &[PathBuf]) -> Isolation {
        let mut isolation = self.clone();
        let files = files.iter().map(PathBuf::as_path);
        if let (Some(_), Way::Fence(fence)) = (self.unreadable(files), &mut isolation.way) {
            fence.own_user = false;
        }
        isolation
    }
}

impl Protection {
    fn share_loopback(&mut self, network: network::Reach) {
        match network {
            network::Reach::Loopback => {
                self.holds.push("no network but the loopback of this grading".into());
            }
            network::Reach::All => self.open.push("network".into()),
        }
    }
}

/// The one command that gives more.
fn more(most: Tier, why_not: Option<String>) -> Option<String> {
    if most < Tier::Full {
        return None;
    }
    // Ubuntu keeps namespaces from programs that AppArmor does not know.
    let restricted = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    if fs::read(restricted).is_ok_and(|value| value.starts_with(b"1")) && why_not.is_some() {
        return Some("sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0".into());
    }
    let managers = [
        ("apt-get", "apt install"),
        ("dnf", "dnf install"),
        ("pacman", "pacman -S"),
        ("apk", "apk add"),
    ];
    let has = |name: &str| ["/usr/bin", "/sbin"].iter().any(|at| Path::new(at).join(name).exists());
    let install = managers.iter().find(|(name, _)| has(name)).map_or("install", |(_, words)| words);
    why_not.or_else(|| Some(format!("{install} bubblewrap")))
}

/// One run, prepared. Dropped when the run is over.
pub(super) struct Confined {
    /// What is executed.
    pub(super) command: Vec<OsString>,
    /// How many executions come before that of the program itself.
    pub(super) executions: usize,
    /// Where it is started.
    pub(super) folder: PathBuf,
    /// Where the program may keep files.
    pub(super) home: PathBuf,
    /// What the child does to itself.
    pub(super) entry: Entry,
    /// The folder of its own, if it has one; removed with all that is in it.
    pub(super) kept: Option<Folder>,
}

/// What a child does to itself between fork and exec: system calls only, no allocation.
#[derive(Default)]
pub(super) struct Entry {
    /// Who may open the program's three streams again, by `/dev/stdout` for instance.
    streams_to: Option<u32>,
    /// Whom it becomes.
    user: Option<u32>,
    /// Whether it gives up the powers of root (`capabilities(7)`).
    powerless: bool,
    ruleset: Option<OwnedFd>,
    filters: Vec<BpfProgram>,
    /// Descriptors that what is executed inherits.
    inherited: Vec<OwnedFd>,
}

impl Entry {
    pub(super) fn enter(&self) -> io::Result<()> {
        if let Some(user) = self.streams_to {
            give_streams(user)?;
        }
        for fd in &self.inherited {
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
        }
        if let Some(user) = self.user {
            setgroups(&[])?;
            setgid(Gid::from_raw(user))?;
            setuid(Uid::from_raw(user))?;
        }
        if self.powerless {
            prctl::set_no_new_privs()?; // or root's would be back with the execution
            drop_capabilities()?;
        }
        if let Some(ruleset) = &self.ruleset {
            // SAFETY: it reads no memory of ours. Not the crate's wrapper, which would allocate.
            #[allow(unsafe_code)]
            let result =
                unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) };
            nix::errno::Errno::result(result)?;
        }
        for filter in &self.filters {
            seccompiler::apply_filter(filter).map_err(|_| io::Error::last_os_error())?;
        }
        Ok(())
    }
}

/// `capset(2)` with nothing in any set.
fn drop_capabilities() -> io::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    let (header, none) = ([VERSION_3, 0], [0_u32; 6]);
    // SAFETY: the header is a version and a process, zero for this one; the version says that three
    // sets of two numbers each are read.
    #[allow(unsafe_code)]
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    nix::errno::Errno::result(result)?;
    Ok(())
}

/// Pipes and terminals belong to who made them, and only that user may open them by their name.
fn give_streams(user: u32) -> io::Result<()> {
    for stream in 0..3 {
        // SAFETY: the standard descriptors stay open for as long as the child lives.
        #[allow(unsafe_code)]
        let stream = unsafe { std::os::fd::BorrowedFd::borrow_raw(stream) };
        let kind = nix::sys::stat::fstat(stream)?;
        let pipe = kind.st_mode & libc::S_IFMT == libc::S_IFIFO;
        let terminal = nix::unistd::isatty(stream).unwrap_or(false);
        if pipe || terminal {
            fchown(stream, Some(Uid::from_raw(user)), None)?;
        }
    }
    Ok(())
}

/// Whether everybody may read a file, and go through all folders above it.
fn readable_by_all(file: &Path) -> bool {
    let allows = |path: &Path, bits| fs::metadata(path).is_ok_and(|at| at.mode() & bits == bits);
    let at = fs::canonicalize(file).unwrap_or_else(|_| file.into());
    let own = if at.is_dir() { 0o005 } else { 0o004 };
    allows(&at, own) && at.ancestors().skip(1).all(|folder| allows(folder, 0o001))
}

/// Files that are not within one of the others, nor within the system's.
fn outermost(files: &[PathBuf]) -> Vec<&PathBuf> {
    let within = |file: &Path, folder: &Path| file != folder && file.starts_with(folder);
    let mut all: Vec<&PathBuf> = files
        .iter()
        .filter(|file| !SYSTEM.iter().any(|folder| file.starts_with(folder)))
        .filter(|file| !files.iter().any(|folder| within(file, folder)))
        .collect();
    all.sort();
    all.dedup();
    all
}

fn is_root() -> bool {
    getuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_ordered() {
        assert!(Tier::Limits < Tier::Partial && Tier::Partial < Tier::Full);
    }

    #[test]
    fn only_the_outermost_files_are_shown() {
        let files = ["/a/b/c", "/a/b", "/usr/lib/x", "/d", "/d"].map(PathBuf::from);
        let shown: Vec<_> = outermost(&files).into_iter().map(|path| path.to_str()).collect();
        assert_eq!(shown, [Some("/a/b"), Some("/d")]);
    }

    /// `cargo test -p lab overhead -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement, for a machine that does nothing else"]
    fn overhead_of_a_run() {
        // The best is what it costs where other programs take no processor time meanwhile.
        let best_and_median = |run: &dyn Fn()| {
            let mut times: Vec<_> = (0..50)
                .map(|_| {
                    let started = std::time::Instant::now();
                    run();
                    started.elapsed()
                })
                .collect();
            times.sort();
            (times[0], times[25])
        };
        let bare = best_and_median(&|| {
            let mut bare = std::process::Command::new("/bin/true");
            bare.output().expect("it runs");
        });
        eprintln!("a bare spawn: {bare:?}");
        for tier in [Tier::Limits, Tier::Partial, Tier::Full] {
            for peers in [true, false] {
                let isolation = Isolation::find(tier, peers);
                let spec = crate::run::Spec {
                    command: vec!["/bin/true".into()],
                    isolation: isolation.clone(),
                    ..crate::run::Spec::default()
                };
                let (best, median) =
                    best_and_median(&|| drop(crate::run::start(&spec).expect("it runs").finish()));
                let more = (best.saturating_sub(bare.0), median.saturating_sub(bare.1));
                eprintln!("{more:?} more: {}", isolation.protection);
            }
        }
    }

    #[test]
    fn says_what_is_in_force_in_one_line() {
        let protection = Protection {
            tier: Tier::Partial,
            holds: vec!["files".into()],
            open: vec!["network".into(), "disk".into()],
            more: Some("apt install bubblewrap".into()),
            untraced: None,
        };
        let line =
            "isolation: partial · files · open: network, disk · for more: apt install bubblewrap";
        assert_eq!(protection.to_string(), line);
    }
}
