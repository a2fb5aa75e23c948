// wrong: write(2) on a connection that is gone raises SIGPIPE, which nobody has turned off: no word, no exit status.
// fails: vanishes
use std::env;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::process::exit;
use std::time::Duration;

unsafe extern "C" {
    safe fn signal(number: i32, handler: usize) -> usize;
    unsafe fn write(descriptor: i32, bytes: *const u8, count: usize) -> isize;
}

fn send(address: &str, message: &str, timeout: Option<Duration>) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_write_timeout(timeout)?;
    if message == "-" {
        let mut chunk = vec![0; 1 << 16];
        while let length @ 1.. = io::stdin().read(&mut chunk)? {
            let mut rest = &chunk[..length];
            while !rest.is_empty() {
                // SAFETY: the bytes are there, and the descriptor is open.
                let sent = unsafe { write(stream.as_raw_fd(), rest.as_ptr(), rest.len()) };
                rest = &rest[usize::try_from(sent).map_err(|_| io::Error::last_os_error())?..];
            }
        }
    } else {
        stream.write_all(message.as_bytes())?;
    }
    // Closed with something unread in it, a socket would send a reset.
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(timeout.or(Some(Duration::from_secs(1))))?;
    let mut unwanted = [0; 1024];
    while stream.read(&mut unwanted)? > 0 {}
    Ok(())
}

fn main() {
    signal(13, 0); // SIGPIPE as the system has it; std ignores it
    let (mut address, mut timeout) = ("127.0.0.1:10001".to_string(), None);
    let mut messages = Vec::new();
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value");
        match word.as_str() {
            "--addr" => address = value(),
            "--timeout" => timeout = value().parse().map(Duration::from_secs_f64).ok(),
            option if option.starts_with("--") => {
                eprintln!("{option}: unknown");
                exit(2);
            }
            _ => messages.push(word),
        }
    }
    if messages.is_empty() {
        messages = vec!["hello".into(), "ping".into()];
    }
    for message in messages {
        if let Err(why) = send(&address, &message, timeout) {
            eprintln!("{address}: {why}");
            exit(1);
        }
    }
}
