//! What fork copies of the memory, and when: the tables that lead to the pages at once, and a page
//! when one of the two writes to it (copy on write, fork(2)).
//!
//! Run it: `cargo run -p fork-demo -- memory --mib 1024`.

use std::hint::black_box;
use std::io;
use std::num::NonZeroUsize;
use std::slice;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous};
use nix::unistd::{ForkResult, Pid, getpid, getppid};

use crate::proc::{number, read};
use crate::{child, failed, print_line};

/// Forks with `mib` MiB in use, and weighs them in both processes.
pub(crate) fn show(mib: u32) -> io::Result<()> {
    let block = written_block(mib)?;
    let address = block.as_ptr().addr();
    let mut foo = "bar";

    print_line(format_args!("{mib} MiB, every page written; KiB, from /proc/PID/smaps\n"))?;
    print_line(row(["", "", "Rss", "Pss", "Private_Dirty"]))?;
    weigh("before the fork", &[("parent", getpid())], address)?;
    let start = Instant::now();
    match child::fork()? {
        ForkResult::Child => child::finish((|| {
            let both = [("parent", getppid()), ("child", getpid())];
            weigh("after the fork", &both, address)?;
            let middle = block.len() / 2;
            black_box(&mut *block)[middle] = b'1';
            weigh("the child wrote one byte", &both, address)?;
            let start = Instant::now();
            black_box(&mut *block).fill(b'2');
            let took = start.elapsed();
            weigh("the child wrote everything", &both, address)?;
            foo = "baz";
            say("\nchild:  foo", black_box(&foo), "write everything", took)
        })()),
        ForkResult::Parent { child } => {
            let took = start.elapsed();
            child::wait(child)?;
            say("parent: foo", black_box(&foo), "fork", took)
        }
    }
}

fn say(who: &str, foo: &&str, what: &str, took: Duration) -> io::Result<()> {
    print_line(format_args!("{who} at {foo:p} is {foo:?}; to {what} took {took:.1?}"))
}

/// So many MiB, of which every page is there: a fresh mapping is but a promise.
fn written_block(mib: u32) -> io::Result<&'static mut [u8]> {
    // The kernel promises more than it has, and ends a process when it can't keep that: ask first.
    let available = number(read("/proc/meminfo")?.lines(), "MemAvailable:") / 1024;
    if 2 * u64::from(mib) > available {
        let why = format!("{mib} MiB: two processes need them, {available} MiB are available");
        return Err(io::Error::other(why));
    }
    let block = mapping(mib as usize * 1024 * 1024)
        .map_err(|errno| failed(format_args!("mmap {mib} MiB"))(errno.into()))?;
    block.fill(b'0');
    Ok(block)
}

/// A mapping of its own, which stays until the process ends. The one that a `Vec` lies in may hold
/// other things as well.
#[allow(unsafe_code)]
fn mapping(size: usize) -> nix::Result<&'static mut [u8]> {
    let length = NonZeroUsize::new(size).ok_or(Errno::EINVAL)?;
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: new memory, private, readable, writable and zeroed, that nothing else refers to and
    // that is never unmapped.
    unsafe {
        let address = mmap_anonymous(None, length, access, MapFlags::MAP_PRIVATE)?;
        // Huge pages (2 MiB) have rules of their own. A kernel without them knows no such advice.
        let _ = madvise(address, size, MmapAdvise::MADV_NOHUGEPAGE);
        Ok(slice::from_raw_parts_mut(address.cast().as_ptr(), size))
    }
}

/// A row for each process: what the mapping at this address weighs there.
fn weigh(when: &str, processes: &[(&str, Pid)], address: usize) -> io::Result<()> {
    for (who, pid) in processes {
        let smaps = read(&format!("/proc/{pid}/smaps"))?;
        // A mapping's first line, and then its figures, proc_pid_smaps(5).
        let mut mapping = smaps.lines().skip_while(|line| !is_mapping_at(line, address));
        let mut kib = |name| number(&mut mapping, name).to_string();
        let [rss, pss, private_dirty] = ["Rss:", "Pss:", "Private_Dirty:"].map(&mut kib);
        print_line(row([when, who, &rss, &pss, &private_dirty]))?;
    }
    Ok(())
}

fn row([when, who, rss, pss, private_dirty]: [&str; 5]) -> String {
    format!("{when:<28}{who:<8}{rss:>10}{pss:>10}{private_dirty:>15}")
}

/// Whether a line such as `7f00-8f00 rw-p 00000000 00:00 0` begins the mapping at this address.
fn is_mapping_at(line: &str, address: usize) -> bool {
    let start = line.split_once('-').map(|(start, _)| usize::from_str_radix(start, 16));
    start == Some(Ok(address))
}

#[cfg(test)]
mod tests {
    use super::{is_mapping_at, number};

    #[test]
    fn the_figures_are_those_of_the_mapping_at_the_address() {
        let smaps = "1000-2000 rw-p 0 00:00 0\nRss: 1 kB\n2000-3000 rw-p 0 00:00 0\nRss: 2 kB\n";
        let lines = |address| smaps.lines().skip_while(move |line| !is_mapping_at(line, address));
        let rss = |address| number(lines(address), "Rss:");
        assert_eq!([rss(0x1000), rss(0x2000), rss(0x3000)], [1, 2, 0]);
    }
}
