// right: scoped threads borrow the names, and their scope joins them by itself.

use std::thread;
use std::time::Duration;

fn main() {
    let (names, style, delay) = options();
    thread::scope(|scope| {
        for name in &names {
            match style.as_str() {
                "function" => scope.spawn(move || f(name, delay)),
                _ => scope.spawn(move || Greeter { name, delay }.run()),
            };
        }
    });
}

struct Greeter<'a> {
    name: &'a str,
    delay: Duration,
}

impl Greeter<'_> {
    fn run(self) {
        f(self.name, self.delay);
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
