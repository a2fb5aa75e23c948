//! The server under test, as a user runs it, and what the system knows of it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;

/// Much longer than anything here takes: reached only when something is wrong.
const DEADLINE: Duration = Duration::from_secs(10);

/// Waits for a state that the system can only be asked for.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "still not so: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The command, to run at this address.
pub fn at(address: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epoll-demo"));
    command.arg(address).stdout(Stdio::piped());
    command
}

/// The same at a free port, under a limit on open files, such as `-n 20`.
pub fn limited(limit: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limit}; exec \"$0\" 127.0.0.1:0")]);
    command.arg(env!("CARGO_BIN_EXE_epoll-demo")).stdout(Stdio::piped());
    command
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines as they come, read by a thread of their own, so that one can stop waiting for them.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let line = line.expect("stdout and stderr are UTF-8");
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

impl Server {
    /// At a free port.
    pub fn start(options: &[&str]) -> Server {
        Server::spawn(at("127.0.0.1:0").args(options))
    }

    /// Starts it and waits until it can be connected to.
    pub fn spawn(command: &mut Command) -> Server {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("epoll-demo starts");
        let stderr = lines(child.stderr.take().expect("piped"));
        let stdout = child.stdout.take().map_or_else(|| channel().1, lines);
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut server = Server { child, address, stdout, stderr };
        let ready = server.complaint();
        let address = ready.strip_prefix("listening on ").expect("the ready line");
        server.address = address.parse().expect("an address");
        server
    }

    /// The next line of stdout.
    pub fn line(&self) -> String {
        self.stdout.recv_timeout(DEADLINE).expect("a line on stdout")
    }

    /// The next line of stderr.
    pub fn complaint(&self) -> String {
        self.stderr.recv_timeout(DEADLINE).expect("a line on stderr")
    }

    /// What is left on stdout and stderr when it has ended, and how it ended.
    pub fn end(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        let mut status = None;
        until("it has ended", || {
            status = self.child.try_wait().expect("it is our child");
            status.is_some()
        });
        let status = status.expect("just seen");
        (status, self.stdout.iter().collect(), self.stderr.iter().collect())
    }

    /// A client that has had its greeting.
    pub fn client(&self) -> Client {
        let mut client = self.stranger();
        client.pings(1);
        client
    }

    /// A client that has just connected.
    pub fn stranger(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("the server can be connected to");
        stream.set_read_timeout(Some(DEADLINE)).expect("not zero");
        Client { stream }
    }

    /// Sends it a signal.
    pub fn kill(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -s $0 $1", signal, &pid]).status();
        assert!(sent.expect("sh is there").success());
    }

    /// Stops it, so that whatever happens meanwhile comes to it at once.
    pub fn stop(&self) {
        self.kill("STOP");
        until("it is stopped", || self.state() == 'T');
    }

    /// A file of its folder in /proc.
    pub fn proc(&self, file: &str) -> String {
        self.try_proc(file).unwrap_or_else(|| panic!("/proc has no {file} of it"))
    }

    /// The same where there may be none.
    pub fn try_proc(&self, file: &str) -> Option<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).ok()
    }

    /// A number in its /proc/PID/status.
    pub fn status(&self, name: &str) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with(&format!("{name}:")));
        let value = line.and_then(|line| line.split_whitespace().nth(1));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} in {status}"))
    }

    /// Running, sleeping, stopped … `proc_pid_stat(5)`: it follows the name, in parentheses.
    fn state(&self) -> char {
        let stat = self.proc("stat");
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).expect("a state")
    }

    /// Whether it waits, and so has done all there was to do.
    pub fn sleeps(&self) -> bool {
        self.state() == 'S'
    }

    /// How often it is woken within a while in which there is nothing for it to do, and the clock
    /// ticks (hundredths of a second) of processor time that this takes.
    pub fn woken(&self) -> (u64, u64) {
        until("the server waits", || self.sleeps());
        let seen = || (self.status("voluntary_ctxt_switches"), self.ticks());
        let before = seen();
        thread::sleep(Duration::from_millis(200));
        let after = seen();
        (after.0 - before.0, after.1 - before.1)
    }

    fn ticks(&self) -> u64 {
        let stat = self.proc("stat");
        let (_, rest) = stat.rsplit_once(") ").expect("a name");
        let times = rest.split(' ').skip(11).take(2); // utime and stime
        times.map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }

    /// What its epoll watches: the mask of each client (`proc_pid_fdinfo(5)`).
    pub fn masks(&self) -> Vec<u32> {
        let folder = format!("/proc/{}/fd", self.child.id());
        let epoll = fs::read_dir(folder).expect("its descriptors").flatten().find(|fd| {
            fs::read_link(fd.path()).is_ok_and(|to| to.ends_with("anon_inode:[eventpoll]"))
        });
        let fd = epoll.expect("an epoll").file_name().into_string().expect("a number");
        let info = self.proc(&format!("fdinfo/{fd}"));
        let watched = info.lines().filter_map(|line| {
            let mut words = line.strip_prefix("tfd:")?.split_whitespace();
            let mask = u32::from_str_radix(words.nth(2)?, 16).ok()?;
            let data = words.nth(1)?;
            (!data.starts_with("ffffffff")).then_some(mask) // the listener and the signals
        });
        watched.collect()
    }
}
