//! The walkthrough, with everything built.

use std::io;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{nanos, tell};
use crate::contest::{Case, Goal, Row, rust};
use crate::{failed, folder};

pub(crate) fn row() -> Row {
    Row {
        name: "walkthrough",
        title: "The walkthrough, everything built",
        unit: "s a run",
        growth: None,
        cases: vec![Case {
            name: "scripts/walkthrough".into(),
            args: vec![1],
            field: vec![rust("walkthrough")],
            goals: vec![Goal::Under(2.0)],
            ..Case::default()
        }],
    }
}

/// Once before the clock runs: that may build.
pub(crate) fn take_part() -> io::Result<()> {
    run()?;
    let start = Instant::now();
    run()?;
    tell(nanos(start.elapsed(), 1) / 1e9, "exit status 0");
    Ok(())
}

fn run() -> io::Result<()> {
    let script = folder("BENCH_PEERS").join("../../walkthrough");
    let mut command = Command::new(&script);
    let output = command.stdin(Stdio::null()).output().map_err(failed(script.display()))?;
    if output.status.success() {
        return Ok(());
    }
    // A check of its own has failed, or it can't be built: it says so itself.
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Err(io::Error::other(format!("walkthrough: {}\n{said}", output.status)))
}
