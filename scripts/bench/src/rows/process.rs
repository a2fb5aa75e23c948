//! fork-demo's `in_child` and mp-demo's `Process`: start and join, one after the other.

use std::hint::black_box;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use nix::sys::mman::{MmapAdvise, madvise};
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
            args: vec![times, 0, 0],
            field: vec![rust("fork-demo"), c("C fork"), c("C vfork"), python("Python os.fork")],
            goals: vec![Goal::Times("C fork", 1.0 / 1.05), Goal::Times("Python os.fork", 1.0)],
            processors: 1,
            ..Case::default()
        },
        Case {
            name: "Process(target=f).start(), join(): fork".into(),
            args: vec![times, 0, 0],
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
            args: vec![times, 0, 0],
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
    let (small, huge): (&[u64], &[u64]) =
        if quick { (&[128], &[]) } else { (&[1, 16, 64, 256, 1024], &[16, 64, 256, 1024]) };
    let case = |mib: u64, pages: &str, series, is_huge| Case {
        name: format!("fork with {mib} MiB in {pages}"),
        point: u32::try_from(mib).ok().map(|mib| (series, mib)),
        args: vec![(4000 / mib).clamp(10, 300), mib, is_huge],
        field: vec![rust("fork-demo"), c("C fork")],
        goals: vec![Goal::Times("C fork", 1.0 / 1.05)],
        processors: 1,
        ..Case::default()
    };
    for &mib in small {
        let mut case = case(mib, "pages of 4 KiB", "fork, wait: memory of the parent", 0);
        case.field.extend([c("C posix_spawn"), python("Python os.fork")]);
        cases.push(case);
    }
    for &mib in huge {
        cases.push(case(mib, "huge pages", "fork, wait: memory of the parent, in huge pages", 1));
    }
    Row {
        name: "process",
        title: "Processes: start and join",
        unit: "ns a process",
        growth: Some("MiB in the parent"),
        cases,
    }
}

/// `args`: how many processes, how many MiB the parent has, and whether in huge pages.
pub(crate) fn take_part(name: &str, args: &[u64]) -> io::Result<()> {
    let &[times, mib, is_huge] = args else { return Err(unknown(name)) };
    prctl::set_thp_disable(is_huge == 0)?; // pages of 4 KiB
    let memory = black_box(filled(size(mib << 20))?);
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

const HUGE_PAGE: usize = 2 << 20;

/// Room for so many bytes, each written to; in huge pages, if these are not disabled.
#[allow(unsafe_code)]
fn filled(bytes: usize) -> io::Result<Vec<u8>> {
    let mut memory = Vec::<u8>::with_capacity(bytes + HUGE_PAGE);
    let before = memory.as_ptr().align_offset(HUGE_PAGE);
    let room = &mut memory.spare_capacity_mut()[before..][..bytes];
    // SAFETY: whole pages of the vector's own, of which it changes nothing but their size.
    unsafe { madvise(NonNull::from_mut(room).cast(), bytes, MmapAdvise::MADV_HUGEPAGE)? };
    room.fill(MaybeUninit::new(1));
    Ok(memory)
}
