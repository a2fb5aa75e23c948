//! A box of bubblewrap's (`bwrap(1)`): private files, processes, IPC, host name, and network.
//!
//! The system's folders, the interpreter and the submission are there read-only at their own
//! paths; `/tmp` and `/dev/shm` are empty, of a bounded size, and vanish with the run. The
//! filter of [forbidden calls](super::filter::forbidden) is handed to bubblewrap, which applies it
//! last: it needs those calls itself.
//!
//! Not asked of it: `--die-with-parent`. What outlives the program has to be seen before it is
//! ended, and the tracer ends everything.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use seccompiler::BpfProgram;

use crate::run::filter::Surroundings;
use crate::run::{Limits, NotExecuted};

use super::{Confined, Entry, FIRST_USER, SYSTEM, filter, is_root, outermost};

/// How bubblewrap is called.
#[derive(Clone, Debug)]
pub(super) struct Bubblewrap {
    bwrap: PathBuf,
    /// As root, the program that goes on as another user. Then bubblewrap needs no user namespace,
    /// sees files that only root sees, and its own processes are out of the program's reach.
    setpriv: Option<PathBuf>,
    pub(super) own_network: bool,
}

impl Bubblewrap {
    /// Bubblewrap, where it is installed.
    pub(super) fn installed(own_network: bool) -> Option<Bubblewrap> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let find = |name: &str| {
            std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
        };
        let bwrap = find("bwrap")?;
        // With the set-user-ID bit it could not be told which calls to stop at: no new privileges.
        if fs::metadata(&bwrap).ok()?.permissions().mode() & 0o4000 != 0 {
            return None;
        }
        // Inside, only the system's own folders are there.
        let inside =
            || find("setpriv").filter(|file| file.starts_with("/usr") || file.starts_with("/bin"));
        let setpriv = if is_root() { Some(inside()?) } else { None };
        Some(Bubblewrap { bwrap, setpriv, own_network })
    }

    pub(super) fn confine(
        &self,
        command: &[OsString],
        files: &[PathBuf],
        limits: &Limits,
    ) -> Result<Confined> {
        let program = command.first().context("no program to run")?;
        if !is_executable(Path::new(program)) {
            let why = io::Error::from(Errno::ENOEXEC).to_string();
            return Err(NotExecuted { name: program.to_string_lossy().into_owned(), why }.into());
        }
        let inherited: Vec<OwnedFd> =
            filter::forbidden(Surroundings::Box)?.iter().map(as_file).collect::<Result<_>>()?;
        let mut words = Words(vec![self.bwrap.clone().into()]);
        words.add(["--unshare-pid", "--unshare-ipc", "--unshare-uts"]);
        words.add(["--hostname", "lab"]);
        if self.own_network {
            words.add(["--unshare-net"]);
        }
        for path in SYSTEM {
            words.show_system(Path::new(path));
        }
        words.add(["--proc", "/proc", "--dev", "/dev"]);
        let room = limits.room.to_string();
        for folder in ["/tmp", "/dev/shm"] {
            words.add(["--perms", "1777", "--size", &room, "--tmpfs", folder]);
        }
        let files = outermost(files);
        // Made by hand: bubblewrap makes folders above a file for their owner only.
        let mut above: Vec<&Path> =
            files.iter().flat_map(|file| file.ancestors().skip(1)).collect();
        above.sort();
        above.dedup();
        for folder in above.into_iter().skip(1) {
            words.add(["--perms", "0755", "--dir"]);
            words.add([folder]);
        }
        for file in files {
            words.add(["--ro-bind"]);
            words.add([file, file]);
        }
        words.add(["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]);
        for fd in &inherited {
            words.add(["--add-seccomp-fd", &fd.as_raw_fd().to_string()]);
        }
        match &self.setpriv {
            None => words.add(["--unshare-user", "--"]),
            Some(setpriv) => {
                words.add(["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add"]);
                words.add(["CAP_SETGID", "--"]);
                words.add([setpriv]);
                words.add([format!("--reuid={FIRST_USER}"), format!("--regid={FIRST_USER}")]);
                words.add(["--clear-groups", "--inh-caps=-all", "--"]);
            }
        }
        words.add(command);
        Ok(Confined {
            command: words.0,
            executions: 1 + usize::from(self.setpriv.is_some()),
            folder: "/".into(),
            home: "/tmp".into(),
            entry: Entry {
                streams_to: self.setpriv.is_some().then_some(FIRST_USER),
                inherited,
                ..Entry::default()
            },
            kept: None,
        })
    }
}

struct Words(Vec<OsString>);

impl Words {
    fn add<S: AsRef<OsStr>>(&mut self, words: impl IntoIterator<Item = S>) {
        self.0.extend(words.into_iter().map(|word| word.as_ref().into()));
    }

    /// A folder or file of the system, read-only; a link stays a link.
    fn show_system(&mut self, path: &Path) {
        let Ok(kind) = fs::symlink_metadata(path) else { return };
        if path.starts_with("/etc") && !self.0.iter().any(|word| word == "/etc") {
            self.add(["--perms", "0755", "--dir", "/etc"]);
        }
        match fs::read_link(path) {
            Ok(target) if kind.is_symlink() => {
                self.add(["--symlink"]);
                self.add([target.as_path(), path]);
            }
            _ => {
                self.add(["--ro-bind"]);
                self.add([path, path]);
            }
        }
    }
}

/// Whether the kernel will know what to do with it. Bubblewrap would hand the rest to a shell.
fn is_executable(program: &Path) -> bool {
    /// Where an ELF file says for which machine it is (elf(5)).
    const MACHINE: std::ops::Range<usize> = 18..20;
    let head = |path: &Path| {
        let mut head = Vec::new();
        fs::File::open(path).and_then(|file| file.take(64).read_to_end(&mut head)).map(|_| head)
    };
    let (Ok(program), Ok(own)) = (head(program), head(Path::new("/proc/self/exe"))) else {
        return true; // whoever executes it will say why not
    };
    let older = [0x03, 0x00]; // a 32-bit program, which x86-64 runs too
    let machine = program.get(MACHINE).unwrap_or_default();
    let known =
        Some(machine) == own.get(MACHINE) || (cfg!(target_arch = "x86_64") && machine == older);
    program.starts_with(b"#!") || (program.starts_with(b"\x7fELF") && known)
}

/// A filter as a file to be read by bubblewrap.
fn as_file(filter: &BpfProgram) -> Result<OwnedFd> {
    let fd = memfd_create("filter", MFdFlags::MFD_CLOEXEC).context("memfd_create")?;
    let mut file = fs::File::from(fd);
    for step in filter {
        file.write_all(&step.code.to_ne_bytes())?;
        file.write_all(&[step.jt, step.jf])?;
        file.write_all(&step.k.to_ne_bytes())?;
    }
    std::io::Seek::rewind(&mut file)?;
    Ok(file.into())
}
