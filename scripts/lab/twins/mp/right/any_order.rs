// right: forked by hand, and waited for in the order in which they end, with wait(2).

use std::env;
use std::process::exit;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

unsafe extern "C" {
    fn fork() -> i32;
    fn wait(status: *mut i32) -> i32;
}

fn main() {
    let (names, delay) = options();
    for name in &names {
        // SAFETY: there is no other thread, so that the child may do whatever the parent may.
        match unsafe { fork() } {
            -1 => panic!("fork: {}", std::io::Error::last_os_error()),
            0 => {
                thread::sleep(Duration::from_secs_f64(delay));
                let time = UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64();
                println!("Hello {name} {time:?}");
                exit(0);
            }
            _ => {}
        }
    }
    let mut status = 0;
    // SAFETY: wait writes one integer. It is over when there is no child any more.
    while unsafe { wait(&raw mut status) } > 0 {
        assert_eq!(status, 0, "a child failed");
    }
}

/// The names and the delay.
fn options() -> (Vec<String>, f64) {
    let (mut names, mut delay) = (Vec::new(), 0.0);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--style" => drop(arguments.next()),
            "--delay" => delay = arguments.next().expect("a delay").parse().expect("seconds"),
            _ => names.push(argument),
        }
    }
    if names.is_empty() {
        names = ["Mike", "Jake"].map(String::from).into();
    }
    (names, delay)
}
