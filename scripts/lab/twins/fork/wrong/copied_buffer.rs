// wrong: what waits in a buffer is copied by fork with all memory: both processes write it.
// fails: lines

use std::env;
use std::io::{BufWriter, Write, stdout};
use std::ptr::null_mut;

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
}

fn main() {
    let (foo, child_value) = options();
    let mut out = BufWriter::new(stdout());
    writeln!(out, "Parent:  {foo}").expect("stdout");
    // SAFETY: there is no other thread, so that the child may do whatever the parent may.
    let pid = unsafe { fork() };
    if pid == 0 {
        writeln!(out, "Child:  {child_value}").expect("stdout");
    } else {
        // SAFETY: waitpid writes nothing where there is no status to be written.
        unsafe { waitpid(pid, null_mut(), 0) };
    }
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
