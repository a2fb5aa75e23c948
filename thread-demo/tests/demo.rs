//! Runs the program as a user does.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thread-demo"));
    command.args(arguments).env_remove("RUST_MIN_STACK").stdin(Stdio::null());
    command
}

/// Limits the address space, in KiB, so that the fourth stack of a GiB is refused.
fn demo_with_room_for_three_stacks(argument: &str) -> Command {
    let program = env!("CARGO_BIN_EXE_thread-demo");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v 4000000; exec '{program}' {argument}")]);
    command.env("RUST_MIN_STACK", "1073741824").stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the demo starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the demo writes UTF-8")
}

fn sorted_lines(bytes: &[u8]) -> Vec<&str> {
    let mut lines: Vec<&str> = text(bytes).lines().collect();
    lines.sort_unstable();
    lines
}

/// Ends the process also when an assertion fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn without_arguments_it_prints_what_the_note_prints() {
    let output = run(&mut demo(&[]));
    assert_eq!(text(&output.stdout), "Hello,  Bob\n");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn both_styles_greet_everybody_once() {
    for style in ["function", "trait"] {
        let output =
            run(&mut demo(&["--style", style, "--delay", "0.01", "Ann", "", "Жан", "Ann"]));
        let expected = ["Hello,  ", "Hello,  Ann", "Hello,  Ann", "Hello,  Жан"];
        assert_eq!(sorted_lines(&output.stdout), expected, "--style {style}");
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn all_threads_are_alive_at_once_in_one_process_and_named() {
    for style in ["function", "trait"] {
        let names = ["--style", style, "--delay", "600", "Ann", "a name of twenty-four B"];
        let demo = Running(demo(&names).stdout(Stdio::null()).spawn().expect("the demo starts"));
        let expected = HashSet::from(["thread-demo", "Ann", "a name of twent"].map(String::from));
        // A thread names itself, a moment after it is born.
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut found = HashSet::new();
        while found != expected && Instant::now() < deadline {
            found = threads_of(&demo.0).unwrap_or_default();
            std::thread::yield_now();
        }
        assert_eq!(found, expected, "--style {style}");
        let children = format!("/proc/{0}/task/{0}/children", demo.0.id());
        assert_eq!(fs::read_to_string(children).unwrap_or_default(), "");
    }
}

fn threads_of(process: &Child) -> io::Result<HashSet<String>> {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.id()))?;
    let name = |task: io::Result<fs::DirEntry>| fs::read_to_string(task?.path().join("comm"));
    tasks.map(|task| Ok(name(task)?.trim_end().to_string())).collect()
}

#[test]
fn closed_stdout_ends_it_quietly() {
    for topic in [&["Ann", "Bob"][..], &["anatomy"], &["limits"]] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let output = run(demo(topic).stdout(writer));
        assert_eq!(text(&output.stderr), "", "{topic:?}");
        assert_eq!(output.status.code(), Some(0), "{topic:?}");
    }
}

#[test]
fn full_stdout_is_one_error_however_many_threads_meet_it() {
    for topic in [&["Ann", "Bob", "Eve"][..], &["anatomy"], &["limits"]] {
        let full = File::create("/dev/full").expect("Linux has /dev/full");
        let output = run(demo(topic).stdout(full));
        let expected = "thread-demo: stdout: No space left on device (os error 28)\n";
        assert_eq!(text(&output.stderr), expected, "{topic:?}");
        assert_eq!(output.status.code(), Some(1), "{topic:?}");
    }
}

#[test]
fn a_refused_thread_is_an_error_after_the_others_have_ended() {
    for style in ["function", "trait"] {
        let arguments = format!("--style {style} --delay 0.05 Ann Bob Eve Max Zoe");
        let output = run(&mut demo_with_room_for_three_stacks(&arguments));
        assert_eq!(sorted_lines(&output.stdout), ["Hello,  Ann", "Hello,  Bob", "Hello,  Eve"]);
        let expected = "thread-demo: start thread \"Max\": \
                        Resource temporarily unavailable (os error 11)\n";
        assert_eq!(text(&output.stderr), expected);
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn wrong_usage_says_so_and_prints_nothing() {
    for wrong in [
        &["--delay", "x"][..],
        &["--delay=-1"],
        &["--delay", "nan"],
        &["--delay", "1e300"],
        &["--style", "class"],
        &["--unknown"],
        &["anatomy", "Bob"],
    ] {
        let output = run(&mut demo(wrong));
        assert_eq!(text(&output.stdout), "", "{wrong:?}");
        assert!(text(&output.stderr).starts_with("error: "), "{wrong:?}");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn anatomy_shows_one_process_and_three_threads() {
    let output = run(&mut demo(&["anatomy"]));
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
    let rows = |table| rows(text(&output.stdout), table);
    let distinct = |table: &[Vec<&str>], column: usize| {
        table.iter().map(|row| row[column].to_string()).collect::<HashSet<_>>().len()
    };

    let shared = rows("Shared: ");
    assert_eq!(distinct(&shared, 1), 1, "one PID");
    assert_eq!(distinct(&shared, 2), 1, "GLOBAL at one address");
    assert!(shared.iter().all(|row| row[3] == "3"), "GLOBAL with one value");

    let own = rows("Its own: ");
    assert_eq!(own[0][1], shared[0][1], "the first thread's TID is the PID");
    assert_eq!(distinct(&own, 1), 3, "a TID each");
    assert_eq!(distinct(&own, 2), 3, "OWN at an address each");
    assert!(own.iter().all(|row| row[3] == "1"), "OWN with a value each");
    assert_eq!(distinct(&own, 4), 3, "a stack each");
    assert_eq!([own[1][5], own[2][5]], ["2048", "2048"], "KiB");

    let kernel = rows("The kernel's view");
    for (row, (name, state)) in
        kernel.iter().zip([("thread-demo", "R"), ("Ann", "S"), ("Bob", "S")])
    {
        assert_eq!([row[2], row[3]], [name, state]);
    }

    let steps = rows("Its own sequence");
    for lane in &steps {
        assert_eq!(lane[1..].concat().len(), 30, "{lane:?}");
    }
}

/// The rows of a table: the indented lines below its heading that begin with a name.
fn rows<'a>(text: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let below = text.lines().skip_while(|line| !line.starts_with(heading)).skip(1);
    let indented = below.take_while(|line| line.starts_with("  "));
    let rows = indented.filter(|line| !line.starts_with("   "));
    rows.map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn limits_shows_a_panic_as_the_end_of_a_thread_and_a_crash_as_that_of_a_process() {
    let output = run(&mut demo(&["limits"]));
    let stdout = text(&output.stdout);
    assert!(stdout.contains("join() of \"unlucky\": Err(\"no luck\")\n"), "{stdout}");
    assert!(stdout.contains("recursed too deep: signal: 6 (SIGABRT)\n"), "{stdout}");
    assert!(stdout.contains("What each of 100 that wait costs:"), "{stdout}");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn limits_goes_on_with_as_many_threads_as_it_gets() {
    let output = run(&mut demo_with_room_for_three_stacks("limits"));
    let stdout = text(&output.stdout);
    assert!(stdout.contains("Thread 4 was refused: Resource temporarily unavailable"), "{stdout}");
    assert!(stdout.contains("What each of 3 that wait costs:"), "{stdout}");
    assert_eq!(output.status.code(), Some(0));
}
