//! Programs that run without the tracer: one that another tool shall attach to, and that tool.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::kernel;
use super::log::Id;

/// Where tools are looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// What a program has written so far, and how many of its two streams are still open.
#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    open: usize,
}

/// A program that runs by itself until it is dropped. If we are killed, the kernel kills it too.
pub struct Plain {
    child: Child,
    said: Arc<(Mutex<Said>, Condvar)>,
}

impl Plain {
    /// Starts it, with stdout and stderr read as they come.
    ///
    /// # Errors
    /// When it can't be executed.
    pub fn start<S: AsRef<OsStr>>(command: &[S]) -> Result<Plain> {
        let (program, arguments) = command.split_first().context("no program to run")?;
        let program = Path::new(program);
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg0(program.file_name().unwrap_or(program.as_os_str()))
            .env_clear()
            .envs([("PATH", PATH), ("LANG", "C.UTF-8"), ("TERM", "dumb"), ("COLUMNS", "120")])
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        // SAFETY: two system calls, which is what a child may do before it executes.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(|| {
                super::keep_own_descriptors();
                Ok(prctl::set_pdeathsig(Signal::SIGKILL)?)
            });
        }
        let mut child =
            super::starting(|| command.spawn()).with_context(|| program.display().to_string())?;
        let said = Arc::new((Mutex::new(Said { bytes: Vec::new(), open: 2 }), Condvar::new()));
        let stdout = child.stdout.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>);
        let stderr = child.stderr.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>);
        for mut stream in [stdout, stderr].into_iter().flatten() {
            let said = said.clone();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                loop {
                    let count = stream.read(&mut buffer).unwrap_or(0);
                    let mut all = said.0.lock().unwrap_or_else(PoisonError::into_inner);
                    all.bytes.extend_from_slice(&buffer[..count]);
                    all.open -= usize::from(count == 0);
                    said.1.notify_all();
                    if count == 0 {
                        return;
                    }
                }
            });
        }
        Ok(Plain { child, said })
    }

    /// Its process.
    pub fn pid(&self) -> Id {
        Id::try_from(self.child.id()).unwrap_or(0)
    }

    /// Waits until what it has said is `enough`, or it has ended, or for this time; then all that
    /// it has said.
    pub fn said_until(&self, time: Duration, enough: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + time;
        let (said, changed) = &*self.said;
        let mut all = said.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let text = String::from_utf8_lossy(&all.bytes);
            let left = end.saturating_duration_since(Instant::now());
            if all.open == 0 || left.is_zero() || enough(&text) {
                return text.into_owned();
            }
            all = changed.wait_timeout(all, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until it waits for something itself, at most a second. Who has just said something may
    /// still be on the way to it.
    pub fn settled(&self) {
        let end = Instant::now() + Duration::from_secs(1);
        while kernel::waits_for(self.pid(), self.pid()).is_none() && Instant::now() < end {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Asks it to end, as Ctrl-C does; then all that it has said.
    pub fn interrupt(&self) -> String {
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGINT);
        self.said_until(Duration::from_secs(1), |_| false)
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a tool is installed, if it is.
pub fn tool(name: &str) -> Option<PathBuf> {
    PATH.split(':').map(|folder| PathBuf::from(folder).join(name)).find(|path| path.is_file())
}
