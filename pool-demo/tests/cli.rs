//! Runs the program as a user does.

#![allow(clippy::unwrap_used, reason = "to panic is how a test fails")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for any machine; reached only when something hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// A running pool-demo, ended at the latest when the test ends.
struct Program(Child);

impl Program {
    fn start(arguments: &str, stdout: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pool-demo"));
        command.args(arguments.split_whitespace()).stdin(Stdio::null());
        Self(command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn stdout(&mut self) -> BufReader<ChildStdout> {
        BufReader::new(self.0.stdout.take().unwrap())
    }

    /// Waits for the end: exit code, what is left of stdout, stderr.
    fn end(&mut self) -> (Option<i32>, String, String) {
        let stdout = read_aside(self.0.stdout.take());
        let stderr = read_aside(self.0.stderr.take());
        let stdout = stdout.recv_timeout(LIMIT).expect("stdout is closed in time");
        let stderr = stderr.recv_timeout(LIMIT).expect("stderr is closed in time");
        (self.0.wait().unwrap().code(), stdout, stderr)
    }

    /// The names of its threads but the first.
    fn workers(&self) -> Vec<String> {
        let main = self.0.id().to_string();
        let task = format!("/proc/{main}/task");
        let tids = fs::read_dir(&task).unwrap().map(|entry| entry.unwrap().file_name());
        let tids = tids.map(|tid| tid.into_string().unwrap()).filter(|tid| *tid != main);
        let names = tids.map(|tid| fs::read_to_string(format!("{task}/{tid}/comm")).unwrap());
        let mut names: Vec<_> = names.map(|name| name.trim_end().to_string()).collect();
        names.sort_by_key(|name| (name.len(), name.clone()));
        names
    }

    /// Waits until it has `count` threads, all of them asleep.
    fn wait_until_asleep(&self, count: usize) {
        let task = format!("/proc/{}/task", self.0.id());
        let asleep = || {
            let tids = fs::read_dir(&task).unwrap().map(|tid| tid.unwrap().path().join("stat"));
            let states: Vec<_> = tids.map(|stat| fs::read_to_string(stat).unwrap()).collect();
            states.len() == count && states.iter().all(|state| state.contains(") S "))
        };
        let start = Instant::now();
        while !asleep() {
            assert!(start.elapsed() < LIMIT, "its threads never come to rest");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads to the end in a thread of its own; nothing, if there is nothing to read from.
fn read_aside(from: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        from.map(|mut from| from.read_to_string(&mut text));
        let _ = send.send(text);
    });
    receive
}

/// Runs to the end, without a word on stderr: the results, and the line after them.
fn results(arguments: &str) -> (Vec<String>, String) {
    let (code, stdout, stderr) = Program::start(arguments, Stdio::piped()).end();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let mut lines: Vec<_> = stdout.lines().map(String::from).collect();
    let time = lines.pop().expect("the last line is the time");
    (lines, time)
}

/// `a ** exponent` with pencil and paper.
fn power(a: u64, exponent: u32) -> String {
    const BASE: u64 = 1_000_000_000;
    let mut digits = vec![1];
    for _ in 0..exponent {
        let mut carry = 0;
        for digit in &mut digits {
            carry += *digit * a;
            *digit = carry % BASE;
            carry /= BASE;
        }
        if carry > 0 {
            digits.push(carry);
        }
    }
    let digits: Vec<_> = digits.iter().rev().map(|digit| format!("{digit:09}")).collect();
    let text = digits.concat();
    let text = text.trim_start_matches('0');
    if text.is_empty() { "0" } else { text }.to_string()
}

#[test]
fn prints_the_powers_of_the_note_and_then_the_time() {
    let (results, time) = results("");
    assert_eq!(results.len(), 10);
    let expected: BTreeSet<_> = (0..10).map(|a| power(a, 2000)).collect();
    assert_eq!(results.into_iter().collect::<BTreeSet<_>>(), expected);
    let time: f64 = time.strip_prefix("Time: ").unwrap().parse().unwrap();
    assert!(time > 0.0);
}

#[test]
fn every_power_is_exact() {
    for (tasks, exponent) in [(1, 0), (3, 1), (40, 137), (300, 3)] {
        let (results, _) = results(&format!("--ordered --tasks {tasks} --exponent {exponent}"));
        let expected: Vec<_> = (0..tasks).map(|a| power(a, exponent)).collect();
        assert_eq!(results, expected);
    }
}

#[test]
fn a_great_exponent_is_no_trouble() {
    let (results, _) = results("--exponent 200000 --ordered");
    assert_eq!(results[9].len(), 190_849); // 200000 * log10(9), rounded up
    assert!(results[9].ends_with("462088000001")); // pow(9, 200000, 10**12)
}

#[test]
fn no_task_means_no_line_but_the_time() {
    let (results, time) = results("--tasks 0");
    assert!(results.is_empty());
    assert!(time.starts_with("Time: "));
}

#[test]
fn results_are_printed_as_they_complete() {
    let (results, _) = results("--workers 4 --tasks 4 --exponent 1 --delay 0.1");
    assert_eq!(results, ["3", "2", "1", "0"]);
}

#[test]
fn ordered_prints_in_the_order_of_submission() {
    let (results, _) = results("--workers 4 --tasks 4 --exponent 1 --delay 0.02 --ordered");
    assert_eq!(results, ["0", "1", "2", "3"]);
}

#[test]
fn one_worker_takes_the_tasks_in_the_order_of_submission() {
    let (results, _) = results("--workers 1 --tasks 100 --exponent 1");
    assert!(results.into_iter().eq((0..100).map(|a| a.to_string())));
}

#[test]
fn the_first_result_comes_while_the_other_workers_are_busy() {
    // The first is done after 0.2 s, the last after 12 s.
    let start = Instant::now();
    let arguments = "--workers 60 --tasks 60 --exponent 1 --delay 0.2";
    let mut program = Program::start(arguments, Stdio::piped());
    let mut line = String::new();
    program.stdout().read_line(&mut line).unwrap();
    assert_eq!(line, "59\n");
    assert!(start.elapsed() < Duration::from_secs(12), "not printed before all are done");
    let names: Vec<_> = (0..60).map(|number| format!("pool-{number}")).collect();
    assert_eq!(program.workers(), names);
}

#[test]
fn there_are_never_more_threads_than_workers() {
    // Far more than a pipe holds: as long as we don't read, the program can't end.
    let mut program = Program::start("--workers 3 --tasks 200", Stdio::piped());
    program.wait_until_asleep(4);
    assert_eq!(program.workers(), ["pool-0", "pool-1", "pool-2"]);
    let (code, stdout, _) = program.end();
    assert_eq!((code, stdout.lines().count()), (Some(0), 201));
}

#[test]
fn futures_do_what_they_say() {
    let (code, stdout, stderr) = Program::start("futures", Stdio::piped()).end();
    let expected = "\
is_done         false while the task runs, then true
result_timeout  nothing within 0.01 s, so we have the future back
result          slow
as_completed    quick, slow: as they finish
map             slow, quick: as they were submitted
a panic         4, panicked: attempt to divide by zero, 3: it fails alone
cancel          false for the task that runs, true for the next one
                slow, cancelled
";
    // Nothing on stderr: the panic belongs to its future.
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), expected, ""));
}

#[test]
fn wrong_usage_is_refused_before_anything_is_printed() {
    for arguments in [
        "--workers 0",
        "--workers 257",
        "--workers -1",
        "--tasks -1",
        "--exponent -1",
        "--exponent 1.5",
        "--delay nan",
        "--delay -1",
        "--exponent 50000000",
        "10",
    ] {
        let (code, stdout, stderr) = Program::start(arguments, Stdio::piped()).end();
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments}");
        assert!(stderr.starts_with("error: "), "{arguments}: {stderr}");
    }
}

#[test]
fn a_full_stdout_is_an_error_and_nobody_waits_for_the_other_tasks() {
    // The first result comes after 0.2 s, the last would after 40 s.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let arguments = "--workers 200 --tasks 200 --exponent 1 --delay 0.2";
    let (code, _, stderr) = Program::start(arguments, full.into()).end();
    let message = "pool-demo: stdout: No space left on device (os error 28)\n";
    assert_eq!((code, stderr.as_str()), (Some(1), message));
}

#[test]
fn a_closed_stdout_is_a_quiet_end() {
    let mut program = Program::start("--delay 0.01", Stdio::piped());
    drop(program.stdout());
    let (code, _, stderr) = program.end();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
}
