// lab: server
//! Sockets: the server.
//!
//!     server [ADDR] [--connections N] [--threads] [--timeout S] [--buffer 1024]
//!
//! Listens at ADDR on a socket with `SO_REUSEADDR`, and then says on stderr `listening on ADDR`.
//! Prints each chunk that it receives, and a newline after it; a chunk is what one recv returns. A
//! character that lies in two chunks is printed whole, with the second; bytes that are no UTF-8
//! become U+FFFD.
//!
//! One client is served after the other: the next has to wait until the one before has closed.
//! Whatever a client does (a reset, garbage, nothing) ends that client and no other, and its socket
//! is closed in every case. SIGINT and SIGTERM end the server with status 0, when it has printed what
//! it had received.

#![allow(unused)] // Delete this line when you begin: then the compiler names what is not used yet.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use clap::Parser;

#[derive(Parser)]
struct Options {
    /// Where to listen
    #[arg(value_name = "ADDR", default_value = "127.0.0.1:10001", value_parser = address)]
    addr: SocketAddr,
    /// End when so many clients have come and gone
    #[arg(long, value_name = "N")]
    connections: Option<u64>,
    /// Serve all clients at once, each in a thread of its own
    #[arg(long)]
    threads: bool,
    /// Close a client that sends nothing for so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// How many bytes one recv may return
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    buffer: usize,
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

// Your turn: a function that serves one client. std::str::from_utf8 says where text ends that is
// whole, and whether what follows can still become a character.

fn main() {
    let options = Options::parse();
    // Your turn: socket2 has the four calls that make a server, std::net does them all at once.
    // nix::sys::signal has what you need for SIGTERM.
}
