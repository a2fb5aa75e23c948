//! Reads what the program writes, as it comes: lines with the time at which each was whole.

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::gettid;

use super::kernel;
use super::limits::Limits;
use super::log::{Cut, Id, Kind, Line, Log, State, Stream};

/// Called with each line, in the order in which they came.
pub type Echo = Arc<dyn Fn(&Line) + Send + Sync>;

/// How often what all processes hold is added up.
const WATCH: Duration = Duration::from_millis(50);

/// A line longer than this is cut into several: a program that never writes a newline must not
/// make the grader keep it all in one piece.
const LONGEST_LINE: usize = 1 << 20;

/// Of what is no line yet, so much is kept for who wants to show it.
const LONGEST_QUESTION: usize = 200;

struct Source {
    stream: Stream,
    pipe: Option<fs::File>,
    line: Vec<u8>,
    /// Lines after which the reading end is closed, as `head` does.
    close_after: Option<usize>,
}

/// Reads both streams until they end; also adds up what is held now and then, to the end of all that
/// was started.
pub(super) fn drain(
    log: &Log,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    close_stdout_after: Option<usize>,
    limits: &Limits,
    echo: Option<&Echo>,
) {
    let mut sources =
        [(Stream::Stdout, stdout, close_stdout_after), (Stream::Stderr, stderr, None)].map(
            |(stream, pipe, close_after)| Source {
                stream,
                pipe: pipe.map(fs::File::from),
                line: Vec::new(),
                close_after,
            },
        );
    log.lock().servants.push(gettid().as_raw());
    let mut buffer = vec![0; 64 << 10];
    let mut watched = log.now();
    while sources.iter().any(|source| source.pipe.is_some()) {
        let ready = {
            let mut polled: Vec<PollFd> = sources
                .iter()
                .filter_map(|source| source.pipe.as_ref())
                .map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN))
                .collect();
            let timeout = PollTimeout::try_from(WATCH).unwrap_or(PollTimeout::MAX);
            let before = log.now();
            if poll(&mut polled, timeout) == Ok(0) {
                log.lock().read_until = before;
            }
            let mut ready = polled.iter().map(|fd| fd.any().unwrap_or(false));
            sources.each_ref().map(|source| source.pipe.is_some() && ready.next() == Some(true))
        };
        if limits.memory < u64::MAX && log.now() >= watched + WATCH {
            watch_what_is_held(log, limits);
            watched = log.now();
        }
        for (source, _) in sources.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            source.read(log, &mut buffer, limits, echo);
        }
    }
    log.change(|state| state.drained = true);
    // Who has closed both streams goes on.
    let all_gone = |state: &State| (!state.traced).then_some(());
    while limits.memory < u64::MAX && log.until(log.now() + WATCH, all_gone).is_none() {
        watch_what_is_held(log, limits);
    }
}

impl Source {
    fn read(&mut self, log: &Log, buffer: &mut [u8], limits: &Limits, echo: Option<&Echo>) {
        let Some(pipe) = &mut self.pipe else { return };
        let bytes = match pipe.read(buffer) {
            Ok(count) => &buffer[..count],
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            Err(_) => &[],
        };
        let ended = bytes.is_empty();
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, whole) = piece.strip_suffix(b"\n").map_or((piece, false), |t| (t, true));
            self.line.extend_from_slice(text);
            if whole || self.line.len() >= LONGEST_LINE {
                lines.push(std::mem::take(&mut self.line));
            }
        }
        if ended && !self.line.is_empty() {
            lines.push(std::mem::take(&mut self.line));
        }
        let at = log.now();
        let mut kept = Vec::new();
        let over = log.change(|state| {
            state.read += bytes.len() as u64;
            let begun = &self.line[self.line.len().saturating_sub(LONGEST_QUESTION)..];
            state.begun[usize::from(self.stream == Stream::Stderr)] = begun.to_vec();
            for bytes in lines {
                let (by, written) = state.writer_of(self.stream, &bytes).unzip();
                let line = Line { at, stream: self.stream, bytes, by, written };
                if echo.is_some() {
                    kept.push(line.clone());
                }
                state.lines.push(line);
            }
            let over =
                (state.read > limits.output || state.lines.len() > limits.lines) && !state.doomed;
            if over {
                state.cut = state.cut.or(Some(Cut::Output));
            }
            over
        });
        if let Some(echo) = echo {
            for line in &kept {
                echo(line);
            }
        }
        if over {
            super::kill_all(log);
        }
        let enough = |most| log.lock().lines_of(self.stream).count() >= most;
        if ended || self.close_after.is_some_and(enough) {
            self.pipe = None;
        }
    }
}

/// Ends the run when its processes hold more than they may together.
fn watch_what_is_held(log: &Log, limits: &Limits) {
    let alive = |state: &State| -> Vec<_> {
        let processes = state.tasks.values().filter(|t| t.alive() && t.kind == Kind::Process);
        processes.map(|task| task.id).collect()
    };
    let pids = alive(&log.lock());
    let sum = |of: fn(Id) -> Option<u64>| pids.iter().copied().filter_map(of).sum::<u64>();
    let names = |folder| pids.iter().find_map(|pid| kernel::names_in(*pid, folder)).unwrap_or(0);
    let over = if sum(kernel::resident) > limits.memory {
        Cut::Memory
    } else if sum(kernel::open_descriptors) > limits.all_descriptors {
        Cut::Descriptors
    } else if names("/tmp") + names("/dev/shm") > limits.names {
        Cut::Files
    } else {
        return;
    };
    log.change(|state| state.cut = state.cut.or(Some(over)));
    super::kill_all(log);
}
