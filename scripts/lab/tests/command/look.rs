//! `cargo lab look` as a user runs it: what it draws is what happened, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

fn look(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.arg("look").args(arguments).stdin(Stdio::null());
    command.env("COLUMNS", "80").env_remove("NO_COLOR");
    command
}

fn output(arguments: &[&str]) -> Output {
    look(arguments).output().expect("lab can be run")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// A file of this test's own.
fn file(name: &str) -> String {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).to_str().expect("UTF-8").into()
}

/// What a shell script does, as the events of the trace; also what was shown.
fn traced(test: &str, script: &str) -> (Vec<Value>, String) {
    let trace = file(&format!("{test}.json"));
    let shown = output(&["--trace", &trace, "--", "/bin/sh", "-c", script]);
    (events(&trace), stdout(&shown))
}

fn events(trace: &str) -> Vec<Value> {
    let trace: Value = serde_json::from_slice(&fs::read(trace).expect("a trace")).expect("JSON");
    trace["traceEvents"].as_array().expect("events").clone()
}

fn named<'a>(events: &'a [Value], name: &'a str) -> impl Iterator<Item = &'a Value> {
    events.iter().filter(move |event| event["name"] == name)
}

/// How many tasks of a run ended how, and how many executions there were after the first one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    endings: BTreeMap<String, usize>,
    executions: usize,
}

fn counted_by_look(events: &[Value]) -> Counts {
    let mut counts = Counts { executions: named(events, "exec").count(), ..Counts::default() };
    for task in named(events, "alive") {
        let ending = task["args"]["ending"].as_str().unwrap_or("unknown").to_string();
        *counts.endings.entry(ending).or_default() += 1;
    }
    counts
}

fn counted_by_strace(log: &str) -> Counts {
    let mut counts = Counts::default();
    for line in fs::read_to_string(log).expect("a log").lines() {
        if let Some((_, rest)) = line.split_once("+++ exited with ") {
            let status = rest.split(' ').next().unwrap_or_default();
            *counts.endings.entry(format!("exit status {status}")).or_default() += 1;
        } else if line.contains("+++ killed by ") {
            *counts.endings.entry("killed".into()).or_default() += 1;
        }
        let executed = line.contains("execve(") || line.contains("<... execve resumed>");
        counts.executions += usize::from(executed && line.ends_with("= 0"));
    }
    counts.executions -= 1;
    counts
}

fn demo(name: &str) -> String {
    crate::demos().join(name).to_str().expect("UTF-8").into()
}

/// A program that is killed when the test ends, however it ends.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a command; once it says where it listens, two clients come and go. Then its end.
fn serve(mut command: Command) {
    let mut guard = Guard(
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be run"),
    );
    // Under `look` the server's stderr is shown on stdout, under strace it is its own.
    let (send, lines) = std::sync::mpsc::channel();
    let stdout =
        guard.0.stdout.take().map(|stream| Box::new(stream) as Box<dyn std::io::Read + Send>);
    let stderr =
        guard.0.stderr.take().map(|stream| Box::new(stream) as Box<dyn std::io::Read + Send>);
    for stream in [stdout, stderr].into_iter().flatten() {
        let send = send.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
    }
    drop(send);
    let address = loop {
        let line = lines.recv_timeout(Duration::from_secs(20)).expect("a line");
        if let Some((_, address)) = line.split_once("listening on ") {
            break address.trim().to_string();
        }
    };
    for _ in 0..2 {
        let mut client = TcpStream::connect(&address).expect("a connection");
        client.write_all(b"hello").expect("a write");
        client.shutdown(std::net::Shutdown::Write).expect("a shutdown");
        let _ = client.read_to_end(&mut Vec::new());
    }
    while lines.recv_timeout(Duration::from_secs(20)).is_ok() {}
    guard.0.wait().expect("it ends");
}

