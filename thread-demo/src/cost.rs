//! What a thread costs in time, addresses and memory, measured on a hundred that wait.
//!
//! Run it: `cargo run -p thread-demo -- limits`.

use std::fs;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::proc::{field, mapping_of};
use crate::{failed, print_line};

/// Starts the threads, or as many as the system allows, and prints what each took.
pub(crate) fn show() -> io::Result<()> {
    let gate = Mutex::new(());
    let ready = AtomicU32::new(0);
    let local = AtomicUsize::new(0);
    let main = thread::current();
    let wait_at_gate = || {
        let here = 0_u8;
        local.store((&raw const here).addr(), Ordering::Relaxed);
        ready.fetch_add(1, Ordering::Release);
        main.unpark();
        drop(gate.lock());
    };

    let (maps_before, resident_before) = (maps()?, resident()?);
    thread::scope(|scope| {
        let closed = gate.lock(); // dropped however we leave: the gate opens, and the threads end
        let start = Instant::now();
        let mut started = 0;
        while started < 100 {
            if let Err(why) = thread::Builder::new().spawn_scoped(scope, wait_at_gate) {
                print_line(format_args!("Thread {} was refused: {why}", started + 1))?;
                break;
            }
            started += 1;
        }
        while ready.load(Ordering::Acquire) < started {
            thread::park();
        }
        let time = start.elapsed();
        let (maps, resident) = (maps()?, resident()?);
        drop(closed);
        if started == 0 {
            return Ok(());
        }

        let micros = (time / started).as_micros();
        let stack = mapping_of(local.load(Ordering::Relaxed), &maps).unwrap_or(0);
        let each = |after: usize, before| after.saturating_sub(before) / started as usize;
        let memory = each(resident, resident_before);
        let mappings = each(maps.lines().count(), maps_before.lines().count());
        print_line(format_args!("What each of {started} that wait costs:"))?;
        print_line(format_args!("  {micros:>8}  microseconds to start"))?;
        print_line(format_args!("  {stack:>8}  KiB of addresses: its stack"))?;
        print_line(format_args!("  {memory:>8}  KiB of memory: the pages touched"))?;
        print_line(format_args!("  {mappings:>8}  mappings: two stacks, two guards"))
    })
}

fn maps() -> io::Result<String> {
    fs::read_to_string("/proc/self/maps").map_err(failed("/proc/self/maps"))
}

/// Resident memory in KiB. `VmRSS` would be cheaper, but may lag behind: `proc_pid_status(5)`.
fn resident() -> io::Result<usize> {
    let path = "/proc/self/smaps_rollup";
    let rollup = fs::read_to_string(path).map_err(failed(path))?;
    let rss = field(&rollup, "Rss:").split_whitespace().next();
    Ok(rss.and_then(|kib| kib.parse().ok()).unwrap_or(0))
}
