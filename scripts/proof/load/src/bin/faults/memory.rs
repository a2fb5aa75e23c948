//! Memory is refused: by `RLIMIT_AS`, where each call says so, and by a memory cgroup, where the
//! kernel kills whoever touches too much.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use super::{Faults, PATIENCE, RUNS, Run, address_of, command_spawn};

/// Limits in KiB: from what no demo can be loaded with to what all have enough of.
fn limits() -> impl Iterator<Item = usize> {
    (4_000..12_000).step_by(500).chain((12_000..140_000).step_by(8_000))
}

/// Some more that take memory by themselves.
const LARGER: &[&str] = &[
    "pool-demo --exponent 100000",
    "queue-demo --capacity 1000000",
    "fork-demo memory --mib 64",
    "iter-gen-demo --stop 20000",
];

pub(super) fn refused(faults: &mut Faults) -> io::Result<()> {
    for run in RUNS.iter().chain(LARGER).filter(|run| !Faults::is_server(run)) {
        let whole = faults.run(run, faults.shell("", run, ""), false)?;
        for most in limits() {
            if !is_loaded(faults, run, most)? {
                continue;
            }
            let what = format!("{run}, {most} KiB of addresses");
            let end =
                faults.run(&what, faults.shell(&format!("ulimit -v {most};"), run, ""), false)?;
            if !aborted(&end) {
                faults.done_or_one_line(&what, run, &end);
            }
            // That topic is about how far it comes.
            let half = lines(&end) != lines(&whole) && *run != "thread-demo limits";
            if end.code == Some(0) && half {
                faults.wrong.push(format!("{what}: status 0, and not all was printed"));
            }
        }
    }
    servers_refused(faults)
}

/// Below that it is not the demo that is refused memory, but who loads it.
fn is_loaded(faults: &Faults, run: &str, most: usize) -> io::Result<bool> {
    let name = run.split(' ').next().unwrap_or_default();
    let mut asked = faults.shell(&format!("ulimit -v {most};"), &format!("{name} --version"), "");
    Ok(asked.output()?.status.success())
}

/// Ended by Rust's collections or by the C library, which said so: several threads may, at once.
pub(super) fn aborted(end: &Run) -> bool {
    let told =
        ["memory allocation of ", "failed to allocate an alternative stack", "Fatal glibc error: "];
    end.signal == Some(Signal::SIGABRT as i32) && told.iter().any(|words| end.err.contains(words))
}

fn lines(end: &Run) -> usize {
    count(end, b'\n')
}

fn count(end: &Run, byte: u8) -> usize {
    end.out.split(|one| *one == byte).count() - 1
}

/// Buffers of a megabyte for eight clients at once: each is served whole or turned away, and the
/// server goes on.
fn servers_refused(faults: &mut Faults) -> io::Result<()> {
    let servers = [
        "socket-server 127.0.0.1:0 --threads --buffer 1048576",
        "socket-server 127.0.0.1:0 --buffer 1048576",
        "epoll-demo 127.0.0.1:0 --buffer 1048576",
    ];
    for run in servers {
        let mut told = false; // of a buffer that could not be had
        for most in limits().filter(|most| *most < 60_000) {
            if !is_loaded(faults, run, most)? {
                continue;
            }
            let what = format!("{run}, {most} KiB of addresses");
            let mut child = command_spawn(faults.shell(&format!("ulimit -v {most};"), run, ""))?;
            let address = match address_of(&mut child) {
                Ok(address) => address,
                Err(said) => {
                    let end = faults.finish(&what, child, |_| ())?;
                    told |= said.to_string().contains("-demo: buffer of ");
                    if end.code != Some(1) && end.signal != Some(Signal::SIGABRT as i32) {
                        faults.wrong.push(format!("{what}: {:?} {:?}", end.code, end.signal));
                    }
                    continue;
                }
            };
            let end = faults.finish(&what, child, |pid| {
                let clients: Vec<_> =
                    (0..8).filter_map(|_| TcpStream::connect(&address).ok()).collect();
                for (number, mut client) in (0_u8..).zip(&clients) {
                    let _ = client.write_all(&[b'0' + number; 2000]);
                }
                for mut client in clients {
                    let _ = client.shutdown(Shutdown::Write);
                    let _ = client.read_to_end(&mut Vec::new()); // until it is closed
                }
                let _ = kill(pid, Signal::SIGTERM);
            })?;
            told |= end.err.contains("-server: buffer for ");
            let turned_away =
                end.err.lines().filter(|line| line.starts_with("socket-server: ")).count();
            let whole = (b'0'..b'8').filter(|number| count(&end, *number) == 2000).count();
            if !aborted(&end) && (end.code != Some(0) || whole + turned_away != 8) {
                let (code, err) = (end.code, &end.err);
                faults.wrong.push(format!(
                    "{what}: {code:?}, {whole} of 8 served, {turned_away} turned away: {err}"
                ));
            }
        }
        if !told {
            faults.wrong.push(format!("{run}: no limit at which its buffer alone is refused"));
        }
    }
    Ok(())
}

/// A cgroup that holds no more than so many KiB, of the first or the second generation. Each run has
/// one of its own: what is left of an older one would count. Removed when dropped.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new(most: usize) -> Option<Cgroup> {
        let kinds =
            [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")];
        kinds.into_iter().find_map(|(at, limit)| {
            let cgroup = Cgroup(PathBuf::from(at).join(format!("faults-{}", std::process::id())));
            fs::create_dir(&cgroup.0).ok()?;
            fs::File::options().write(true).open(cgroup.0.join(limit)).ok()?;
            fs::write(cgroup.0.join(limit), format!("{most}K")).ok()?;
            Some(cgroup)
        })
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let start = Instant::now();
        // Whoever was killed in it may still be on the way out.
        while fs::remove_dir(&self.0).is_err() && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The kernel kills with SIGKILL, in a demo of several processes any of them. Then the others end,
/// too, or go on and say so.
pub(super) fn killed(faults: &mut Faults) -> io::Result<()> {
    if Cgroup::new(1 << 20).is_none() {
        println!("       left out: no memory cgroup can be made here");
        return Ok(());
    }
    for run in RUNS.iter().chain(LARGER).filter(|run| !Faults::is_server(run)) {
        let whole = faults.run(run, faults.shell("", run, ""), false)?;
        for most in [256, 512, 768, 1024, 1536, 2048, 3072, 4096, 8192, 16_384] {
            let what = format!("{run}, {most} KiB held");
            let cgroup = Cgroup::new(most).ok_or_else(|| io::Error::other("no memory cgroup"))?;
            let mut command = faults.shell("", run, "");
            let tasks = cgroup.0.join("cgroup.procs");
            let file = fs::File::options().write(true).open(tasks)?;
            let enter = move || nix::unistd::write(&file, b"0").map(drop).map_err(Into::into);
            // SAFETY: one system call, which is what a child may do before it executes.
            #[allow(unsafe_code)]
            unsafe {
                command.pre_exec(enter)
            };
            // Killed before it could be executed, it can't be started at all.
            let Ok(child) = command.spawn() else { continue };
            let end = faults.finish(&what, child, |_| ())?;
            if end.signal == Some(Signal::SIGKILL as i32) {
                continue;
            }
            // Nobody can know from outside which of several processes was killed.
            let told = end.err.contains("SIGKILL") || end.err.contains("-9");
            if !told && !aborted(&end) {
                faults.done_or_one_line(&what, run, &end);
            }
            if !told && end.code == Some(0) && lines(&end) != lines(&whole) {
                faults.wrong.push(format!("{what}: status 0, and not all was printed"));
            }
        }
    }
    Ok(())
}
