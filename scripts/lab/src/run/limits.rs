//! What a program may use.

use std::io;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

/// Bounds of one run. Going over one ends the run, and says which.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wall-clock time until the program must have ended.
    pub time: Duration,
    /// Seconds of processor time, per process (`RLIMIT_CPU`).
    pub cpu: u64,
    /// Bytes that a process may allocate (`RLIMIT_DATA`), and all together may hold.
    pub memory: u64,
    /// Processes and threads alive at the same time.
    pub tasks: usize,
    /// Bytes per file (`RLIMIT_FSIZE`).
    pub file: u64,
    /// Descriptors that a process may have open: a machine has few terminals to give away.
    pub descriptors: u64,
    /// Descriptors that all its processes may have open together: a socket holds memory that is in no
    /// process (counted since Linux 6.2).
    pub all_descriptors: u64,
    /// Files and folders kept where files are kept in memory: each takes some of it, empty or not.
    pub names: u64,
    /// Bytes written to stdout and stderr together.
    pub output: u64,
    /// Lines written to stdout and stderr together.
    pub lines: usize,
    /// Bytes kept in files, where they are kept in memory: in `/tmp`, and as many in `/dev/shm`.
    pub room: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            time: Duration::from_secs(10),
            cpu: 20,
            memory: 1 << 30,
            tasks: 256,
            file: 64 << 20,
            descriptors: 1024,
            all_descriptors: 8192,
            names: 100_000,
            output: 8 << 20,
            lines: 200_000,
            room: 128 << 20,
        }
    }
}

impl Limits {
    /// None for the program, which has what its user has; only what is kept of its output.
    pub fn of_the_user() -> Limits {
        Limits {
            time: Duration::MAX,
            cpu: u64::MAX,
            memory: u64::MAX,
            tasks: usize::MAX,
            file: u64::MAX,
            descriptors: u64::MAX,
            all_descriptors: u64::MAX,
            names: u64::MAX,
            output: 256 << 20,
            lines: 1_000_000,
            room: u64::MAX,
        }
    }

    /// Sets those that the kernel enforces by itself. Called in the child: no allocation.
    pub(super) fn apply(&self) -> io::Result<()> {
        let set = |resource, most: rlim_t| match most {
            rlim_t::MAX => Ok(()), // as it was
            most => setrlimit(resource, most, most),
        };
        set(Resource::RLIMIT_CPU, self.cpu)?;
        set(Resource::RLIMIT_DATA, self.memory)?;
        set(Resource::RLIMIT_FSIZE, self.file)?;
        // With none at all the kernel still starts who takes cores, outside (core(5)); with one byte
        // it does not.
        set(Resource::RLIMIT_CORE, 1)?;
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
        if self.descriptors < most {
            set(Resource::RLIMIT_NOFILE, self.descriptors)?;
        }
        Ok(())
    }
}
