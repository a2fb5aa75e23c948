//! The clock of the day is set, forwards and back, at each moment at which somebody looks at it:
//! for one process, by a library that stands before the C library's. The other clock, which nobody
//! can set, begins elsewhere: by a time namespace.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Faults, RUNS, Run};

/// Each look at the clock sees it moved by the next of these, in seconds; `CLOCK_FIRST` says by
/// which the first.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const long moved[] = {0, -86400, 86400, -4000000000, 4000000000, -60};
static unsigned looks;

__attribute__((constructor)) static void begin(void) {
    const char *first = getenv("CLOCK_FIRST");
    looks = first ? atoi(first) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += moved[__atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED) % 6];
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    int result = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    (void)zone;
    return result;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
"#;

/// `None`, with the reason said, where there is no C compiler.
fn library(folder: &Path) -> io::Result<Option<PathBuf>> {
    let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
    fs::write(&source, LIBRARY)?;
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source);
    let made = cc.stdin(Stdio::null()).status().is_ok_and(|status| status.success());
    if !made {
        println!("       left out: the clock of the day, since there is no C compiler (cc)");
    }
    Ok(made.then_some(library))
}

pub(super) fn set(faults: &mut Faults) -> io::Result<()> {
    let longer = [
        "mp-demo --delay 0.05 A B C",
        "pool-demo --delay 0.01 --tasks 5 --ordered",
        "queue-demo --delay 0.001 --items 20",
        "thread-demo --delay 0.05 A B",
    ];
    let library = library(&faults.folder)?;
    for run in RUNS.iter().chain(&longer).filter(|run| !Faults::is_server(run)) {
        let usual = faults.run(run, faults.shell("", run, ""), false)?;
        if let Some(library) = &library {
            for first in 0..6 {
                let what = format!("{run}, the clock moved ({first})");
                let mut command = faults.shell("", run, "");
                command.env("LD_PRELOAD", library).env("CLOCK_FIRST", first.to_string());
                let end = faults.run(&what, command, false)?;
                same(faults, run, &what, &usual, &end);
            }
        }
        for moved in ["1", "1000000000"] {
            let what = format!("{run}, the machine's clock begins {moved} s later");
            let demo = faults.folder.join(run).display().to_string();
            let mut command = Command::new("unshare");
            command
                .args(["--time", "--monotonic", moved, "--boottime", moved, "--fork"])
                .args(demo.split(' '))
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let end = faults.run(&what, command, false)?;
            same(faults, run, &what, &usual, &end);
        }
    }
    if let Some(library) = library {
        grader(faults, &library)?;
    }
    Ok(())
}

/// It has done the same: as many lines, of as many words, and no measured time below zero. The
/// topics measure themselves, so of them only the end is the same.
fn same(faults: &mut Faults, run: &str, what: &str, usual: &Run, end: &Run) {
    let shape = |run: &Run| {
        let text = String::from_utf8_lossy(&run.out).into_owned();
        let mut words: Vec<_> = text.lines().map(|line| line.split(' ').count()).collect();
        words.sort_unstable();
        words
    };
    let topic = run.split(' ').nth(1).is_some_and(|word| !word.starts_with('-'));
    let unchanged = topic || shape(usual) == shape(end);
    let negative = String::from_utf8_lossy(&end.out).contains("Time: -");
    if end.code != usual.code || !unchanged || negative {
        let (code, signal, err) = (end.code, end.signal, &end.err);
        faults.wrong.push(format!("{what}: not as usual: {code:?} {signal:?} {err}"));
    }
}

/// What it measures must not depend on the clock of the day either: each demo has all its points. But
/// for mp-demo, whose output has the time of day in it: the clock of both would have to be set.
fn grader(faults: &mut Faults, library: &Path) -> io::Result<()> {
    let labs = [
        ("fork", "fork-demo"),
        ("thread", "thread-demo"),
        ("pool", "pool-demo"),
        ("queue", "queue-demo"),
        ("server", "socket-server"),
        ("client", "socket-client"),
        ("epoll", "epoll-demo"),
        ("iter-gen", "iter-gen-demo"),
    ];
    for (lab, demo) in labs {
        let what = format!("lab grade {lab} {demo}, the clock moved");
        let mut command = Command::new(faults.folder.join("lab"));
        command
            .args(["grade", lab])
            .arg(faults.folder.join(demo))
            .env("LC_ALL", "C")
            .env("LD_PRELOAD", library)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let end = faults.run(&what, command, false)?;
        if end.code != Some(0) {
            let out = String::from_utf8_lossy(&end.out);
            faults.wrong.push(format!("{what}: {:?}: {out}{}", end.code, end.err));
        }
    }
    Ok(())
}
