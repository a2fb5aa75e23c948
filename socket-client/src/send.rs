//! Every byte is sent, and the connection is ended so that every byte arrives.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use crate::{Options, failed, report};

/// How long a server may take to close its side when `--timeout` says nothing else.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends the message, `-` for all of stdin, and says good-bye. The caller closes.
pub(crate) fn send(mut stream: &TcpStream, message: &OsStr, options: &Options) -> io::Result<()> {
    if options.timeout.is_some() {
        stream.set_write_timeout(options.timeout)?;
    }
    // `write` may take a part only, as `send` does in Python; `write_all` is `sendall`.
    let mut send_all = |bytes: &[u8]| {
        let sent = stream.write_all(bytes).map_err(in_time);
        sent.map_err(failed(format!("send {}", options.addr)))
    };
    if message == "-" {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            match io::stdin().read(&mut chunk).map_err(failed("stdin"))? {
                0 => break,
                length => send_all(&chunk[..length])?,
            }
        }
    } else {
        send_all(message.as_bytes())?;
    }
    finish(stream, options).map_err(failed(format!("close {}", options.addr)))
}

/// Tells the server that nothing more comes (FIN), and waits until it has nothing more to say either.
///
/// The trap: `close` alone, while something that the server said is unread, sends no FIN but a reset
/// (RFC 2525, 2.17), and what is still on its way is thrown away. The wait has an end, so that a server
/// that never closes, or that has not even accepted, does not hold us.
fn finish(mut stream: &TcpStream, options: &Options) -> io::Result<()> {
    // Of a connection that is reset already this says "not connected"; `read` knows why.
    let _ = stream.shutdown(Shutdown::Write);
    let patience = options.timeout.unwrap_or(PATIENCE);
    let deadline = Instant::now() + patience;
    let mut unwanted = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let server = &options.addr;
            report(format_args!("{server} did not close within {patience:?}"));
            return Ok(()); // all was sent nevertheless
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut unwanted) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // The time is up, or Ctrl-Z and fg came: EINTR, signal(7).
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(why) => return Err(why),
        }
    }
}

/// A time limit on a socket shows as EAGAIN, "Resource temporarily unavailable": socket(7).
fn in_time(why: io::Error) -> io::Error {
    if why.kind() == ErrorKind::WouldBlock { ErrorKind::TimedOut.into() } else { why }
}