#[test]
fn births_ends_and_executions_are_those_that_strace_sees_for_all_demos() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("left out: strace is not installed");
        return;
    }
    let server = ["127.0.0.1:0", "--connections", "2"];
    let threaded = ["127.0.0.1:0", "--connections", "2", "--threads"];
    // Nobody listens there: the client says so, and ends.
    let nobody = ["--addr", "127.0.0.1:1"];
    let cases: [(&str, &[&str], bool); 10] = [
        ("fork-demo", &[], false),
        ("mp-demo", &["--start-method", "spawn"], false),
        ("mp-demo", &[], false),
        ("thread-demo", &["Ann", "Bob", "Eve"], false),
        ("pool-demo", &["--workers", "4"], false),
        ("queue-demo", &[], false),
        ("socket-server", &threaded, true),
        ("socket-client", &nobody, false),
        ("epoll-demo", &server, true),
        ("iter-gen-demo", &[], false),
    ];
    for (name, arguments, serves) in cases {
        let (trace, log) = (file(&format!("{name}.json")), file(&format!("{name}.strace")));
        let mut looked = look(&["--trace", &trace, "--", &demo(name)]);
        looked.args(arguments);
        let mut strace = Command::new("strace");
        strace.args(["-f", "-q", "-e", "trace=execve", "-e", "signal=none", "-o", &log]);
        strace.arg(demo(name)).args(arguments).stdin(Stdio::null());
        if serves {
            serve(looked);
            serve(strace);
        } else {
            looked.output().expect("lab can be run");
            strace.output().expect("strace can be run");
        }
        let (seen, expected) = (counted_by_look(&events(&trace)), counted_by_strace(&log));
        assert!(!expected.endings.is_empty(), "{name}");
        // Whoever is ended with the whole process is said to be killed by some kernels.
        assert_eq!(seen, expected, "{name}");
    }
}

#[test]
fn a_lab_is_built_and_looked_at_by_its_name() {
    let shown = output(&["thread", "--", "Ann", "Bob"]);
    let text = stdout(&shown);
    assert_eq!(shown.status.code(), Some(0), "{text}");
    assert!(text.contains("$ cargo run -p thread-demo -- Ann Bob\n"), "{text}");
    assert!(text.contains("1 process, 2 threads made"), "{text}");
    // Named as the kernel names them, under who made them.
    assert!(text.contains("\n├ Ann ") && text.contains("\n└ Bob "), "{text}");
    assert!(text.contains(": Hello,  Ann\n"), "{text}");
}

#[test]
fn every_line_fits_and_is_plain_where_there_is_no_terminal() {
    for (columns, width) in [("80", 80), ("160", 160), ("50", 50)] {
        let mut command = look(&["--", "/bin/sh", "-c", "sleep 0.05; echo a; (exit 3) & wait"]);
        let shown = command.env("COLUMNS", columns).output().expect("lab can be run");
        let text = stdout(&shown);
        assert!(!text.contains('\x1b'), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{columns}: {line}");
        }
    }
}

#[test]
fn what_is_waited_for_is_told_apart() {
    let script = "/bin/sleep 0.2; echo x | (/bin/sleep 0.2; /bin/cat); /bin/sleep 0.2 & wait";
    let (events, text) = traced("waits", script);
    for wait in ["sleep", "wait for child"] {
        assert!(named(&events, wait).count() > 0, "{wait}: {text}");
    }
    let slept: f64 = named(&events, "sleep").filter_map(|event| event["dur"].as_f64()).sum();
    assert!((550e3..3e6).contains(&slept), "{slept} {text}");
    let executed = named(&events, "exec").filter_map(|event| event["args"]["file"].as_str());
    let executed: Vec<&str> = executed.collect();
    assert_eq!(executed.iter().filter(|file| file.ends_with("sleep")).count(), 3, "{executed:?}");
}

#[test]
fn each_line_is_on_the_lane_of_who_wrote_it() {
    let (events, text) =
        traced("lines", "echo first; (echo second; exit 0) & wait; /bin/echo third");
    let writer = |line: &str| {
        let event = named(&events, line).next().unwrap_or_else(|| panic!("{line}: {text}"));
        (event["tid"].as_i64(), event["ts"].as_f64())
    };
    let ids = ["first", "second", "third"].map(writer);
    assert_ne!(ids[0].0, ids[1].0);
    assert_ne!(ids[1].0, ids[2].0);
    assert!(ids[0].1 < ids[1].1 && ids[1].1 < ids[2].1, "{ids:?}");
}

#[test]
fn the_exit_status_is_that_of_the_program() {
    let status = |script: &str| output(&["-q", "--", "/bin/sh", "-c", script]).status.code();
    assert_eq!(status("exit 0"), Some(0));
    assert_eq!(status("exit 7"), Some(7));
    assert_eq!(status("kill -TERM $$"), Some(128 + 15));
}

