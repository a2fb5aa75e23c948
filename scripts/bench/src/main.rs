//! Measures the engines of the demos side by side with what people would take instead.
//!
//! Run it: `scripts/bench/run --help`. Read on in `contest.rs` (who is measured, and how), then in
//! `rows/`: a file for each row of the table.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::time::Duration;

use clap::Parser;

use contest::Rounds;

mod agree;
mod contest;
mod distance;
mod plot;
mod report;
mod rows;

// The demos' own code. What it asks for at the root of its crate stands at the end of this file.
#[path = "../../../queue-demo/src/blocking.rs"]
mod blocking;
#[path = "../../../mp-demo/src/child.rs"]
mod child;
#[path = "../../../iter-gen-demo/src/coroutine.rs"]
#[allow(dead_code)] // what is not measured; so it is below
mod coroutine;
#[path = "../../../pool-demo/src/executor.rs"]
#[allow(dead_code)]
mod executor;
#[path = "../../../fork-demo/src/child.rs"]
#[allow(dead_code)]
mod fork_child;
#[path = "../../../pool-demo/src/future.rs"]
#[allow(dead_code)]
mod future;
#[path = "../../../iter-gen-demo/src/generator.rs"]
mod generator;
#[path = "../../../iter-gen-demo/src/my_iter.rs"]
mod my_iter;
#[path = "../../../mp-demo/src/process.rs"]
#[allow(dead_code)]
mod process_demo;
#[path = "../../../queue-demo/src/queue.rs"]
#[allow(dead_code)]
mod queue;
#[path = "../../../queue-demo/src/unfinished.rs"]
#[allow(dead_code)]
mod unfinished;

/// Measures each demo's engine against its peers: how many times as long they take.
#[derive(Parser)]
#[command(name = "scripts/bench/run")]
struct Options {
    /// Less work and fewer rounds: under two minutes, and not so exact
    #[arg(long)]
    quick: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Measure this row alone; may be given several times
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// How often each of them works; each time somebody else begins. If not said: 5 times (3 with
    /// --quick), and up to five times as often where that takes only seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Fail if a ratio misses its goal by more than this factor
    #[arg(long, value_name = "FACTOR")]
    judge: Option<f64>,
    /// Measure nothing: say whether these outputs of --json agree on who is ahead
    #[arg(long, value_name = "FILE", num_args = 1.., exclusive = true)]
    agree: Vec<PathBuf>,
    /// Write RESULTS.md and its plots, in this folder
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let done = match words.first().map(String::as_str) {
        Some("contestant") => rows::take_part(&words[1..]),
        Some("threads") => rows::thread::bare(&words[1..]),
        Some("serve") => rows::echo::serve(words.get(1).map_or("", String::as_str)),
        Some("nothing") => Ok(()), // a program to be started
        _ => match Options::parse() {
            Options { agree, .. } if !agree.is_empty() => agree::show(&agree),
            options => measure(&options),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(why);
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> io::Result<()> {
    let rounds = match (options.rounds, options.quick) {
        (Some(rounds), _) => Rounds { least: rounds.into(), spare: Duration::ZERO },
        (None, true) => Rounds { least: 3, spare: Duration::from_secs(1) },
        (None, false) => Rounds { least: 5, spare: Duration::from_secs(4) },
    };
    let mut results = Vec::new();
    let machine = report::Machine::look(options.quick)?;
    for row in rows::all(options.quick) {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == row.name) {
            continue;
        }
        if !options.json {
            println!("\n{} ({})", row.title, row.unit);
        }
        let mut outcomes = Vec::new();
        for case in &row.cases {
            let outcome = contest::hold(&row, case, rounds)?;
            if !options.json {
                print!("{}", report::text(&outcome));
            }
            outcomes.push(outcome);
        }
        results.push((row, outcomes));
        if let Some(folder) = &options.write {
            report::write(folder, &machine, &results)?; // what there is, should the rest fail
        }
    }
    if results.is_empty() {
        let names: Vec<_> = rows::all(true).iter().map(|row| row.name).collect();
        return Err(io::Error::other(format!("no such row; there are {}", names.join(", "))));
    }
    if options.json {
        println!("{:#}", report::json(&machine, &results));
    }
    report::judge(options.judge, &results)
}

/// What `run` says about where things are.
fn folder(variable: &str) -> PathBuf {
    env::var_os(variable).map(PathBuf::from).unwrap_or_default()
}

/// Puts the call and its subject before the system's words.
fn failed(what: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |why| io::Error::new(why.kind(), format!("{what}: {why}"))
}

/// The exit status of a child.
fn status(done: io::Result<()>) -> u8 {
    done.map_or_else(
        |why| {
            say(why);
            1
        },
        |()| 0,
    )
}

fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "bench {}: {line}", process::id());
}
