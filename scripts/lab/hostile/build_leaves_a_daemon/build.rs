use std::process::{Command, Stdio};

fn main() {
    let mut daemon = Command::new("setsid");
    daemon.args(["sh", "-c", "trap '' HUP TERM; exec sleep 1000", "submissions"]);
    let none = Stdio::null;
    daemon.stdin(none()).stdout(none()).stderr(none()).spawn().expect("a daemon");
}
