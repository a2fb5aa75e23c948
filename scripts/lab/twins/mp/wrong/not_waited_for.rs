// wrong: the children are started and let go: the parent may end long before they do.
// fails: joined

use std::env;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

fn main() {
    if let Ok(name) = env::var("GREET") {
        return greet(&name);
    }
    for name in options().0 {
        start(&name); // a Child that is dropped is neither ended nor waited for
    }
}

/// The child: this program anew, told by the environment whom to greet.
fn greet(name: &str) {
    let (_, delay) = options();
    thread::sleep(Duration::from_secs_f64(delay));
    let time = UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64();
    println!("Hello {name} {time:?}");
}

fn start(name: &str) -> Child {
    let program = env::current_exe().expect("/proc");
    let mut command = Command::new(program);
    command.args(env::args().skip(1)).env("GREET", name);
    command.spawn().expect("a process")
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
