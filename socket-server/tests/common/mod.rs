//! A server under test: started on a free port, ended whatever happens.
#![allow(dead_code, unreachable_pub)] // each test file uses its part of it
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_socket-server");

/// No test waits longer for anything.
const DEADLINE: Duration = Duration::from_secs(10);

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    stdout: Box<dyn BufRead + Sync>,
    stderr: Box<dyn BufRead + Sync>,
    _watchdog: mpsc::Sender<()>,
}

/// What a server left when it ended.
#[derive(Debug)]
pub struct End {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Server {
    pub fn start(options: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", options)
    }

    pub fn start_at(address: &str, options: &[&str]) -> Self {
        Self::run(Command::new(PROGRAM).arg(address).args(options).stdout(Stdio::piped()))
    }

    /// With `/dev/full` for stdout.
    pub fn start_into_full(options: &[&str]) -> Self {
        let full = File::options().write(true).open("/dev/full").unwrap();
        Self::run(Command::new(PROGRAM).arg("127.0.0.1:0").args(options).stdout(full))
    }

    /// With a limit on open files. What else may be open here is closed first.
    pub fn start_with_files(limit: u32, options: &[&str]) -> Self {
        let script = format!("exec 3>&- 4>&- 5>&- 6>&- 7>&-; ulimit -n {limit}; exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh", PROGRAM, "127.0.0.1:0"]).args(options);
        Self::run(command.stdout(Stdio::piped()))
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stdout: Box<dyn BufRead + Sync> = match child.stdout.take() {
            Some(pipe) => Box::new(BufReader::new(pipe)),
            None => Box::new(io::empty()),
        };
        let mut stderr = Box::new(BufReader::new(child.stderr.take().unwrap()));
        let mut ready = String::new();
        stderr.read_line(&mut ready).unwrap();
        let address = ready.trim_end().strip_prefix("listening on ").unwrap().parse().unwrap();

        // A server that hangs is killed, and the test goes on to fail at end of file.
        let (watchdog, ended) = mpsc::channel();
        let pid = pid(&child);
        thread::spawn(move || {
            if ended.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
                let _ = kill(pid, Signal::SIGKILL);
            }
        });
        Self { child, address, stdout, stderr, _watchdog: watchdog }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// A client that sends and closes.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        self.connect().write_all(bytes.as_ref()).unwrap();
    }

    /// The next line of stdout, without its end.
    pub fn line(&mut self) -> String {
        read_line(&mut self.stdout)
    }

    /// The next line of stderr.
    pub fn error(&mut self) -> String {
        read_line(&mut self.stderr)
    }

    pub fn stdout(&mut self) -> &mut impl Read {
        &mut self.stdout
    }

    pub fn signal(&self, signal: Signal) {
        kill(pid(&self.child), signal).unwrap();
    }

    /// Ends it as Ctrl-C does.
    pub fn stop(self) -> End {
        self.signal(Signal::SIGINT);
        self.end()
    }

    /// Waits until it has ended by itself.
    pub fn end(mut self) -> End {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        End { code: self.child.wait().unwrap().code(), stdout, stderr }
    }

    /// Nobody reads its stdout any more.
    pub fn close_stdout(mut self) -> End {
        self.stdout = Box::new(io::empty());
        self.end()
    }

    /// The names of its threads, as the kernel has them.
    pub fn threads(&self) -> Vec<String> {
        let tasks = fs::read_dir(self.proc("task")).unwrap();
        let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
        let mut names: Vec<String> = tasks
            .filter_map(|task| name(task.unwrap()))
            .map(|name| name.trim().to_string())
            .collect();
        names.sort();
        names
    }

    /// How many sockets it has open.
    pub fn sockets(&self) -> usize {
        let files = fs::read_dir(self.proc("fd")).unwrap();
        let targets = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
        targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
    }

    fn proc(&self, what: &str) -> String {
        format!("/proc/{}/{what}", self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().try_into().unwrap())
}

fn read_line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.strip_suffix('\n').expect("a whole line").to_string()
}

/// Waits for a state of the kernel that no event tells of.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "not in time: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
