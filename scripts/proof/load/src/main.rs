//! Ten thousand clients, a million messages, and every kind of bad manners: nothing may be lost or
//! doubled, and nothing of it may stay.
//!
//! Run it: `scripts/proof/run load SECONDS`. All of it happens on the loopback network.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::SockRef;

mod server;

use server::{Count, PATIENCE, Server};

/// Threads that act for the clients.
const HANDS: usize = 4;

/// What one server is put under, in each round.
struct Plan {
    command: &'static str,
    /// Whether it sends pings, which its clients have to read.
    pings: bool,
    /// Clients that are connected at the same time.
    crowd: usize,
    /// Small messages, and the connections that they come by.
    messages: usize,
    connections: usize,
}

const PLANS: &[Plan] = &[
    Plan {
        command: "epoll-demo 127.0.0.1:0",
        pings: true,
        crowd: 10_000,
        messages: 1_000_000,
        connections: 100,
    },
    Plan {
        command: "socket-server --threads 127.0.0.1:0",
        pings: false,
        crowd: 10_000,
        messages: 1_000_000,
        connections: 100,
    },
    // One after the other: who comes waits in the system's queue.
    Plan {
        command: "socket-server 127.0.0.1:0",
        pings: false,
        crowd: 1,
        messages: 1_000_000,
        connections: 1,
    },
];

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seconds] = &words[..] else { panic!("usage: load FOLDER SECONDS") };
    let folder = PathBuf::from(folder);
    let time = Duration::from_secs(seconds.parse().expect("a number of seconds"));
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    for plan in PLANS {
        under_load(&folder, plan, time / u32::try_from(PLANS.len()).expect("few"))?;
        out_of_descriptors(&folder, plan)?;
    }
    Ok(())
}

/// Round after round until the time is up; after each all must be as it was before.
fn under_load(folder: &std::path::Path, plan: &Plan, time: Duration) -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let server = Server::start(folder, plan.command, usize::try_from(hard).unwrap_or(usize::MAX))?;
    let before = server.held();
    println!("{}: {before:?}", server.name);
    let (start, mut sent, mut rounds, mut after_first) = (Instant::now(), Count::new(), 0, 0);
    let (mut connections, mut most) = (0, 0);
    while rounds == 0 || start.elapsed() < time {
        for (name, phase) in PHASES {
            let begin = Instant::now();
            let (count, clients) = phase(&server, plan)?;
            sent.join(&count);
            connections += clients;
            server.until("all printed", |s| s.printed().certain() >= sent.certain());
            server.until("all closed", |s| s.held().descriptors <= before.descriptors);
            server.until("all ended", |s| s.held().threads <= before.threads);
            let held = server.held();
            let (kib, took) = (held.kibibytes, begin.elapsed().as_secs_f64());
            if rounds == 0 {
                most = most.max(kib);
                println!("  {took:7.2} s  {kib:>7} KiB  {clients:>6} connections  {name}");
            }
        }
        rounds += 1;
        if rounds == 1 {
            after_first = server.held().kibibytes;
        }
    }
    let kib = server.held().kibibytes;
    // What the greatest crowd of the first round has needed may be kept for the next (of threads the C
    // library keeps more or less of it, as they happen to end), but must not grow.
    assert!(kib <= most + 1024, "memory: at most {most}, then {kib} KiB");
    let name = server.name.clone();
    let printed = server.end();
    for byte in (0..=255_u8).filter(|byte| *byte != b'\n') {
        let (out, due) = (printed.0[usize::from(byte)], sent.0[usize::from(byte)]);
        let right = if byte == b'x' { out <= due } else { out == due };
        assert!(right, "{name}: of {due} bytes {byte:#x}, {out} were printed");
    }
    println!(
        "  {rounds} rounds in {:.0} s: {connections} connections, {} bytes, each printed once, \
         {after_first} KiB after the first round and {kib} after the last",
        start.elapsed().as_secs_f64(),
        sent.certain(),
    );
    Ok(())
}

