//! The note's section "Sockets", the client, in Rust: sends each message over a connection of its own.
//!
//! ```python
//! import socket
//!
//! sock = socket.socket()
//! sock.connect(("127.0.0.1", 10001))
//! sock.sendall(b"hello")
//! sock.close()
//!
//! # a shorter form
//! sock1 = socket.create_connection(("127.0.0.1", 10001))
//! sock1.sendall(b"ping")
//! sock1.close()
//!
//! # as context manager
//! with socket.create_connection(("127.0.0.1", 10001)) as sock:
//!     sock.sendall("ping".encode())
//! ```
//!
//! Run it: `cargo run -p socket-server`, and in another terminal `cargo run -p socket-client`.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

mod connect;
mod send;

use send::send;

/// Sockets: a client that sends each message over a connection of its own.
///
/// Reproduces the section "Sockets" of the note. The first message goes the long way, the second the
/// short way, all others as with a context manager.
#[derive(Parser)]
#[command(version)]
#[command(after_help = "Example: socket-client hello ping\n\
                        or:      seq 1000000 | socket-client -")]
struct Options {
    /// Where the server listens, as HOST:PORT
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:10001", value_parser = address)]
    addr: String,
    /// Seconds to wait at most: to connect, for the server to take anything at all, and for it to
    /// close (this last: 1 if not given)
    #[arg(long, value_name = "SECONDS", value_parser = limit)]
    timeout: Option<Duration>,
    /// What to send, byte for byte; `-` sends stdin as it comes
    #[arg(value_name = "MESSAGE", default_values = ["hello", "ping"])]
    messages: Vec<OsString>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error);
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    for (index, message) in options.messages.iter().enumerate() {
        match index {
            0 => the_long_way(message, options)?,
            1 => the_short_way(message, options)?,
            _ => as_context_manager(message, options)?,
        }
    }
    Ok(())
}

fn the_long_way(message: &OsStr, options: &Options) -> io::Result<()> {
    let stream = connect::step_by_step(&options.addr, options.timeout)?;
    send(&stream, message, options)?;
    drop(stream); // sock.close()
    Ok(())
}

fn the_short_way(message: &OsStr, options: &Options) -> io::Result<()> {
    let stream = connect::at_once(&options.addr, options.timeout)?;
    send(&stream, message, options)?;
    drop(stream);
    Ok(())
}

/// Nothing to write: a stream is closed where its scope ends, also by the `?` of a send that failed.
/// So it was in the two others, whose `drop` only shows the place.
fn as_context_manager(message: &OsStr, options: &Options) -> io::Result<()> {
    let stream = connect::at_once(&options.addr, options.timeout)?;
    send(&stream, message, options)
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
    let _ = writeln!(io::stderr(), "socket-client: {what}");
}

/// Puts the call and its subject before the system's words.
fn failed(what: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |why| io::Error::new(why.kind(), format!("{what}: {why}"))
}
