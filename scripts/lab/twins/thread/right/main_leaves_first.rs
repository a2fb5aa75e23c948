// right: main does not join but ends its own thread: the process lives until the last one ends.

use std::ffi::c_long;
use std::thread;
use std::time::Duration;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
}

/// exit(2), which ends one thread; the exit of the standard library is exit_group(2).
const SYS_EXIT: c_long = if cfg!(target_arch = "aarch64") { 93 } else { 60 };

fn main() {
    let (names, _, delay) = options();
    for name in names {
        thread::spawn(move || {
            thread::sleep(delay);
            println!("Hello,  {name}");
        });
    }
    // SAFETY: the other threads use nothing of this one's stack.
    unsafe { syscall(SYS_EXIT, 0) };
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
