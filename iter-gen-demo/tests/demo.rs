//! Runs the program as a user does.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iter-gen-demo"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the demo starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the demo writes UTF-8")
}

/// What the demo prints for these lines of stdin, after `start grep`.
fn found(pattern: &str, stdin: &[u8]) -> (Vec<u8>, Output) {
    let arguments = ["--stop", "0", "--top", "0", "--pattern", pattern, "-"];
    let mut demo = Running::new(demo(&arguments).stdin(Stdio::piped()).stderr(Stdio::piped()));
    let mut input = demo.0.stdin.take().expect("stdin is piped");
    let stdin = stdin.to_vec();
    // Written beside: with both pipes full, the demo and the test would wait for each other.
    let writer = thread::spawn(move || input.write_all(&stdin));
    let output = demo.output();
    let _ = writer.join(); // fails when the demo ends before it has read all
    let lines = output.stdout.strip_prefix(b"start grep\n").expect("it starts").to_vec();
    (lines, output)
}

/// Ends the process also when an assertion fails.
struct Running(Child);

impl Running {
    fn new(command: &mut Command) -> Running {
        Running(command.stdout(Stdio::piped()).spawn().expect("the demo starts"))
    }

    fn output(&mut self) -> Output {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let pipe = self.0.stdout.as_mut().expect("stdout is piped");
        pipe.read_to_end(&mut stdout).expect("stdout can be read");
        if let Some(pipe) = &mut self.0.stderr {
            pipe.read_to_end(&mut stderr).expect("stderr can be read");
        }
        let status = self.0.wait().expect("the demo is a child");
        Output { status, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn without_arguments_it_prints_what_the_note_prints() {
    let output = run(&mut demo(&[]));
    let expected = "0\n1\n2\n3\n4\n5\n6\n7\n8\n0\n1\n2\n3\nstart grep\npython is simple\n";
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn every_option_takes_effect() {
    let arguments = ["--stop", "2", "--top", "3", "--pattern", "ж.", "ж", "aж.b", "", "-", "ж."];
    let output = run(&mut demo(&arguments));
    assert_eq!(text(&output.stdout), "0\n1\n0\n1\n2\nstart grep\naж.b\nж.\n");
}

#[test]
fn a_match_is_printed_before_the_next_line_is_asked_for() {
    let arguments = ["--stop", "0", "--top", "0", "-"];
    let mut demo = Running::new(demo(&arguments).stdin(Stdio::piped()));
    let (sender, lines) = mpsc::channel();
    let stdout = BufReader::new(demo.0.stdout.take().expect("stdout is piped"));
    thread::spawn(move || stdout.lines().try_for_each(|line| sender.send(line)));
    let next = || lines.recv_timeout(Duration::from_secs(20)).map(|line| line.expect("a line"));

    let mut stdin: ChildStdin = demo.0.stdin.take().expect("stdin is piped");
    assert_eq!(next().as_deref(), Ok("start grep"));
    for i in 0..3 {
        write!(stdin, "nothing\npython {i}\n").expect("the demo reads");
        assert_eq!(next(), Ok(format!("python {i}")));
    }
    drop(stdin);
    assert_eq!(next(), Err(mpsc::RecvTimeoutError::Disconnected));
    assert!(demo.0.wait().expect("the demo is a child").success());
}

#[test]
fn lines_of_stdin_are_bytes_printed_as_they_came() {
    for (stdin, expected) in [
        (&b"\xff python \xc3\n\n"[..], &b"\xff python \xc3\n"[..]),
        (b"python\r\n", b"python\r\n"),
        (b"a\0python\0b\n", b"a\0python\0b\n"),
        (b"python, and no end of line", b"python, and no end of line\n"),
        (b"", b""),
    ] {
        assert_eq!(found("python", stdin).0, expected);
    }
}

#[test]
fn arguments_are_bytes_too() {
    let arguments = [&b"--pattern=\xff"[..], b"a\xff\xfe", b"a"].map(OsStr::from_bytes);
    let output = run(demo(&["--stop", "0", "--top", "0"]).args(arguments));
    assert_eq!(output.stdout, b"start grep\na\xff\xfe\n");
}

#[test]
fn the_empty_pattern_is_in_every_line() {
    assert_eq!(found("", b"one\n\ntwo\n").0, b"one\n\ntwo\n");
}

#[test]
fn a_line_of_one_mebibyte_is_searched_and_a_longer_one_is_an_error() {
    let mut line = vec![b'a'; 1 << 20];
    line.extend(b"\nb");
    assert!(found("a", &line).0 == line[..=1 << 20], "a line of 1 MiB");
    assert!(found("a", &line[..1 << 20]).0 == line[..=1 << 20], "the same without an end");

    let (lines, output) = found("a", &vec![b'a'; 3 << 20]);
    assert_eq!(lines, b"");
    assert_eq!(text(&output.stderr), "iter-gen-demo: stdin: a line of more than 1 MiB\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn stdin_that_can_not_be_read_is_an_error() {
    let output = run(demo(&["-"]).stdin(File::open("/").expect("the root is a directory")));
    assert_eq!(text(&output.stderr), "iter-gen-demo: stdin: Is a directory (os error 21)\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn endless_numbers_need_no_memory_and_end_with_their_reader() {
    let most = "18446744073709551615";
    for arguments in [["--stop", most, "--top", "0"], ["--top", most, "--stop", "0"]] {
        let mut command = demo(&arguments);
        let mut demo = Running::new(command.stderr(Stdio::piped()));
        let mut lines = BufReader::new(demo.0.stdout.take().expect("stdout is piped")).lines();
        let last = lines.nth(99_999).expect("a line").expect("stdout can be read");
        assert_eq!(last, "99999");
        let status = fs::read_to_string(format!("/proc/{}/status", demo.0.id())).expect("/proc");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        let peak: u32 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
        assert!(peak < 16 * 1024, "{peak} KiB");

        drop(lines);
        let mut stderr = String::new();
        let pipe = demo.0.stderr.as_mut().expect("stderr is piped");
        pipe.read_to_string(&mut stderr).expect("stderr can be read");
        assert_eq!(stderr, "");
        assert_eq!(demo.0.wait().expect("the demo is a child").code(), Some(0));
    }
}

#[test]
fn closed_stdout_ends_it_quietly() {
    for topic in [&[][..], &["difference"], &["coroutine"]] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let output = run(demo(topic).stdout(writer));
        assert_eq!(text(&output.stderr), "", "{topic:?}");
        assert_eq!(output.status.code(), Some(0), "{topic:?}");
    }
}

#[test]
fn full_stdout_is_an_error_also_when_the_coroutine_meets_it() {
    for topic in [&[][..], &["--stop=0", "--top=0"], &["difference"], &["coroutine"]] {
        let full = File::create("/dev/full").expect("Linux has /dev/full");
        let output = run(demo(topic).stdout(full));
        let expected = "iter-gen-demo: stdout: No space left on device (os error 28)\n";
        assert_eq!(text(&output.stderr), expected, "{topic:?}");
        assert_eq!(output.status.code(), Some(1), "{topic:?}");
    }
}

#[test]
fn wrong_usage_says_so_and_prints_nothing() {
    for wrong in [
        &["--stop=-1"][..],
        &["--stop=18446744073709551616"],
        &["--top", "x"],
        &["--unknown"],
        &["difference", "line"],
    ] {
        let output = run(&mut demo(wrong));
        assert_eq!(text(&output.stdout), "", "{wrong:?}");
        assert!(text(&output.stderr).starts_with("error: "), "{wrong:?}");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

/// Each of these lines, in this order, with any others between.
fn assert_in_order(stdout: &[u8], expected: &[&str]) {
    let mut lines = text(stdout).lines();
    for line in expected {
        assert!(lines.any(|found| found.trim_end() == *line), "{line:?} in\n{}", text(stdout));
    }
}

#[test]
fn difference_shows_when_the_body_of_a_generator_runs() {
    let output = run(&mut demo(&["difference"]));
    let expected = [
        "    g = traced(2)",
        "    g.next()",
        "        | begins",
        "        | yields 0",
        "                            Some(0)",
        "    g.next()",
        "        | goes on after its yield",
        "        | yields 1",
        "                            Some(1)",
        "    g.next()",
        "        | goes on after its yield",
        "        | returns",
        "                            None",
    ];
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert!(lines.windows(expected.len()).any(|part| part == expected), "{lines:#?}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn difference_shows_where_each_keeps_its_state_and_where_its_data_flows() {
    let output = run(&mut demo(&["difference"]));
    assert_in_order(
        &output.stdout,
        &[
            "    it                      MyIt { stop: 4, curr: 2 }",
            "    it.curr = 0; it         MyIt { stop: 4, curr: 0 }",
            "    g                       Suspended",
            "    b.next()                Some(0)",
            "    a.next()                Some(2)",
            "    it.next(), it.next()    (None, None)",
            "    g.next(), g.next()      (None, None)",
            "    it.curr = 0; it.next()  Some(0)",
            "start grep",
            "    g.send(\"I love u, Anya\")",
            "    g.send(\"python is simple\")",
            "python is simple",
        ],
    );
}

#[test]
fn coroutine_shows_what_python_does_in_each_call() {
    let output = run(&mut demo(&["coroutine"]));
    assert_in_order(
        &output.stdout,
        &[
            "g.send(\"too early\")",
            "    TypeError: it has not started: no yield waits for a value",
            "g.next()",
            "    | start grep",
            "    Suspended",
            "g.throw(InvalidInput, \"no such line\")",
            "    | handled: no such line",
            "    Suspended",
            "g.close()",
            "    | stop grep",
            "    Closed",
            "g.close()",
            "    Closed",
            "g.send(\"too late\")",
            "    StopIteration",
            "g.throw(Interrupted, \"something wrong\")",
            "    | stop grep",
            "    Interrupted: something wrong",
            "    StopIteration",
            "g.close()",
            "    Closed",
            "g.next()",
            "    StopIteration",
        ],
    );
    assert_eq!(text(&output.stdout).matches("| start grep").count(), 2);
    assert_eq!(text(&output.stdout).matches("| stop grep").count(), 2);
    assert_eq!(output.status.code(), Some(0));
}
