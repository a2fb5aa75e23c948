// wrong: an error of one client is unwrapped: the panic ends the server.
// fails: rude timeout
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
    let mut rest = Vec::new();
    loop {
        let length = client.read(&mut chunk).expect("recv");
        if length == 0 {
            break;
        }
        rest.extend(&chunk[..length]);
        println!("{}", decode(&mut rest));
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
