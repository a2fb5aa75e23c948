// wrong: nobody joins: main sleeps, and when it returns every thread is cut off.
// fails: joined

use std::thread::{self, JoinHandle};
use std::time::Duration;

fn main() {
    let (names, style, delay) = options();
    for name in names {
        start(name, &style, delay);
    }
    thread::sleep(delay + Duration::from_secs(3));
}

fn start(name: String, style: &str, delay: Duration) -> JoinHandle<()> {
    match style {
        "function" => thread::spawn(move || f(&name, delay)),
        _ => thread::spawn(move || Greeter { name, delay }.run()),
    }
}

struct Greeter {
    name: String,
    delay: Duration,
}

impl Greeter {
    fn run(self) {
        f(&self.name, self.delay);
    }
}

fn f(name: &str, delay: Duration) {
    thread::sleep(delay);
    println!("Hello,  {name}");
}

/// The names, the style and the delay.
fn options() -> (Vec<String>, String, Duration) {
    let (mut names, mut style, mut delay) = (Vec::new(), "function".to_string(), 0.0);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--style" => style = arguments.next().expect("a style"),
            "--delay" => delay = arguments.next().expect("a delay").parse().expect("seconds"),
            _ => names.push(argument),
        }
    }
    if names.is_empty() {
        names.push("Bob".to_string());
    }
    (names, style, Duration::from_secs_f64(delay))
}