#[test]
fn what_can_not_be_run_is_said_in_one_line() {
    for arguments in
        [&["--", "/no/such/program"][..], &["no-such-file.py"], &["--", "no-such-word"], &[]]
    {
        let shown = output(arguments);
        assert_eq!(shown.status.code(), Some(3), "{arguments:?}");
        let said = String::from_utf8_lossy(&shown.stderr).into_owned();
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn what_does_not_end_is_asked_to_and_then_made_to() {
    let shown = output(&["--for", "0.3", "--", "/bin/sleep", "61.5"]);
    let text = stdout(&shown);
    assert_eq!(shown.status.code(), Some(0), "{text}");
    assert!(text.contains("(SIGINT)") && text.contains("signal 2"), "{text}");
    let begun = Instant::now();
    let stubborn = "trap '' INT; while :; do /bin/sleep 61.75; done";
    let shown = output(&["--for", "0.3", "--", "/bin/sh", "-c", stubborn]);
    assert!(stdout(&shown).contains("by force"), "{}", stdout(&shown));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn two_runs_are_drawn_on_one_axis() {
    let svg = file("both.svg");
    let shown = output(&[
        "-q",
        "--compare",
        "sh -c 'sleep 0.3; exit 4'",
        "--svg",
        &svg,
        "--",
        "/bin/sh",
        "-c",
        "exit 5",
    ]);
    let text = stdout(&shown);
    // The second one's; and the first one has 0.3 seconds, which are on the axis of both.
    assert_eq!(shown.status.code(), Some(5), "{text}");
    assert!(text.contains("exit status 4") && text.contains("exit status 5"), "{text}");
    assert_eq!(text.matches("╷200 ms").count(), 2, "{text}");
    let svg = fs::read_to_string(svg).expect("the picture");
    assert!(svg.contains("sleep 0.3; exit 4") && svg.contains("exit 5"));
}

#[test]
fn many_are_one_band_that_says_how_many() {
    let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do /bin/sleep 0.3 & done; wait";
    let shown = output(&["-q", "--rows", "6", "--", "/bin/sh", "-c", script]);
    let text = stdout(&shown);
    assert!(text.contains("12 × sleep") && text.contains("≤ 12"), "{text}");
}

#[test]
fn text_of_programs_can_steer_neither_the_terminal_nor_the_page() {
    let (svg, html) = (file("evil.svg"), file("evil.html"));
    let script = r#"printf '\033[2J<script>alert(1)</script>"&\n'; printf '<b>\033]0;x' > /proc/$$/comm; sleep 0.01"#;
    let shown = output(&["--svg", &svg, "--html", &html, "--", "/bin/sh", "-c", script]);
    assert!(!stdout(&shown).contains('\x1b'), "{}", stdout(&shown));
    for picture in [svg, html] {
        let picture = fs::read_to_string(picture).expect("the picture");
        assert!(!picture.contains('\x1b') && !picture.contains("<script>alert"), "{picture}");
        assert!(!picture.contains("<b>\\"), "{picture}");
    }
}

#[test]
fn the_page_needs_nothing_else() {
    let html = file("page.html");
    output(&["-q", "--html", &html, "--", "/bin/sh", "-c", "sleep 0.1 & echo a; wait"]);
    let page = fs::read_to_string(html).expect("the page");
    for outside in ["http:", "https:", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    for inside in ["<!DOCTYPE html>", "prefers-color-scheme: dark", "name=\"viewport\"", "<svg "] {
        assert!(page.contains(inside), "{inside}");
    }
    let opened = |tag: &str| page.matches(&format!("<{tag}")).count();
    for tag in ["div", "svg", "table", "details", "ul"] {
        assert_eq!(opened(tag), page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn connections_are_seen_as_they_come_and_go() {
    let trace = file("connections.json");
    let mut command = look(&["--trace", &trace, "--", &demo("socket-server")]);
    command.args(["127.0.0.1:0", "--connections", "2"]);
    serve(command);
    let events = events(&trace);
    let connections =
        events.iter().filter(|event| event["cat"] == "connection" && event["ph"] == "b");
    assert_eq!(connections.count(), 2);
}
