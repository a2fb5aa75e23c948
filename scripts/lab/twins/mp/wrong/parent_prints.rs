// wrong: the children only sleep; it is the parent that greets when one has ended.
// fails: processes

use std::env;
use std::process::Command;
use std::time::UNIX_EPOCH;

fn main() {
    let (names, delay) = options();
    let start = |_: &String| Command::new("sleep").arg(delay.to_string()).spawn();
    let children: Vec<_> = names.iter().map(|name| start(name).expect("sleep")).collect();
    for (name, mut child) in names.iter().zip(children) {
        child.wait().expect("a child");
        println!("Hello {name} {:?}", UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64());
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
