//! What comes out: a table for people, JSON for programs, RESULTS.md for the record.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::contest::{Outcome, Row, Standing};
use crate::failed;
use crate::plot;

type Results = [(Row, Vec<Outcome>)];

/// Where and when it was measured.
pub(crate) struct Machine(Vec<(&'static str, String)>);

impl Machine {
    pub(crate) fn look(quick: bool) -> io::Result<Self> {
        let first = |path: &str, begin: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(begin)).unwrap_or_default();
            line.rsplit(": ").next().unwrap_or_default().trim().to_string()
        };
        let says = |program: &str, args: &[&str]| {
            let output = Command::new(program).args(args).output();
            let text = output.map_or_else(|_| Vec::new(), |output| output.stdout);
            String::from_utf8_lossy(&text).lines().next().unwrap_or("none").to_string()
        };
        let python = crate::folder("BENCH_PYTHON");
        Ok(Self(vec![
            ("date", says("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
            ("processor", first("/proc/cpuinfo", "model name")),
            ("processors", std::thread::available_parallelism()?.to_string()),
            ("kernel", first("/proc/sys/kernel/osrelease", "")),
            ("Rust", says("rustc", &["--version"])),
            ("C", says("cc", &["--version"])),
            ("Python", says(&python.to_string_lossy(), &["--version"])),
            ("load at the beginning", first("/proc/loadavg", "")),
            ("measured", if quick { "quick" } else { "whole" }.to_string()),
        ]))
    }
}

/// A figure with three digits that say something.
fn figure(value: f64) -> String {
    match value {
        v if v >= 10_000.0 => {
            let digits = format!("{v:.0}");
            let mut grouped = String::new();
            for (place, digit) in digits.chars().enumerate() {
                if place > 0 && (digits.len() - place).is_multiple_of(3) {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            grouped
        }
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// What one of them had to say besides.
fn besides(standing: &Standing) -> String {
    let all: Vec<_> =
        standing.besides.iter().map(|(name, value)| format!("{name} {}", figure(*value))).collect();
    all.join(", ")
}

/// How often, and how far apart the processors were.
fn circumstances(outcome: &Outcome) -> String {
    let rounds = format!("{} rounds", outcome.rounds);
    match outcome.distance {
        Some([before, _]) => {
            format!("{rounds}; from processor to processor and back {before:.0} ns")
        }
        None => rounds,
    }
}

/// A case for the terminal.
pub(crate) fn text(outcome: &Outcome) -> String {
    let mut out = format!("  {}, {}\n", outcome.name, circumstances(outcome));
    for standing in &outcome.standings {
        let (name, median) = (standing.name, figure(standing.median));
        let ratio = figure(standing.ratio);
        let _ = writeln!(out, "    {name:<28}{median:>14}{ratio:>10} x  {}", besides(standing));
    }
    for name in &outcome.absent {
        let _ = writeln!(out, "    {name:<28}{:>14}", "not here");
    }
    for goal in &outcome.goals {
        let met = if goal.reached >= 1.0 { "met   " } else { "MISSED" };
        let _ = writeln!(out, "    {met} {}", goal.words);
    }
    if let Some(doubt) = outcome.doubt() {
        let _ = writeln!(out, "    too noisy to believe: {doubt}");
    }
    out
}

/// All figures for programs.
pub(crate) fn json(machine: &Machine, results: &Results) -> Value {
    let standing = |s: &Standing| {
        json!({"name": s.name, "median": s.median, "ratio": s.ratio,
            "ratio_quartiles": [s.quartiles.0, s.quartiles.1], "besides": s.besides})
    };
    let case = |o: &Outcome| {
        let goals = o.goals.iter().map(|g| json!({"goal": g.words, "reached": g.reached}));
        json!({"name": o.name, "standings": o.standings.iter().map(standing).collect::<Vec<_>>(),
            "goals": goals.collect::<Vec<_>>(), "rounds": o.rounds, "distance": o.distance, "absent": o.absent, "others": o.others,
            "doubt": o.doubt()})
    };
    let row = |(row, outcomes): &(Row, Vec<Outcome>)| {
        json!({"row": row.name, "title": row.title, "unit": row.unit,
            "cases": outcomes.iter().map(case).collect::<Vec<_>>()})
    };
    let machine: serde_json::Map<_, _> =
        machine.0.iter().map(|(name, value)| ((*name).to_string(), json!(value))).collect();
    json!({"machine": machine, "rows": results.iter().map(row).collect::<Vec<_>>()})
}

/// RESULTS.md and a plot for each row that grows. What was tried is written by hand, in README.md.
pub(crate) fn write(folder: &Path, machine: &Machine, results: &Results) -> io::Result<()> {
    let mut out = String::from(
        "# Results\n\nWritten by `scripts/bench/run --write scripts/bench`. A column of figures says \
         what the work takes, the median over the rounds; *x* is how many times ours that is, the \
         median of the rounds' ratios. What was tried where a goal is missed: [README.md](README.md).\n\n",
    );
    for (name, value) in &machine.0 {
        let _ = writeln!(out, "- {name}: {value}");
    }
    for (row, outcomes) in results {
        let _ = write!(out, "\n## {}\n\n`--only {}`, {}\n", row.title, row.name, row.unit);
        if let Some(axis) = row.growth {
            let path = format!("plots/{}.svg", row.name);
            fs::create_dir_all(folder.join("plots"))?;
            let svg = plot::svg(row, outcomes, axis);
            fs::write(folder.join(&path), svg).map_err(failed(&path))?;
            let _ = write!(out, "\n![{}]({path})\n", row.title);
        }
        for outcome in outcomes {
            let _ = write!(
                out,
                "\n### {}\n\n{}\n\n| | {} | x | |\n|---|--:|--:|---|\n",
                outcome.name,
                circumstances(outcome),
                row.unit
            );
            for s in &outcome.standings {
                let (median, ratio) = (figure(s.median), figure(s.ratio));
                let _ = writeln!(out, "| {} | {median} | {ratio} | {} |", s.name, besides(s));
            }
            out.push('\n');
            for goal in &outcome.goals {
                let met = if goal.reached >= 1.0 { "met" } else { "**missed**" };
                let _ = writeln!(out, "- {met}: {}", goal.words);
            }
            if !outcome.absent.is_empty() {
                let _ = writeln!(out, "- not here: {}", outcome.absent.join(", "));
            }
            if let Some(doubt) = outcome.doubt() {
                let _ = writeln!(out, "- too noisy to believe: {doubt}");
            }
        }
    }
    fs::write(folder.join("RESULTS.md"), out.replace("\n\n\n", "\n\n"))
}

/// Says how many goals are met; fails where a ratio is far from its goal, and not for the noise.
pub(crate) fn judge(factor: Option<f64>, results: &Results) -> io::Result<()> {
    let goals = || results.iter().flat_map(|(_, outcomes)| outcomes).flat_map(|o| &o.goals);
    let met = goals().filter(|goal| goal.reached >= 1.0).count();
    let noisy = results.iter().flat_map(|(_, o)| o).filter(|o| o.doubt().is_some()).count();
    eprintln!("\n{met} of {} goals met; {noisy} cases too noisy to believe", goals().count());
    let Some(factor) = factor else { return Ok(()) };
    let calm = results.iter().flat_map(|(_, outcomes)| outcomes).filter(|o| o.doubt().is_none());
    let far: Vec<_> = calm
        .flat_map(|outcome| outcome.goals.iter().map(move |goal| (&outcome.name, goal)))
        .filter(|(_, goal)| goal.is_ratio && goal.reached * factor < 1.0)
        .map(|(case, goal)| format!("{case}: {}", goal.words))
        .collect();
    if far.is_empty() { Ok(()) } else { Err(io::Error::other(far.join("; "))) }
}
