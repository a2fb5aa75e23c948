// lab: epoll
//! Asynchronous I/O.
//!
//!     epoll [ADDR] [--connections N] [--buffer 1024] [--flood]
//!
//! Listens at ADDR, and then says on stderr `listening on ADDR`. Prints each chunk that it
//! receives, and a newline after it; a chunk is what one recv returns. A character that lies in two
//! chunks is printed whole, with the second; bytes that are no UTF-8 become U+FFFD.
//!
//! Sends `ping` to each client as soon as it can take one, and another for each chunk, after the
//! chunk is printed. What a client can't take now is sent later. One that is owed 1,024 pings is
//! not read from until it takes some; one that has only shut down its side gets all that it is
//! owed.
//!
//! All that with one thread, and one epoll that watches the listener and every client. `EPOLLOUT`
//! is asked for only while a client is owed something; with nothing to do, the program sleeps. A
//! client that is silent, slow, or breaks off disturbs no other. SIGINT and SIGTERM end the server
//! with status 0, when it has printed what it had received.

#![allow(unused)] // Delete this line when you begin: then the compiler names what is not used yet.

use std::net::{SocketAddr, ToSocketAddrs};

use clap::Parser;

#[derive(Parser)]
struct Options {
    /// Where to listen
    #[arg(value_name = "ADDR", default_value = "127.0.0.1:10002", value_parser = address)]
    addr: SocketAddr,
    /// End when so many clients have come and gone
    #[arg(long, value_name = "N")]
    connections: Option<u64>,
    /// How many bytes one recv may return
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    buffer: usize,
    /// Send pings without end, one whenever a client can take it
    #[arg(long)]
    flood: bool,
}

/// Reads `HOST:PORT`; a name stands for its first address.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses = text.to_socket_addrs().map_err(|why| why.to_string())?;
    addresses.next().ok_or_else(|| "no address of that name".to_string())
}

// Your turn: a struct for what you keep of each client. std::str::from_utf8 says where text ends
// that is whole, and whether what follows can still become a character.

fn main() {
    let options = Options::parse();
    // Your turn: socket2 or std::net has the listener, nix::sys::epoll the epoll. With
    // nix::sys::signalfd a signal is one more thing to wait for.
}
