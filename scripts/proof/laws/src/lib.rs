//! What must hold of the demos' own parts for any input: tried on many that chance chooses.
//!
//! Run it: `scripts/proof/run laws`; with `PROPTEST_CASES=100000` before it, for longer.

#![cfg(test)]

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags};
use proptest::collection::vec;
use proptest::prelude::*;
use socket2::SockRef;

#[path = "../../../../epoll-demo/src/client.rs"]
#[allow(dead_code)] // the server asks for more than these laws
mod client;
#[path = "../../../../epoll-demo/src/decoder.rs"]
mod decoder;
#[path = "../../../../socket-server/src/decoder.rs"]
mod server_decoder;

use client::Client;

/// `client.rs` asks for it at the root of its crate.
fn failed<E: Into<io::Error>>(_: impl core::fmt::Display) -> impl FnOnce(E) -> io::Error {
    Into::into
}

/// Bytes of every kind, and texts with a byte in them that does not belong there.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        any::<char>().prop_map(|c| c.to_string().into_bytes()),
        // The beginning of a character, and no more of it.
        any::<char>().prop_map(|c| c.to_string().into_bytes()[..c.len_utf8().div_ceil(2)].to_vec()),
    ];
    vec(kinds, 0..40).prop_map(|pieces| pieces.concat())
}

/// The same, cut into pieces wherever chance will have it.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    (bytes(), vec(0..12_usize, 0..40)).prop_map(|(bytes, lengths)| {
        let mut rest = &bytes[..];
        let mut pieces = Vec::new();
        for length in lengths {
            let (piece, after) = rest.split_at(length.min(rest.len()));
            pieces.push(piece.to_vec());
            rest = after;
        }
        pieces.push(rest.to_vec());
        pieces
    })
}

/// A client of epoll-demo, and who is at its other end.
struct Pair {
    epoll: Epoll,
    client: Client,
    peer: TcpStream,
    /// What came out of it, and in how many chunks.
    text: String,
    chunks: usize,
    buffer: Vec<u8>,
}

const KEY: u64 = 7;

impl Pair {
    fn new(chunk: usize) -> Pair {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let peer = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        let (stream, _) = listener.accept().expect("somebody has come");
        // As the demo's listener: small, so that it is soon full.
        SockRef::from(&stream).set_send_buffer_size(16 * 1024).expect("SO_SNDBUF");
        SockRef::from(&peer).set_recv_buffer_size(4 * 1024).expect("SO_RCVBUF");
        peer.set_nonblocking(true).expect("O_NONBLOCK");
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("an epoll");
        let client = Client::new(stream, &epoll, KEY).expect("a client");
        let buffer = vec![0; chunk];
        Pair { epoll, client, peer, text: String::new(), chunks: 0, buffer }
    }

    /// Its turn, as in the demo's loop.
    fn serve(&mut self) {
        if self.client.is_read() {
            let received = self.client.receive(&mut self.buffer, &mut self.text).expect("a peer");
            self.chunks += usize::from(received > 0);
        }
        if self.client.is_owed() {
            self.client.send().expect("a peer");
        }
        self.client.watch(&self.epoll, KEY).expect("it is registered");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoders_give_the_text_of_the_whole_however_it_is_cut(pieces in pieces()) {
        let whole = pieces.concat();
        let (mut one, mut other) = <(decoder::Decoder, server_decoder::Decoder)>::default();
        let (mut first, mut second) = (String::new(), String::new());
        for piece in &pieces {
            one.decode(piece, &mut first);
            other.decode(piece, &mut second);
        }
        one.finish(&mut first);
        other.finish(&mut second);
        let expected = String::from_utf8_lossy(&whole);
        prop_assert_eq!(&first, &expected);
        prop_assert_eq!(&second, &expected);
    }

    /// Whatever the order of sends, reads and turns: each chunk is owed one ping, each ping comes
    /// whole, and no byte of the client is lost.
    #[test]
    fn every_chunk_gets_its_ping_and_every_byte_comes_out(
        steps in vec((0..3_u8, 1..3000_usize), 0..60), chunk in 1..300_usize,
    ) {
        let mut pair = Pair::new(chunk);
        let (mut sent, mut pings) = (0, Vec::new());
        for (step, length) in steps {
            match step {
                0 => sent += pair.peer.write(&vec![b'a'; length]).unwrap_or(0),
                1 => {
                    let mut bytes = vec![0; length];
                    let read = pair.peer.read(&mut bytes).unwrap_or(0);
                    pings.extend_from_slice(&bytes[..read]);
                }
                _ => pair.serve(),
            }
        }
        pair.peer.shutdown(Shutdown::Write).expect("connected");
        let start = Instant::now();
        while !pair.client.is_done() {
            pair.serve();
            let mut bytes = [0; 4096];
            let read = pair.peer.read(&mut bytes).unwrap_or(0);
            pings.extend_from_slice(&bytes[..read]);
            prop_assert!(start.elapsed() < Duration::from_secs(30), "it never ends");
        }
        drop(pair.client);
        pair.peer.set_nonblocking(false).expect("connected");
        pair.peer.read_to_end(&mut pings).expect("an end of file");
        prop_assert_eq!(pair.text.len(), sent);
        prop_assert!(pings.chunks(4).all(|ping| ping == b"ping"));
        prop_assert_eq!(pings.len(), 4 * (1 + pair.chunks));
    }
}

/// Who takes no pings is not listened to any more, after no more of them than have room; and is
/// again, when it takes them.
#[test]
fn what_is_owed_is_bounded_and_holds_up_who_does_not_take_it() {
    let mut pair = Pair::new(1);
    let mut sent = 0;
    let start = Instant::now();
    while pair.client.is_read() {
        sent += pair.peer.write(&[b'a'; 64]).unwrap_or(0);
        pair.serve();
        assert!(start.elapsed() < Duration::from_mins(1), "{} chunks and no end", pair.chunks);
    }
    // Room for 1024 pings here, and for what the system takes: not more than some 64 KiB.
    assert!((1024..32_768).contains(&pair.chunks), "{} chunks", pair.chunks);
    pair.peer.shutdown(Shutdown::Write).expect("connected");
    let mut pings = 0;
    while !pair.client.is_done() {
        pings += pair.peer.read(&mut [0; 4096]).unwrap_or(0);
        pair.serve();
        assert!(start.elapsed() < Duration::from_mins(1), "it is not listened to again");
    }
    drop(pair.client);
    pair.peer.set_nonblocking(false).expect("connected");
    let mut rest = Vec::new();
    pair.peer.read_to_end(&mut rest).expect("an end of file");
    assert_eq!(pings + rest.len(), 4 * (1 + pair.chunks));
    assert_eq!(pair.text.len(), sent);
}
