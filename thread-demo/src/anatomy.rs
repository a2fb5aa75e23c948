//! What the threads of a process share, and what each has of its own: the note's list, seen.
//!
//! Three threads note what they see of themselves and then wait at a barrier, so that all that
//! is shown is so at the same time.
//!
//! Run it: `cargo run -p thread-demo -- anatomy`.

use std::cell::Cell;
use std::fs;
use std::io;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::gettid;

use crate::proc::{field, mapping_of};
use crate::{failed, print_line, spawn, steps};

/// One for the process.
static GLOBAL: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// One for each thread.
    static OWN: Cell<u32> = const { Cell::new(0) };
}

/// Where the three threads meet. On an error main returns, which ends whoever waits here.
static BARRIER: Barrier = Barrier::new(3);

/// What a thread sees of itself.
struct View {
    name: &'static str,
    pid: u32,
    tid: i32,
    global: (usize, u32), // address and value
    own: (usize, u32),
    local: usize,
}

impl View {
    fn new(name: &'static str) -> View {
        let local = 0_u32;
        GLOBAL.fetch_add(1, Ordering::Relaxed);
        OWN.set(OWN.get() + 1);
        BARRIER.wait(); // each of the three has added 1
        View {
            name,
            pid: process::id(),
            tid: gettid().as_raw(),
            global: ((&raw const GLOBAL).addr(), GLOBAL.load(Ordering::Relaxed)),
            own: OWN.with(|own| ((&raw const *own).addr(), own.get())),
            local: (&raw const local).addr(),
        }
    }
}

/// Prints what the threads main, Ann and Bob share, and what they do not.
pub(crate) fn show() -> io::Result<()> {
    let names = ["Ann", "Bob"];
    let (sender, views) = mpsc::channel();
    let mut threads = Vec::new();
    for name in names {
        let sender = sender.clone();
        threads.push(spawn(name, move || {
            let _ = sender.send(View::new(name)); // the receiver lives as long as main
            BARRIER.wait(); // held while main shows
            steps::work(name);
        })?);
    }
    let mut all = vec![View::new("main")];
    all.extend(views.iter().take(2));
    all[1..].sort_by_key(|view| view.name);

    show_memory(&all)?;
    show_kernel(&all)?;
    BARRIER.wait();
    for thread in threads {
        thread.join().expect("the threads above do not panic");
    }
    steps::show(names)
}

fn show_memory(views: &[View]) -> io::Result<()> {
    print_line("One process, three threads: main, Ann and Bob, held at a barrier.\n")?;
    print_line("Shared: the process and its memory. Each thread added 1 to GLOBAL.")?;
    print_line("        PID      address of GLOBAL  value")?;
    for View { name, pid, global: (address, value), .. } in views {
        print_line(format_args!("  {name:4}  {pid:<7}  {address:<#17x}  {value}"))?;
    }
    print_line("\nIts own: TID, thread-local variables, stack. Each thread added 1 to OWN.")?;
    print_line("        TID      address of OWN  value  address of a local  its stack")?;
    let maps = fs::read_to_string("/proc/self/maps").map_err(failed("/proc/self/maps"))?;
    for View { name, tid, own: (address, value), local, .. } in views {
        let stack = mapping_of(*local, &maps).unwrap_or(0);
        print_line(format_args!(
            "  {name:4}  {tid:<7}  {address:<#14x}  {value:<5}  {local:<#18x}  {stack} KiB"
        ))?;
    }
    Ok(())
}

fn show_kernel(views: &[View]) -> io::Result<()> {
    let pid = process::id();
    print_line(format_args!("\nThe kernel's view: /proc/{pid}/task/TID/status"))?;
    print_line("        TID      name         state         switches: voluntary, forced")?;
    for View { name, tid, .. } in views {
        let path = format!("/proc/self/task/{tid}/status");
        let deadline = Instant::now() + Duration::from_secs(1);
        // A thread still runs for a moment between noting its view and sleeping at the barrier.
        let status = loop {
            let status = fs::read_to_string(&path).map_err(failed(&path))?;
            let asleep = field(&status, "State:").starts_with('S');
            if *name == "main" || asleep || Instant::now() > deadline {
                break status;
            }
            thread::yield_now();
        };
        print_line(format_args!(
            "  {name:4}  {tid:<7}  {:11}  {:12}  {:>19}  {:>6}",
            field(&status, "Name:"),
            field(&status, "State:"),
            field(&status, "voluntary_ctxt_switches:"),
            field(&status, "nonvoluntary_ctxt_switches:"),
        ))?;
    }
    Ok(())
}
