// wrong: nobody waits: whichever of the two is quicker ends first.
// fails: waits

use std::env;
use std::process::exit;
use std::thread;
use std::time::Duration;

unsafe extern "C" {
    fn fork() -> i32;
}

fn main() {
    let (foo, child_value, forever) = options();
    // SAFETY: there is no other thread, so that the child may do whatever the parent may.
    if unsafe { fork() } == 0 {
        println!("Child:  {child_value}");
        while let Some(interval) = forever {
            thread::sleep(interval);
            println!("Child:  {child_value}");
        }
        exit(0);
    }
    println!("Parent:  {foo}");
}

/// The two values and, with --forever, the interval.
fn options() -> (String, String, Option<Duration>) {
    let (mut value, mut child_value) = ("bar".to_string(), "baz".to_string());
    let (mut forever, mut interval) = (false, 5.0);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut next = || arguments.next().expect("a value");
        match argument.as_str() {
            "--value" => value = next(),
            "--child-value" => child_value = next(),
            "--forever" => forever = true,
            "--interval" => interval = next().parse().expect("seconds"),
            _ => {}
        }
    }
    (value, child_value, forever.then(|| Duration::from_secs_f64(interval)))
}
