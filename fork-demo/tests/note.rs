//! The note's snippet: what fork-demo prints, and what becomes of its two processes.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigHandler, Signal, signal};

fn demo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fork-demo"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(args: &[&str]) -> Output {
    demo(args).output().expect("fork-demo starts")
}

fn sorted_lines(text: &[u8]) -> Vec<String> {
    let mut lines: Vec<_> = String::from_utf8_lossy(text).lines().map(String::from).collect();
    lines.sort();
    lines
}

/// A run with `--forever`, as far as both have printed their line. Ended on drop, which ends its
/// child as well.
struct Forever(Child);

impl Forever {
    #[allow(unsafe_code)]
    fn start() -> Forever {
        let mut demo = demo(&["--forever", "--interval", "1000"]);
        // Tests that a script has started with `&` ignore SIGINT, and so would all that they start.
        let hears = || {
            // SAFETY: no handler is set, but the kernel's own way.
            unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) }?;
            Ok(())
        };
        // SAFETY: it makes one system call.
        unsafe { demo.pre_exec(hears) };
        let mut forever = Forever(demo.process_group(0).spawn().expect("fork-demo starts"));
        let stdout = forever.0.stdout.as_mut().expect("it is piped");
        let mut lines = BufReader::with_capacity(1, stdout).lines();
        for _ in 0..2 {
            lines.next().expect("a line").expect("text");
        }
        forever
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The processes whose parent it is.
    fn children(&self) -> Vec<u32> {
        let pids = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let parent = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
        };
        pids.filter(|pid| parent(pid) == Some(self.pid())).collect()
    }

    /// How it ended, and what it still said until neither process had its output open.
    fn end(mut self) -> (String, ExitStatus) {
        let mut stdout = self.0.stdout.take().expect("piped");
        let mut stderr = self.0.stderr.take().expect("piped");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut said = String::new();
            let read = stdout.read_to_string(&mut said).and(stderr.read_to_string(&mut said));
            sender.send(read.map(|_| said))
        });
        let said = receiver.recv_timeout(Duration::from_secs(10)).expect("both processes end");
        (said.expect("text"), self.0.wait().expect("it was started"))
    }
}

impl Drop for Forever {
    fn drop(&mut self) {
        // The group, so that an orphan is ended as well.
        let _ = kill("KILL", &format!("-{}", self.pid()));
        let _ = self.0.wait();
    }
}

fn kill(signal: &str, pid: &str) -> io::Result<ExitStatus> {
    let script = format!("kill -s {signal} -- {pid} 2>/dev/null");
    Command::new("sh").args(["-c", &script]).status()
}

#[test]
fn each_process_prints_its_value_once() {
    let output = run(&[]);
    assert_eq!(sorted_lines(&output.stdout), ["Child:  baz", "Parent:  bar"]);
    assert!(output.status.success() && output.stderr.is_empty());
}

#[test]
fn the_values_are_those_of_the_command_line() {
    let output = run(&["--value", "a b", "--child-value", "ж"]);
    assert_eq!(sorted_lines(&output.stdout), ["Child:  ж", "Parent:  a b"]);
}

#[test]
fn the_child_is_one_other_process() {
    let forever = Forever::start();
    assert_eq!(forever.children().len(), 1);
}

#[test]
fn the_child_ends_when_only_the_parent_is_killed() {
    let forever = Forever::start();
    kill("KILL", &forever.pid().to_string()).expect("sh starts");
    let (said, status) = forever.end();
    assert_eq!((said.as_str(), status.signal()), ("", Some(9)));
}

#[test]
fn ctrl_c_ends_both_without_a_word() {
    let forever = Forever::start();
    kill("INT", &format!("-{}", forever.pid())).expect("sh starts");
    let (said, status) = forever.end();
    assert_eq!((said.as_str(), status.signal()), ("", Some(2)));
}

#[test]
fn a_child_that_was_killed_is_the_parents_failure() {
    let forever = Forever::start();
    let child = forever.children()[0];
    kill("KILL", &child.to_string()).expect("sh starts");
    let (said, status) = forever.end();
    assert_eq!(said, format!("fork-demo: wait for child {child}: ended by SIGKILL\n"));
    assert_eq!(status.code(), Some(1));
}

#[test]
fn a_full_stdout_is_one_line_and_a_failure() {
    for args in [&[][..], &["--forever"], &["memory", "--mib", "1"], &["files"], &["anatomy"]] {
        let full = File::options().write(true).open("/dev/full").expect("/dev/full");
        let output = demo(args).stdout(full).output().expect("fork-demo starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, "fork-demo: stdout: No space left on device (os error 28)\n");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_closed_stdout_is_a_quiet_end() {
    for args in [&[][..], &["--forever"], &["memory", "--mib", "1"], &["files"], &["anatomy"]] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let output = demo(args).stdout(writer).output().expect("fork-demo starts");
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{args:?}");
    }
}

#[test]
fn wrong_usage_is_exit_2_and_nothing_on_stdout() {
    let intervals = ["-1", "x", "inf", "nan", ""].map(|interval| vec!["--interval", interval]);
    let others = [&["memory", "--mib", "0"][..], &["anatomy", "0"], &["anatomy", "x"], &["what"]];
    for args in intervals.into_iter().chain(others.map(<[_]>::to_vec)) {
        let output = run(&args);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
    }
}
