//! The note's snippet: what mp-demo prints, and what becomes of its processes.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::slice;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

const METHODS: [&str; 2] = ["--start-method=fork", "--start-method=spawn"];

fn demo<S: AsRef<OsStr>>(args: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mp-demo"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run<S: AsRef<OsStr>>(args: &[S]) -> Output {
    demo(args).output().expect("mp-demo starts")
}

/// Whom it greeted, sorted, and when.
fn greetings(output: &Output) -> (Vec<String>, Vec<f64>) {
    let mut lines: Vec<_> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| {
            let (hello, time) = line.rsplit_once(' ').expect("a time");
            let name = hello.strip_prefix("Hello ").expect("a greeting");
            (name.to_string(), time.parse::<f64>().expect("a number"))
        })
        .collect();
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    lines.into_iter().unzip()
}

/// A run whose processes are asleep: for three names, with `--delay 1000`. Ended on drop.
struct Asleep(Child, Vec<u32>);

impl Asleep {
    fn start(method: &str) -> Asleep {
        let mut demo = demo(&[method, "--delay=1000", "a", "b", "c"]);
        let demo = demo.process_group(0).spawn().expect("mp-demo starts");
        let mut asleep = Asleep(demo, Vec::new());
        let deadline = Instant::now() + Duration::from_secs(10);
        while asleep.1.len() != 3 {
            assert!(Instant::now() < deadline, "{:?} are its processes", asleep.1);
            thread::yield_now();
            asleep.1 = children(asleep.0.id());
        }
        asleep
    }

    /// How it ended, and what was said until none of them had the output open.
    fn end(mut self) -> (String, ExitStatus) {
        let mut stdout = self.0.stdout.take().expect("piped");
        let mut stderr = self.0.stderr.take().expect("piped");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut said = String::new();
            let read = stdout.read_to_string(&mut said).and(stderr.read_to_string(&mut said));
            sender.send(read.map(|_| said))
        });
        let said = receiver.recv_timeout(Duration::from_secs(10)).expect("all processes end");
        (said.expect("text"), self.0.wait().expect("it was started"))
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        kill("KILL", &format!("-{}", self.0.id())); // the group, so that orphans are ended as well
        let _ = self.0.wait();
    }
}

fn kill(signal: &str, pid: &str) {
    let script = format!("kill -s {signal} -- {pid} 2>/dev/null");
    let _ = Command::new("sh").args(["-c", &script]).status();
}

/// The processes whose parent it is, in the order of their PIDs.
fn children(parent: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent_of = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let mut children: Vec<u32> = pids.filter(|pid| parent_of(pid) == Some(parent)).collect();
    children.sort_unstable();
    children
}

#[test]
fn each_name_is_greeted_once_with_the_time() {
    let now = || SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64();
    for style in ["--style=function", "--style=trait"] {
        for method in METHODS {
            let before = now();
            let output = run(&[style, method]);
            let (names, times) = greetings(&output);
            assert_eq!(names, ["Jake", "Mike"]);
            assert!(times.iter().all(|time| (before..=now()).contains(time)), "{times:?}");
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        }
    }
}

#[test]
fn a_name_may_be_any_text() {
    let not_utf8 = OsString::from_vec(b"\xff".to_vec());
    let names = ["--", "a b", "", "жук", "-x", "exitcodes"].map(OsString::from);
    for method in METHODS {
        let args = [&[method.into()], &names[..], slice::from_ref(&not_utf8)].concat();
        let output = run(&args);
        assert_eq!(greetings(&output).0, ["", "-x", "a b", "exitcodes", "жук", "\u{fffd}"]);
        assert!(output.stdout.windows(9).any(|bytes| bytes.starts_with(b"Hello \xff ")));
    }
}

#[test]
fn the_time_is_that_of_the_greeting_after_the_delay() {
    for method in METHODS {
        let before = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64();
        let times = greetings(&run(&[method, "--delay", "0.05"])).1;
        assert!(times.iter().all(|time| time - before >= 0.05), "{times:?} from {before}");
    }
}

#[test]
fn a_process_per_name_and_all_at_once() {
    for method in METHODS {
        let asleep = Asleep::start(method);
        assert_eq!(asleep.1.len(), 3);
    }
}

#[test]
fn a_process_that_was_killed_is_named_with_its_exitcode_once_all_have_ended() {
    for method in METHODS {
        let asleep = Asleep::start(method);
        let pids = asleep.1.clone();
        for (pid, signal) in [(pids[2], "INT"), (pids[1], "TERM"), (pids[0], "KILL")] {
            kill(signal, &pid.to_string());
        }
        let (said, status) = asleep.end();
        assert_eq!(said, format!("mp-demo: process {} \"a\": exitcode -9\n", pids[0]));
        assert_eq!(status.code(), Some(1));
    }
}

#[test]
fn the_processes_end_when_only_the_parent_is_killed() {
    for method in METHODS {
        let asleep = Asleep::start(method);
        kill("KILL", &asleep.0.id().to_string());
        let (said, status) = asleep.end();
        assert_eq!((said.as_str(), status.signal()), ("", Some(9)));
    }
}

#[test]
fn ctrl_c_ends_all_without_a_word() {
    for method in METHODS {
        let asleep = Asleep::start(method);
        kill("INT", &format!("-{}", asleep.0.id()));
        let (said, status) = asleep.end();
        assert_eq!((said.as_str(), status.signal()), ("", Some(2)));
    }
}

#[test]
fn a_full_stdout_is_the_failure_of_each_process() {
    for method in METHODS {
        let full = File::options().write(true).open("/dev/full").expect("/dev/full");
        let output = demo(&[method, "Bob"]).stdout(full).output().expect("mp-demo starts");
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines[0], "mp-demo: stdout: No space left on device (os error 28)");
        assert!(lines[1].ends_with(" \"Bob\": exitcode 1") && lines.len() == 2, "{said}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_closed_stdout_is_a_quiet_end() {
    for args in [&METHODS[..1], &METHODS[1..], &["exitcodes"]] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let output = demo(args).stdout(writer).output().expect("mp-demo starts");
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{args:?}");
    }
}

#[test]
fn wrong_usage_is_exit_2_and_nothing_on_stdout() {
    let delays = ["-1", "x", "inf", ""].map(|delay| vec!["--delay", delay]);
    let others = [&["--style", "class"][..], &["--start-method", "thread"], &["--what"]];
    for args in delays.into_iter().chain(others.map(<[_]>::to_vec)) {
        let output = run(&args);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
    }
}
