// right: the system call below fork(3), and a wait by a descriptor of the process, waitid(P_PIDFD).

use std::env;
use std::ffi::{c_int, c_long};
use std::process::exit;
use std::ptr::null_mut;
use std::thread;
use std::time::Duration;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn waitid(kind: c_int, id: u32, info: *mut u8, options: c_int) -> c_int;
}

const SYS_CLONE: c_long = if cfg!(target_arch = "aarch64") { 220 } else { 56 };
const SYS_PIDFD_OPEN: c_long = 434;
const SIGCHLD: c_long = 17;
const P_PIDFD: c_int = 3;
const WEXITED: c_int = 4;

fn main() {
    let (foo, child_value, forever) = options();
    // SAFETY: with no flags but the signal at its end, and no stack, that is a fork; and there is
    // no other thread.
    let pid = unsafe { syscall(SYS_CLONE, SIGCHLD, 0, 0, 0, 0) };
    if pid == 0 {
        println!("Child:  {child_value}");
        while let Some(interval) = forever {
            thread::sleep(interval);
            println!("Child:  {child_value}");
        }
        exit(0);
    }
    println!("Parent:  {foo}");
    // SAFETY: numbers only; what waitid may leave out is written nowhere.
    let waited = unsafe {
        let descriptor = syscall(SYS_PIDFD_OPEN, pid, 0);
        waitid(P_PIDFD, u32::try_from(descriptor).expect("a descriptor"), null_mut(), WEXITED)
    };
    assert_eq!(waited, 0, "{}", std::io::Error::last_os_error());
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
