// lab: client
//! Sockets: the client.
//!
//!     client [--addr 127.0.0.1:10001] [--timeout S] [MESSAGE]...
//!
//! Sends each MESSAGE (without messages: hello and ping) to ADDR, one after the other, through a
//! connection of its own: all its bytes, as they are, and no others. `-` sends stdin, as it comes,
//! until its end. Each connection is closed in order and never reset, also when the server talks.
//!
//! Prints nothing. The exit status is 0 when everything was sent. When nobody listens, or the
//! server breaks off, it is not 0, and stderr has the address and the system's words.

#![allow(unused)] // Delete this line when you begin: then the compiler names what is not used yet.

use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use clap::Parser;

#[derive(Parser)]
struct Options {
    /// Where the server listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:10001", value_parser = address)]
    addr: SocketAddr,
    /// Seconds that no step may take longer than
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// What to send; `-` sends stdin
    #[arg(value_name = "MESSAGE", default_values = ["hello", "ping"])]
    messages: Vec<OsString>,
}

/// Reads `HOST:PORT`; a name stands for its first address.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses = text.to_socket_addrs().map_err(|why| why.to_string())?;
    addresses.next().ok_or_else(|| "no address of that name".to_string())
}

/// Reads seconds, such as `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())
}

fn main() {
    let options = Options::parse();
    // Your turn: socket2 has the long way to a connection, std::net::TcpStream the short one.
    // std::os::unix::ffi::OsStrExt gives the bytes of a message.
}
