//! A client, polite or not.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::server::until;

pub struct Client {
    pub stream: TcpStream,
}

impl Client {
    pub fn say(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).expect("it is connected");
    }

    /// Reads so many pings, and not a byte more.
    pub fn pings(&mut self, number: usize) {
        let mut pings = vec![0; 4 * number];
        self.stream.read_exact(&mut pings).expect("a ping");
        assert_eq!(pings, b"ping".repeat(number));
    }

    /// Ends its side (FIN) and reads the rest: the number of pings until the server closes, too.
    pub fn leave(mut self) -> usize {
        self.stream.shutdown(Shutdown::Write).expect("it is connected");
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("pings, then the end");
        assert_eq!(rest, b"ping".repeat(rest.len() / 4));
        rest.len() / 4
    }

    /// Closes without having read a ping, which makes the system reset the connection (RST).
    pub fn reset(self) {
        let mut byte = [0];
        until("a ping has come", || self.stream.peek(&mut byte).is_ok());
    }

    /// Sends as much as the system takes, without waiting; the number of bytes.
    pub fn pour(&mut self, bytes: &[u8]) -> usize {
        self.stream.set_nonblocking(true).expect("fcntl");
        let mut sent = 0;
        while sent < bytes.len() {
            match self.stream.write(&bytes[sent..]) {
                Ok(more) => sent += more,
                Err(why) if why.kind() == ErrorKind::WouldBlock => break,
                Err(why) => panic!("pour: {why}"),
            }
        }
        self.stream.set_nonblocking(false).expect("fcntl");
        sent
    }
}
