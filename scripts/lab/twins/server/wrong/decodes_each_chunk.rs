// wrong: each chunk is decoded by itself: a character that lies in two of them becomes U+FFFD, twice.
// fails: characters
use std::env;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::process::exit;
use std::thread;
use std::time::Duration;

unsafe extern "C" {
    safe fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    safe fn _exit(status: i32) -> !;
}

/// All that has been received is printed already.
extern "C" fn stop(_: i32) {
    _exit(0);
}

fn serve(mut client: TcpStream, timeout: Option<Duration>, buffer: usize) {
    client.set_read_timeout(timeout).expect("a time limit");
    let mut chunk = vec![0; buffer];
    while let Ok(length @ 1..) = client.read(&mut chunk) {
        println!("{}", String::from_utf8_lossy(&chunk[..length]));
    }
}

fn main() {
    let (mut address, mut connections) = ("127.0.0.1:10001".to_string(), u64::MAX);
    let (mut threads, mut timeout, mut buffer) = (false, None, 1024);
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value");
        match word.as_str() {
            "--threads" => threads = true,
            "--connections" => connections = value().parse().expect("a number"),
            "--timeout" => timeout = value().parse().map(Duration::from_secs_f64).ok(),
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
    let listener = TcpListener::bind(&address).expect("listen"); // with SO_REUSEADDR
    eprintln!("listening on {address}");
    thread::scope(|scope| {
        for _ in 0..connections {
            let Ok((client, _)) = listener.accept() else {
                continue;
            };
            if threads {
                scope.spawn(move || serve(client, timeout, buffer));
            } else {
                serve(client, timeout, buffer);
            }
        }
    });
}
