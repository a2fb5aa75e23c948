// right: its sockets are blocking, and yet no call waits: each says so itself (MSG_DONTWAIT).
use std::collections::HashMap;
use std::env;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::exit;

const IN: u32 = 1;
const OUT: u32 = 4;
const ADD: i32 = 1;
const MODIFY: i32 = 3;

#[repr(C)]
#[cfg_attr(target_arch = "x86_64", repr(packed))]
#[derive(Clone, Copy)]
struct Event {
    events: u32,
    data: u64,
}

unsafe extern "C" {
    safe fn epoll_create1(flags: i32) -> i32;
    safe fn epoll_ctl(epoll: i32, operation: i32, fd: i32, event: &Event) -> i32;
    unsafe fn epoll_wait(epoll: i32, events: *mut Event, most: i32, timeout: i32) -> i32;
    unsafe fn recv(fd: i32, bytes: *mut u8, most: usize, flags: i32) -> isize;
    unsafe fn send(fd: i32, bytes: *const u8, count: usize, flags: i32) -> isize;
    safe fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    safe fn _exit(status: i32) -> !;
}

const DONTWAIT: i32 = 0x40;
const NOSIGNAL: i32 = 0x4000;

fn result(count: isize) -> io::Result<usize> {
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

extern "C" fn stop(_: i32) {
    _exit(0);
}

struct Client {
    stream: TcpStream,
    rest: Vec<u8>,
    owed: Vec<u8>,
    talks: bool,
}

impl Client {
    fn events(&self) -> u32 {
        let reads = self.talks && self.owed.len() < 4 * 1024;
        (if reads { IN } else { 0 }) | (if self.owed.is_empty() { 0 } else { OUT })
    }

    fn read(&mut self, chunk: &mut [u8]) -> std::io::Result<()> {
        // SAFETY: there is room for as many bytes.
        let length = unsafe { recv(self.stream.as_raw_fd(), chunk.as_mut_ptr(), chunk.len(), DONTWAIT) };
        let length = result(length)?;
        self.talks = length > 0;
        if self.talks {
            self.rest.extend(&chunk[..length]);
            println!("{}", decode(&mut self.rest));
            self.owed.extend(b"ping");
        }
        Ok(())
    }

    fn write(&mut self) -> std::io::Result<()> {
        let (bytes, count) = (self.owed.as_ptr(), self.owed.len());
        // SAFETY: the bytes are there.
        let sent = unsafe { send(self.stream.as_raw_fd(), bytes, count, DONTWAIT | NOSIGNAL) };
        let sent = result(sent)?;
        self.owed.drain(..sent);
        Ok(())
    }
}

/// The text at the beginning; the beginning of a character at the end stays.
fn decode(bytes: &mut Vec<u8>) -> String {
    let mut text = String::new();
    let mut whole = 0;
    for part in bytes.utf8_chunks() {
        text += part.valid();
        whole += part.valid().len();
        let broken = part.invalid();
        let unfinished = str::from_utf8(broken).is_err_and(|why| why.error_len().is_none());
        if unfinished && whole + broken.len() == bytes.len() {
            break;
        }
        if !broken.is_empty() {
            text.push('\u{fffd}');
        }
        whole += broken.len();
    }
    bytes.drain(..whole);
    text
}

fn main() {
    let (mut address, mut connections) = ("127.0.0.1:10002".to_string(), u64::MAX);
    let (mut buffer, mut flood) = (1024, false);
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value");
        match word.as_str() {
            "--flood" => flood = true,
            "--connections" => connections = value().parse().expect("a number"),
            "--buffer" => buffer = value().parse().expect("a number"),
            option if option.starts_with("--") => {
                eprintln!("{option}: unknown");
                exit(2);
            }
            _ => address = word,
        }
    }
    signal(15, stop);
    signal(2, stop);
    let listener = TcpListener::bind(&address).expect("listen");
    listener.set_nonblocking(true).expect("O_NONBLOCK");
    let epoll = epoll_create1(0);
    let watch = |operation, fd: i32, events| {
        epoll_ctl(epoll, operation, fd, &Event { events, data: fd as u64 })
    };
    watch(ADD, listener.as_raw_fd(), IN);
    eprintln!("listening on {address}");

    let mut clients: HashMap<i32, Client> = HashMap::new();
    let mut chunk = vec![0; buffer];
    let mut ready = [Event { events: 0, data: 0 }; 64];
    while connections > 0 || !clients.is_empty() {
        // SAFETY: there is room for as many events.
        let count = unsafe { epoll_wait(epoll, ready.as_mut_ptr(), 64, -1) };
        for event in &ready[..usize::try_from(count).unwrap_or(0)] {
            let (events, fd) = (event.events, event.data as i32);
            if fd == listener.as_raw_fd() {
                let Ok((stream, _)) = listener.accept() else {
                    continue;
                };
                let fd = stream.as_raw_fd();
                let owed = b"ping".to_vec();
                let client = Client { stream, rest: Vec::new(), owed, talks: true };
                watch(ADD, fd, client.events());
                clients.insert(fd, client);
                connections -= 1;
                continue;
            }
            let Some(client) = clients.get_mut(&fd) else {
                continue;
            };
            let mut done = Ok(());
            if events & OUT != 0 {
                done = client.write();
            }
            if events & IN != 0 {
                done = done.and(client.read(&mut chunk));
            }
            if flood && client.owed.is_empty() {
                client.owed.extend(b"ping");
            }
            let gone = events & !(IN | OUT) != 0 || client.events() == 0;
            if gone || done.is_err_and(|why| why.kind() != ErrorKind::WouldBlock) {
                clients.remove(&fd); // closed, it leaves the epoll by itself
            } else {
                watch(MODIFY, fd, client.events());
            }
        }
    }
}