/// With so few descriptors that most clients have to wait for others to go.
fn out_of_descriptors(folder: &std::path::Path, plan: &Plan) -> io::Result<()> {
    if plan.crowd == 1 {
        return Ok(());
    }
    let server = Server::start(folder, plan.command, 40)?;
    let before = server.held();
    let mut sent = Count::new();
    let mut clients = Vec::new();
    for _ in 0..300 {
        let mut client = connect(server.address)?;
        say(&mut client, b"descriptor", &mut sent)?;
        clients.push(client);
    }
    server.until("full", |s| s.held().descriptors >= 39);
    let waiting = sent.certain() - server.printed().certain();
    assert!(waiting > 0, "nobody had to wait");
    for client in clients {
        leave(client, plan)?;
    }
    server.until("all printed", |s| s.printed().certain() >= sent.certain());
    server.until("all closed", |s| s.held().descriptors <= before.descriptors);
    let printed = server.end().certain();
    assert_eq!(printed, sent.certain());
    println!("  40 descriptors: 300 clients, {waiting} bytes had to wait, {printed} were printed");
    Ok(())
}

type Phase = fn(&Server, &Plan) -> io::Result<(Count, usize)>;

const PHASES: &[(&str, Phase)] = &[
    ("connected at the same time", crowd),
    ("with small messages", messages),
    ("write a byte now and a byte then", slow_writers),
    ("read nothing until they have sent all", slow_readers),
    ("close one direction", half_closes),
    ("reset", resets),
    ("send nothing", silent),
    ("come and go", storm),
    ("still served", afterwards),
];

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let client = TcpStream::connect(address)?;
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    Ok(client)
}

fn say(client: &mut TcpStream, bytes: &[u8], sent: &mut Count) -> io::Result<()> {
    client.write_all(bytes)?;
    sent.add(bytes);
    Ok(())
}

/// Sends no more, and takes what is still owed to it: pings, whole ones, to the end.
fn leave(mut client: TcpStream, plan: &Plan) -> io::Result<usize> {
    client.shutdown(Shutdown::Write)?;
    let mut owed = Vec::new();
    client.read_to_end(&mut owed)?;
    let whole = owed.chunks(4).all(|ping| ping == b"ping");
    assert!(whole && owed.is_empty() != plan.pings, "{} bytes of pings", owed.len());
    Ok(owed.len() / 4)
}

/// So many clients, shared out between some threads.
fn by_many(
    clients: usize,
    act: impl Fn(&mut Count) -> io::Result<()> + Sync,
) -> io::Result<(Count, usize)> {
    let next = AtomicUsize::new(0);
    let mut sent = Count::new();
    thread::scope(|scope| -> io::Result<()> {
        let hands: Vec<_> = (0..HANDS)
            .map(|_| {
                scope.spawn(|| -> io::Result<Count> {
                    let mut sent = Count::new();
                    while next.fetch_add(1, Ordering::Relaxed) < clients {
                        act(&mut sent)?;
                    }
                    Ok(sent)
                })
            })
            .collect();
        for hand in hands {
            sent.join(&hand.join().expect("no client panics")?);
        }
        Ok(())
    })?;
    Ok((sent, clients))
}

fn crowd(server: &Server, plan: &Plan) -> io::Result<(Count, usize)> {
    let (mut sent, before) = (Count::new(), server.printed().certain());
    let clients: io::Result<Vec<_>> = (0..plan.crowd).map(|_| connect(server.address)).collect();
    let mut clients = clients?;
    for client in &mut clients {
        say(client, "из толпы".as_bytes(), &mut sent)?;
    }
    // All that is sent is printed while all of them are connected.
    server.until("a crowd served", |s| s.printed().certain() >= before + sent.certain());
    assert!(server.held().descriptors >= plan.crowd, "all at the same time");
    for client in clients {
        leave(client, plan)?;
    }
    Ok((sent, plan.crowd))
}

fn messages(server: &Server, plan: &Plan) -> io::Result<(Count, usize)> {
    let each = plan.messages / plan.connections;
    by_many(plan.connections, |sent| {
        let mut client = connect(server.address)?;
        let mut buffer = [0; 1 << 12];
        for number in 0..each {
            let text = format!("m{number:07};");
            let mut left = text.as_bytes();
            while !left.is_empty() {
                // Takes its pings now and then: who doesn't is not listened to after some time.
                if plan.pings && number % 64 == 0 {
                    client.set_nonblocking(true)?;
                    while let Ok(1..) = client.read(&mut buffer) {}
                    client.set_nonblocking(false)?;
                }
                let written = client.write(left)?;
                sent.add(&left[..written]);
                left = &left[written..];
            }
        }
        client.shutdown(Shutdown::Write)?;
        while client.read(&mut buffer)? > 0 {}
        Ok(())
    })
}

