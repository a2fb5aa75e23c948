// wrong: one thread is made, which greets everybody one after the other.
// fails: threads

use std::thread;
use std::time::Duration;

fn main() {
    let (names, _, delay) = options();
    let greeter = thread::spawn(move || {
        for name in names {
            thread::sleep(delay);
            println!("Hello,  {name}");
        }
    });
    greeter.join().expect("the thread panicked");
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
