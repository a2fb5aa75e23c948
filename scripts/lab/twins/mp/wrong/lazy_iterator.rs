// wrong: map is lazy: each child is started only when the loop that waits asks for it.
// fails: overlap

use std::env;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

fn main() {
    if let Ok(name) = env::var("GREET") {
        return greet(&name);
    }
    let names = options().0;
    let children = names.iter().map(|name| start(name));
    for mut child in children {
        child.wait().expect("a child");
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
