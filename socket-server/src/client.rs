//! One client, from its first byte to its last: the inner loop of the note.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use socket2::SockRef;

use crate::decoder::Decoder;
use crate::stop::Stop;
use crate::{Options, failed, report};

/// Bytes that are taken at most before the next look at the signals.
const UNASKED: usize = 64 * 1024;

/// A client, connected. It is closed where its scope ends, on every way out: that is what `with conn:`
/// is for in Python, and in Rust the `Drop` of the stream.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
}

impl Client {
    /// Prints each chunk that the client sends. Whatever a client does is reported and ends that client
    /// alone; an error that is returned is one of stdout, which ends the server.
    pub(crate) fn serve(mut self, options: &Options, stop: &Stop) -> io::Result<()> {
        let peer = self.peer;
        self.stream.set_nonblocking(true).map_err(failed("ioctl FIONBIO"))?;
        // Not `vec![0; …]`, which would end the server and all its clients were there no memory.
        let mut buffer = Vec::new();
        if let Err(why) = buffer.try_reserve_exact(options.buffer) {
            report(format_args!("buffer for {peer}: {why}"));
            return Ok(());
        }
        buffer.resize(options.buffer, 0);
        let mut decoder = Decoder::default();
        let mut line = String::new();
        let mut left = usize::MAX; // bytes still to be taken
        let mut unasked = 0; // bytes that may be taken without another `wait`

        while left > 0 {
            if unasked == 0 {
                let wake = stop.wait(&self.stream, options.timeout)?;
                if wake.stopping {
                    // What the kernel has received, and confirmed to the client, is printed. That is at most
                    // a full receive buffer: who sends without end must not keep the server from ending.
                    left = left.min(SockRef::from(&self.stream).recv_buffer_size().unwrap_or(0));
                }
                if !wake.readable {
                    if !wake.stopping {
                        report(format_args!("read {peer}: timed out"));
                    }
                    break;
                }
                unasked = UNASKED;
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    left = left.saturating_sub(length);
                    // Where a chunk fills the buffer, the next one is mostly there: to wait for it as well
                    // would take as long as to read it.
                    unasked =
                        if length < buffer.len() { 0 } else { unasked.saturating_sub(length) };
                    decoder.decode(&buffer[..length], &mut line);
                    print(&mut line)?;
                }
                Err(why) if why.kind() == ErrorKind::WouldBlock => unasked = 0, // it was not there
                Err(why) => {
                    report(format_args!("read {peer}: {why}"));
                    break;
                }
            }
        }
        decoder.finish(&mut line);
        print(&mut line)
    }
}

/// Writes the chunk and its newline at once, so that those of several clients never mix.
fn print(line: &mut String) -> io::Result<()> {
    if line.is_empty() {
        return Ok(()); // not one character is complete
    }
    line.push('\n');
    io::stdout().write_all(line.as_bytes()).map_err(failed("stdout"))?;
    line.clear();
    Ok(())
}
