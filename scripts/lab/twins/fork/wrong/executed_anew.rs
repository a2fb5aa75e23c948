// wrong: Command starts this program anew: the child knows only what its arguments say, and no
// variable of the parent.
// fails: process

use std::env;
use std::process::Command;

fn main() {
    let (foo, child_value) = options();
    if env::var("CHILD").is_ok() {
        println!("Child:  {child_value}");
        return;
    }
    let program = env::current_exe().expect("/proc");
    let arguments = ["--child-value", &child_value];
    let mut child =
        Command::new(program).args(arguments).env("CHILD", "").spawn().expect("a child");
    println!("Parent:  {foo}");
    child.wait().expect("the child");
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
