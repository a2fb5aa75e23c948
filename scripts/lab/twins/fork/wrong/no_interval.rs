// wrong: with --forever the child prints as fast as it can.
// fails: forever

use std::env;
use std::process::exit;
use std::ptr::null_mut;

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
}

fn main() {
    let (foo, child_value) = options();
    let forever = env::args().any(|argument| argument == "--forever");
    // SAFETY: there is no other thread, so that the child may do whatever the parent may.
    let pid = unsafe { fork() };
    if pid == 0 {
        println!("Child:  {child_value}");
        while forever {
            println!("Child:  {child_value}");
        }
        exit(0);
    }
    println!("Parent:  {foo}");
    // SAFETY: waitpid writes nothing where there is no status to be written.
    unsafe { waitpid(pid, null_mut(), 0) };
}

/// The two values.
fn options() -> (String, String) {
    let (mut value, mut child_value) = ("bar".to_string(), "baz".to_string());
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--value" => value = arguments.next().expect("a value"),
            "--child-value" => child_value = arguments.next().expect("a value"),
            _ => {}
        }
    }
    (value, child_value)
}