fn slow_writers(server: &Server, plan: &Plan) -> io::Result<(Count, usize)> {
    by_many(200, |sent| {
        let mut client = connect(server.address)?;
        client.set_nodelay(true)?;
        for byte in "медленно 🦀".bytes() {
            say(&mut client, &[byte], sent)?;
            thread::sleep(Duration::from_micros(200)); // slow is what it is about
        }
        leave(client, plan).map(drop)
    })
}

fn slow_readers(server: &Server, plan: &Plan) -> io::Result<(Count, usize)> {
    // More than fits into both sides' buffers, so that a server that waits for one would be seen.
    let text = "s".repeat(8 << 20);
    by_many(8, |sent| {
        let mut client = connect(server.address)?;
        client.set_nonblocking(true)?;
        let (mut left, mut buffer) = (text.as_bytes(), vec![0; 1 << 16]);
        let (start, mut reads) = (Instant::now(), false);
        while !left.is_empty() {
            match client.write(&left[..left.len().min(100_000)]) {
                Ok(written) => {
                    sent.add(&left[..written]);
                    left = &left[written..];
                }
                Err(why) if why.kind() == ErrorKind::WouldBlock => {
                    reads |= start.elapsed() > Duration::from_millis(300);
                    while reads && let Ok(1..) = client.read(&mut buffer) {}
                    thread::sleep(Duration::from_millis(1));
                    assert!(start.elapsed() < PATIENCE, "held up for ever");
                }
                Err(why) => return Err(why),
            }
        }
        client.set_nonblocking(false)?;
        leave(client, plan).map(drop)
    })
}

fn half_closes(server: &Server, plan: &Plan) -> io::Result<(Count, usize)> {
    by_many(1000, |sent| {
        let mut client = connect(server.address)?;
        say(&mut client, b"half", sent)?;
        let pings = leave(client, plan)?;
        assert!(!plan.pings || pings == 2, "one for coming and one for the chunk: {pings}");
        Ok(())
    })
}

fn resets(server: &Server, _: &Plan) -> io::Result<(Count, usize)> {
    let turn = AtomicUsize::new(0);
    by_many(1000, |sent| {
        let mut client = connect(server.address)?;
        SockRef::from(&client).set_linger(Some(Duration::ZERO))?;
        // Before anything is sent, after a little, after much.
        let length = [0, 1, 5000][turn.fetch_add(1, Ordering::Relaxed) % 3];
        match say(&mut client, &vec![b'x'; length], sent) {
            Err(why) if why.kind() != ErrorKind::ConnectionReset => Err(why),
            _ => Ok(()),
        }
    })
}

fn silent(server: &Server, plan: &Plan) -> io::Result<(Count, usize)> {
    let clients = plan.crowd.min(2000);
    let silent: io::Result<Vec<_>> = (0..clients).map(|_| connect(server.address)).collect();
    let silent = silent?;
    if plan.crowd > 1 {
        // Others are served meanwhile.
        let (mut sent, before) = (Count::new(), server.printed().certain());
        let mut other = connect(server.address)?;
        say(&mut other, b"meanwhile", &mut sent)?;
        server.until("served meanwhile", |s| s.printed().certain() >= before + sent.certain());
        leave(other, plan)?;
        drop(silent);
        return Ok((sent, clients + 1));
    }
    drop(silent);
    Ok((Count::new(), clients))
}

fn storm(server: &Server, _: &Plan) -> io::Result<(Count, usize)> {
    by_many(5000, |_| connect(server.address).map(drop))
}

fn afterwards(server: &Server, plan: &Plan) -> io::Result<(Count, usize)> {
    let mut sent = Count::new();
    let mut client = connect(server.address)?;
    say(&mut client, "всё ещё".as_bytes(), &mut sent)?;
    leave(client, plan)?;
    Ok((sent, 1))
}
