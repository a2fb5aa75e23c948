//! The note's section "Asynchronous I/O (select, epoll)" in Rust: one thread serves any number of
//! clients, asking the system which of them are ready.
//!
//! ```python
//! import select
//! import socket
//!
//! sock = socket.create_server(('127.0.0.1', 10002))  # with SO_REUSEADDR
//! sock.setblocking(False)
//!
//! epoll = select.epoll()
//! epoll.register(sock.fileno(), select.EPOLLIN)      # new clients are events too
//! conn_map = {}
//!
//! while True:
//!     for fileno, event in epoll.poll():
//!         if fileno == sock.fileno():
//!             conn, addr = sock.accept()
//!             conn.setblocking(False)
//!             conn_map[conn.fileno()] = conn
//!             epoll.register(conn.fileno(), select.EPOLLIN | select.EPOLLOUT)
//!             continue
//!         conn = conn_map[fileno]
//!         if event & select.EPOLLOUT:                # the greeting, once
//!             conn.send('ping'.encode('utf8'))
//!             epoll.modify(fileno, select.EPOLLIN)
//!         if event & select.EPOLLIN:
//!             data = conn.recv(1024)
//!             if data:
//!                 print(data.decode('utf8'), flush=True)
//!                 conn.send('ping'.encode('utf8'))
//!             else:                                  # the client has left
//!                 epoll.unregister(fileno)
//!                 conn_map.pop(fileno).close()
//! ```
//!
//! That is the note's program with the least that makes it work. Read on in `server.rs` (the loop),
//! then `client.rs` (a connection), `decoder.rs` (text that comes in pieces), `listener.rs` (too many
//! clients): there is what this Python still can't stand.
//!
//! Run it: `cargo run -p epoll-demo`, and in a second and a third terminal
//! `exec 3<>/dev/tcp/127.0.0.1/10002; echo -n hello >&3`.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use server::Server;

mod client;
mod decoder;
mod listener;
mod server;

/// Asynchronous I/O: one thread and one epoll serve any number of clients.
///
/// Prints each chunk that a client sends, on a line of its own, and sends it `ping`: one as soon as
/// it can take it, and one for each chunk.
///
/// Reproduces the section "Asynchronous I/O (select, epoll)" of the note.
#[derive(Parser)]
#[command(version)]
#[command(after_help = "Example: epoll-demo 127.0.0.1:10002\n\
                        then:    exec 3<>/dev/tcp/127.0.0.1/10002; echo -n hello >&3; head -c8 <&3")]
struct Options {
    /// Where to listen; port 0 is any free one
    #[arg(value_name = "ADDR", default_value = "127.0.0.1:10002", value_parser = address)]
    address: String,
    /// End when this many connections have come and gone
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    connections: Option<u64>,
    /// Bytes read at once from a client: the largest chunk
    #[arg(long, value_name = "BYTES", default_value = "1024", value_parser = chunk)]
    buffer: usize,
    /// Send pings without end, as the note does: one whenever a client can take it
    #[arg(long)]
    flood: bool,
}

fn main() -> ExitCode {
    match serve(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has gone (`| head -1`): there is nobody left to tell. This is
        // never a client's socket, whose errors are that client's (server.rs).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("epoll-demo: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> io::Result<()> {
    raise_open_files();
    Server::new(options)?.run()
}

/// Each client takes a descriptor: from the usual 1,024 to as many as the system lets us have.
fn raise_open_files() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Should it fail, fewer are served at once, and the others wait (listener.rs).
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// Accepts HOST:PORT. A name is looked up later: that is a call to the system, and can fail as such.
fn address(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => match port.parse::<u16>() {
            Ok(_) => Ok(text.to_string()),
            Err(_) => Err(format!("port {port:?} is not a number from 0 to 65535")),
        },
        _ => Err("not HOST:PORT".to_string()),
    }
}

/// Reads a number of bytes, up to 1 MiB.
fn chunk(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes @ 1..=0x0010_0000) => Ok(bytes),
        _ => Err("not a number of bytes from 1 to 1048576".to_string()),
    }
}

/// Tells a person at a terminal what to type meanwhile in another one.
fn hint(command: impl Display) {
    if io::stderr().is_terminal() {
        let _ = io::stderr().write_all(format!("meanwhile: {command}\n").as_bytes());
    }
}

/// Puts the call and its subject before the system's words. (nix has an error type of its own.)
fn failed<E: Into<io::Error>>(what: impl Display) -> impl FnOnce(E) -> io::Error {
    move |why| {
        let why = why.into();
        io::Error::new(why.kind(), format!("{what}: {why}"))
    }
}

/// Writes the line, if there is any, whole and at once, and clears it for the next. `println!` would
/// panic when stdout is closed or full. When stdout is slow, this is where everybody waits.
fn print_line(line: &mut String) -> io::Result<()> {
    if line.is_empty() {
        return Ok(());
    }
    line.push('\n');
    let written = io::stdout().write_all(line.as_bytes());
    line.clear();
    written.map_err(failed("stdout"))
}

/// Tells the person at the terminal. Not eprintln!, which panics when stderr is closed, nor
/// writeln!, which writes a line in pieces: stderr has no buffer.
fn say(line: impl Display) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
