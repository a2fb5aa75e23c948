//! A class of submissions, graded: how near that comes to what their own runs take.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio, id};
use std::thread::available_parallelism;
use std::time::Instant;
use std::{env, fs};

use serde_json::Value;

use super::{size, tell};
use crate::contest::{Case, Goal, Row, rust};
use crate::{failed, folder};

/// Below 1 where runs that wait stand beside others; the more above it, the more grading itself takes.
pub(crate) fn row() -> Row {
    let case = |lab: &'static str| Case {
        name: format!("40 submissions to the lab {lab}"),
        args: vec![40],
        field: vec![rust(lab)],
        goals: vec![Goal::Under(1.3)],
        ..Case::default()
    };
    Row {
        name: "grading",
        title: "Grading a class: the time it takes over the time that the programs run, a processor",
        unit: "times",
        growth: None,
        cases: vec![case("thread"), case("pool")],
    }
}

/// Grades copies of the lab's demo, which all have to get all points.
pub(crate) fn take_part(lab: &str, args: &[u64]) -> io::Result<()> {
    let class = env::temp_dir().join(format!("bench-class-{}", id()));
    fs::create_dir(&class).map_err(failed(class.display()))?;
    let done = grade(lab, size(args[0]), &class);
    fs::remove_dir_all(&class)?;
    let (ratio, full) = done?;
    tell(ratio, format!("{full} with all points"));
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // a number of processors
fn grade(lab: &str, count: usize, class: &Path) -> io::Result<(f64, usize)> {
    let demo = folder("BENCH_DEMOS").join(format!("{lab}-demo"));
    let copies: Vec<_> = (0..count).map(|number| class.join(format!("student-{number}"))).collect();
    for copy in &copies {
        fs::copy(&demo, copy).map_err(failed(demo.display()))?;
    }
    let script = folder("BENCH_PEERS").join("../../grade");
    let run = |copies: &[_], records: &Path| {
        let mut command = Command::new(&script);
        command.arg(lab).args(copies).arg("--json").arg(records);
        command.stdin(Stdio::null()).output().map_err(failed(script.display()))
    };
    let records = class.join("records.json");
    run(&copies[..1], &records)?; // before the clock runs: that may build
    let start = Instant::now();
    let output = run(&copies, &records)?;
    let took = start.elapsed().as_secs_f64();
    let text = fs::read(&records).map_err(failed(String::from_utf8_lossy(&output.stderr)))?;
    let all: Value = serde_json::from_slice(&text)?;
    let of = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let checks: Vec<_> = of(&all, "records").iter().map(|record| of(record, "checks")).collect();
    let ran: f64 = checks.iter().flatten().filter_map(|check| check["ran"].as_f64()).sum();
    let full = checks.iter().filter(|all| all.iter().all(|check| check["status"] == "pass"));
    Ok((took / (ran / available_parallelism()?.get() as f64), full.count()))
}
