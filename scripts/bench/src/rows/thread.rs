//! thread-demo itself, with few names and with many: what each more of them takes.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{nanos, size, tell, unknown};
use crate::contest::{Case, Goal, Row, rust};
use crate::{failed, folder};

pub(crate) fn row(quick: bool) -> Row {
    let numbers: &[u32] = if quick { &[500] } else { &[10, 100, 1000, 4000] };
    let case = |&number: &u32| Case {
        name: format!("{number} threads, all started, then all joined"),
        point: Some(("start, greet, join", number)),
        args: vec![u64::from(number)],
        field: ["thread-demo", "std bare", "C pthread", "Python threading"].map(rust).into(),
        goals: if number < 100 {
            vec![]
        } else {
            vec![Goal::Times("std bare", 1.0 / 1.1), Goal::Times("Python threading", 2.0)]
        },
        ..Case::default()
    };
    Row {
        name: "thread",
        title: "Threads: start, greet, join",
        unit: "ns a thread",
        growth: Some("threads"),
        cases: numbers.iter().map(case).collect(),
    }
}

/// `args`: how many threads.
pub(crate) fn take_part(name: &str, args: &[u64]) -> io::Result<()> {
    let &[number] = args else { return Err(unknown(name)) };
    let rounds = (2000 / number).clamp(4, 20);
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        few.push(greet(name, 1)?);
        many.push(greet(name, 1 + number)?);
    }
    // The fastest of each: whatever else happens to the start of a program only takes longer.
    let fastest = |times: Vec<Duration>| times.into_iter().min().unwrap_or_default();
    let more = fastest(many).saturating_sub(fastest(few));
    tell(nanos(more, number), number);
    Ok(())
}

/// Runs the program with so many names; each must be greeted.
fn greet(name: &str, number: u64) -> io::Result<Duration> {
    let mut command = match name {
        "thread-demo" => Command::new(folder("BENCH_DEMOS").join("thread-demo")),
        "std bare" => Command::new(std::env::current_exe()?),
        "C pthread" => Command::new(folder("BENCH_C").join("thread")),
        "Python threading" => {
            let mut command = Command::new(folder("BENCH_PYTHON"));
            command.arg("-I").arg(folder("BENCH_PEERS").join("thread.py"));
            command
        }
        _ => return Err(unknown(name)),
    };
    if name == "std bare" {
        command.arg("threads");
    }
    command.args((0..number).map(|n| format!("n{n}"))).stdout(Stdio::piped());
    let start = Instant::now();
    let mut child = match command.spawn() {
        Err(why) if why.kind() == io::ErrorKind::NotFound => super::absent(),
        child => child.map_err(failed(name))?,
    };
    let mut text = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut text)?;
    }
    let status = child.wait()?;
    let took = start.elapsed();
    let mut greeted: Vec<_> = text.lines().collect();
    greeted.sort_unstable();
    greeted.dedup();
    let right = greeted.iter().all(|line| line.starts_with("Hello,  n"));
    if status.success() && right && greeted.len() == size(number) {
        return Ok(took);
    }
    Err(io::Error::other(format!("{name}: {status}, {} greeted of {number}", greeted.len())))
}

/// The peer: std and nothing else.
pub(crate) fn bare(names: &[String]) -> io::Result<()> {
    let greet = |name: String| {
        thread::spawn(move || io::stdout().write_all(format!("Hello,  {name}\n").as_bytes()))
    };
    let threads: Vec<_> = names.iter().cloned().map(greet).collect();
    threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
}
