//! fork-demo's `in_child` and mp-demo's `Process`: start and join, one after the other.

use std::hint::black_box;
use std::io;

use nix::sys::prctl;

use super::{size, timed, unknown};
use crate::contest::{Case, Goal, Row, c, python, rust};
use crate::fork_child::in_child;
use crate::process_demo::{Method, Process};

pub(crate) fn row(quick: bool) -> Row {
    let times = if quick { 300 } else { 1000 };
    let mut cases = vec![
        Case {
            name: "fork, wait".into(),
            args: vec![times, 0],
            field: vec![rust("fork-demo"), c("C fork"), c("C vfork"), python("Python os.fork")],
            goals: vec![Goal::Times("C fork", 1.0 / 1.05), Goal::Times("Python os.fork", 1.0)],
            processors: 1,
            ..Case::default()
        },
        Case {
            name: "Process(target=f).start(), join(): fork".into(),
            args: vec![times, 0],
            field: vec![
                rust("mp-demo fork"),
                c("C fork"),
                python("Python multiprocessing fork").share(5),
            ],
            goals: vec![
                Goal::Times("C fork", 1.0 / 1.05),
                Goal::Times("Python multiprocessing fork", 1.0),
            ],
            processors: 1,
            ..Case::default()
        },
        Case {
            name: "Process(target=f).start(), join(): spawn".into(),
            args: vec![times, 0],
            field: vec![
                rust("mp-demo spawn"),
                c("C posix_spawn"),
                python("Python multiprocessing spawn").share(100),
            ],
            goals: vec![
                Goal::Times("C posix_spawn", 1.0 / 1.05),
                Goal::Times("Python multiprocessing spawn", 20.0),
            ],
            processors: 1,
            ..Case::default()
        },
    ];
    for mib in if quick { &[128][..] } else { &[1, 16, 64, 256, 1024] } {
        cases.push(Case {
            name: format!("fork with {mib} MiB in pages of 4 KiB"),
            point: u32::try_from(*mib).ok().map(|mib| ("fork, wait: memory of the parent", mib)),
            args: vec![(4000 / mib).clamp(10, 300), *mib],
            field: vec![
                rust("fork-demo"),
                c("C fork"),
                c("C posix_spawn"),
                python("Python os.fork"),
            ],
            goals: vec![Goal::Times("C fork", 1.0 / 1.05)],
            processors: 1,
            ..Case::default()
        });
    }
    Row {
        name: "process",
        title: "Processes: start and join",
        unit: "ns a process",
        growth: Some("MiB in the parent"),
        cases,
    }
}

/// `args`: how many processes, and how many MiB the parent has.
pub(crate) fn take_part(name: &str, args: &[u64]) -> io::Result<()> {
    let &[times, mib] = args else { return Err(unknown(name)) };
    prctl::set_thp_disable(true)?; // pages of 4 KiB
    let memory = black_box(vec![1_u8; size(mib << 20)]);
    let process = |method: fn() -> Method| {
        let mut process = Process::new(|()| Ok(()), ()).start(method())?;
        if process.join()? == 0 { Ok(1) } else { Err(io::Error::other("a child failed")) }
    };
    let start_and_join = || match name {
        "fork-demo" => in_child(|| Ok(())).map(|()| 1),
        "mp-demo fork" => process(|| Method::Fork),
        "mp-demo spawn" => process(|| Method::Spawn(vec!["nothing".into()])),
        _ => Err(unknown(name)),
    };
    start_and_join()?;
    timed(times, || (0..times).map(|_| start_and_join()).sum())?;
    drop(memory);
    Ok(())
}
