//! From the start of a program to its first line.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::stream::spawn;
use super::{nanos, tell, unknown};
use crate::contest::{Case, Goal, Row, rust};
use crate::folder;

/// The demos, and what the note's Python imports.
const DEMOS: [(&str, &str, &str); 8] = [
    ("fork-demo", "os, time", "Python: os"),
    ("mp-demo", "multiprocessing, time", "Python: multiprocessing"),
    ("thread-demo", "threading", "Python: threading"),
    ("pool-demo", "concurrent.futures.thread, time", "Python: concurrent.futures"),
    ("queue-demo", "threading, queue", "Python: threading, queue"),
    ("socket-server", "socket", "Python: socket"),
    ("epoll-demo", "socket, select", "Python: socket, select"),
    ("iter-gen-demo", "sys", "Python"),
];

pub(crate) fn row(quick: bool) -> Row {
    let starts = if quick { 10 } else { 30 };
    let case = |(demo, _, python): &(&'static str, &str, &'static str)| Case {
        name: (*demo).into(),
        args: vec![starts],
        field: [demo, "empty Rust program", "C", python].map(rust).into(),
        goals: vec![Goal::Above("empty Rust program", 1.5), Goal::Times(python, 1.0)],
        ..Case::default()
    };
    let demos = if quick { &DEMOS[..2] } else { &DEMOS };
    Row {
        name: "start",
        title: "From the start to the first line",
        unit: "ms a start",
        growth: None,
        cases: demos.iter().map(case).collect(),
    }
}

/// `args`: how many starts.
pub(crate) fn take_part(name: &str, args: &[u64]) -> io::Result<()> {
    let &[starts] = args else { return Err(unknown(name)) };
    let mut all = Duration::ZERO;
    for _ in 0..starts {
        all += start(name)?;
    }
    tell(nanos(all, starts) / 1e6, starts);
    Ok(())
}

fn start(name: &str) -> io::Result<Duration> {
    let mut command = match name {
        "empty Rust program" => Command::new(std::env::current_exe()?.with_file_name("hello")),
        "C" => Command::new(folder("BENCH_C").join("hello")),
        demo if DEMOS.iter().any(|known| known.0 == demo) => {
            Command::new(folder("BENCH_DEMOS").join(demo))
        }
        _ => {
            let modules =
                DEMOS.iter().find(|known| known.2 == name).ok_or_else(|| unknown(name))?.1;
            let mut command = Command::new(folder("BENCH_PYTHON"));
            command.args(["-c", &format!("import {modules}; print('Hello', flush=True)")]);
            command
        }
    };
    // A server says first where it listens, on stderr.
    let is_server = ["socket-server", "epoll-demo"].contains(&name);
    if is_server {
        command.arg("127.0.0.1:0");
    }
    let begin = Instant::now();
    let mut child =
        spawn(name, command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let mut first = [0];
    match (&mut child.stdout, &mut child.stderr) {
        (_, Some(stderr)) if is_server => stderr.read_exact(&mut first)?,
        (Some(stdout), _) => stdout.read_exact(&mut first)?,
        _ => {}
    }
    let took = begin.elapsed();
    if is_server {
        child.kill()?;
    }
    child.wait_with_output()?; // it may have more to say
    Ok(took)
}
