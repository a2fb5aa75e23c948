//! The note's section "Sockets", the server, in Rust: prints what its clients send.
//!
//! ```python
//! import socket
//!
//! with socket.socket() as sock:
//!     sock.bind(("127.0.0.1", 10001))
//!     sock.listen(socket.SOMAXCONN)
//!
//!     while True:
//!         conn, addr = sock.accept()
//!         with conn:
//!             while True:
//!                 data = conn.recv(1024)
//!                 if not data:
//!                     break
//!                 print(data.decode())
//! ```
//!
//! Run it: `cargo run -p socket-server`, and in another terminal `cargo run -p socket-client`.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use clap::Parser;
use nix::libc::SOMAXCONN;

mod client;
mod decoder;
mod listener;
mod stop;
mod threads;

use listener::{accept, listen};
use stop::Stop;
use threads::Threads;

/// Sockets: a server that prints each chunk its clients send, one client after the other.
///
/// Reproduces the section "Sockets" of the note. Ends at Ctrl-C.
#[derive(Parser)]
#[command(version)]
#[command(after_help = "Example: socket-server 127.0.0.1:10001\n\
                        then:    socket-client hello ping")]
struct Options {
    /// Where to listen, as HOST:PORT; port 0 takes one that is free
    #[arg(value_name = "ADDR", default_value = "127.0.0.1:10001", value_parser = address)]
    addr: String,
    /// End when so many connections have come and gone
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    connections: Option<u64>,
    /// Serve all clients at once, each in a thread of its own
    #[arg(long)]
    threads: bool,
    /// Close a client that sends nothing for so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = limit)]
    timeout: Option<Duration>,
    /// Bytes to receive at once, at most
    #[arg(long, value_name = "BYTES", default_value = "1024", value_parser = size)]
    buffer: usize,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has gone (`| head -1`). A client that goes ends in `client.rs`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            report(error);
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let stop = Stop::on_signals()?;
    let listener = listen(&options.addr)?;
    if let Some(address) = listener.local_addr()?.as_socket() {
        let _ = writeln!(io::stderr(), "listening on {address}");
        hint(format_args!("nc {} {}", address.ip(), address.port()));
        hint(format_args!("lsof -a -i -p {}", process::id()));
        hint(format_args!("strace -f -p {}", process::id()));
    }
    let threads = Threads::new();
    let done: io::Result<()> = thread::scope(|scope| {
        let mut left = options.connections.unwrap_or(u64::MAX);
        while left > 0 {
            let wake = stop.wait(&listener, None)?;
            if wake.stopping {
                // Who waits in the backlog is connected, and still served.
                left = left.min(SOMAXCONN.unsigned_abs().into());
            }
            if !wake.readable {
                break;
            }
            let Some(client) = accept(&listener, &threads)? else {
                continue;
            };
            left -= 1;
            if options.threads {
                threads.start(scope, client, options, &stop);
            } else {
                client.serve(options, &stop)?;
            }
        }
        Ok(())
    });
    done.and(threads.result())
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

/// Reads a number of bytes.
fn size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes @ 1..=1_048_576) => Ok(bytes),
        _ => Err("not a number from 1 to 1048576".to_string()),
    }
}

/// Reads a time limit. Zero is none: std refuses it, and to the kernel it means no limit.
fn limit(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("must be above 0".to_string()),
        limit if limit > Duration::from_hours(24) => Err("must be a day at most".to_string()),
        limit => Ok(limit),
    }
}

/// Reads seconds, such as `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}

/// Tells on stderr what happened. Not eprintln!, which panics when stderr is closed.
fn report(what: impl Display) {
    let _ = writeln!(io::stderr(), "socket-server: {what}");
}

/// Tells a person at a terminal what to type meanwhile in another one.
fn hint(command: impl Display) {
    if io::stderr().is_terminal() {
        let _ = io::stderr().write_all(format!("meanwhile: {command}\n").as_bytes());
    }
}

/// Puts the call and its subject before the system's words.
fn failed(what: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |why| io::Error::new(why.kind(), format!("{what}: {why}"))
}
