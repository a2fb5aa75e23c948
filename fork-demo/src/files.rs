//! What a child shares of its parent's open files, and what it doesn't: fork copies the descriptors
//! (the numbers), and both copies lead to one *open file description* in the kernel, open(2).
//!
//! Run it: `cargo run -p fork-demo -- files`.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::close;

use crate::child::in_child;
use crate::{failed, print_line};

/// Tries one thing after the other, each with a child of its own.
pub(crate) fn show() -> io::Result<()> {
    print_line("Shared, since both descriptors lead to one open file description:")?;
    offset()?;
    offset_behind_a_buffer()?;
    nonblocking()?;
    shut_down()?;
    print_line("\nNot shared, since each process has a table of descriptors of its own:")?;
    closed()?;
    close_on_exec()
}

fn offset() -> io::Result<()> {
    print_line("  the offset")?;
    let file = three_lines()?;
    let line = read_line(&file)?;
    parent(format_args!("reads {line}"))?;
    in_child(|| child(format_args!("reads {}", read_line(&file)?)))?;
    let line = read_line(&file)?;
    parent(format_args!("reads {line}: its offset has moved"))
}

/// The lecture's experiment, which seems to show that nothing is shared.
fn offset_behind_a_buffer() -> io::Result<()> {
    print_line("  the offset, out of sight behind a buffer")?;
    let mut lines = BufReader::new(three_lines()?).lines();
    let mut next_line = || lines.next().unwrap_or_else(|| Ok(String::new()));
    let line = next_line()?;
    parent(format_args!("reads {line}, and all the rest into its buffer"))?;
    in_child(|| {
        // The buffer is memory, and so it was copied.
        let line = next_line()?;
        child(format_args!("reads {line} from its copy of the buffer"))
    })?;
    let line = next_line()?;
    parent(format_args!("reads {line} from its own"))
}

fn nonblocking() -> io::Result<()> {
    print_line("  O_NONBLOCK")?;
    let (socket, _peer) = socket_pair()?;
    in_child(|| {
        socket.set_nonblocking(true)?;
        child("sets it")
    })?;
    let flags = OFlag::from_bits_truncate(fcntl(&socket, FcntlArg::F_GETFL)?);
    parent_has(flags.contains(OFlag::O_NONBLOCK))
}

fn shut_down() -> io::Result<()> {
    print_line("  shutdown of a socket")?;
    let (socket, peer) = socket_pair()?;
    in_child(|| {
        socket.shutdown(Shutdown::Write)?;
        child("shuts it down for writing")
    })?;
    parent_writes(socket, peer)
}

fn closed() -> io::Result<()> {
    print_line("  close of a socket")?;
    let (socket, peer) = socket_pair()?;
    in_child(|| {
        close(socket.as_raw_fd())?;
        child("closes it")
    })?;
    parent_writes(socket, peer)
}

fn close_on_exec() -> io::Result<()> {
    print_line("  FD_CLOEXEC")?;
    let file = three_lines()?;
    in_child(|| {
        fcntl(&file, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        child("sets it")
    })?;
    let flags = FdFlag::from_bits_truncate(fcntl(&file, FcntlArg::F_GETFD)?);
    parent_has(flags.contains(FdFlag::FD_CLOEXEC))
}

/// A file that has no name, so that there is nothing to remove: `memfd_create(2)`.
fn three_lines() -> io::Result<File> {
    let mut file = File::from(memfd_create("three lines", MFdFlags::empty())?);
    file.write_all(b"line 1\nline 2\nline 3\n").map_err(failed("write to a memfd"))?;
    file.rewind()?;
    Ok(file)
}

/// A line by one `read(2)`, which leaves the offset right behind that line.
fn read_line(mut file: &File) -> io::Result<String> {
    let mut line = [0; "line 1\n".len()];
    file.read_exact(&mut line)?;
    Ok(String::from_utf8_lossy(line.trim_ascii_end()).into_owned())
}

fn socket_pair() -> io::Result<(UnixStream, UnixStream)> {
    UnixStream::pair().map_err(failed("socketpair"))
}

fn parent_writes(mut socket: UnixStream, mut peer: UnixStream) -> io::Result<()> {
    let mut received = [0; 4];
    let sent = socket.write_all(b"ping");
    match sent.and_then(|()| peer.read_exact(&mut received)) {
        Ok(()) => parent(format_args!("writes, and its peer reads {}", received.escape_ascii())),
        Err(why) => parent(format_args!("can't write: {why}")),
    }
}

fn parent_has(set: bool) -> io::Result<()> {
    parent(if set { "has it set" } else { "has it not" })
}

fn child(does: impl Display) -> io::Result<()> {
    print_line(format_args!("      child   {does}"))
}

fn parent(does: impl Display) -> io::Result<()> {
    print_line(format_args!("      parent  {does}"))
}
