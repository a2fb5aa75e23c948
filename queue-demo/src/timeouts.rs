//! `put` and `get` wait for as long as it takes. Here are the ways not to: not at all, or not for
//! longer than so many seconds. In Python they raise `queue.Full` and `queue.Empty`.
//!
//! Run it: `cargo run -p queue-demo -- timeouts`.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use crossbeam::channel::bounded;

use crate::print_line;

pub(crate) fn show() -> io::Result<()> {
    let timeout = Duration::from_millis(10);
    let (producer, queue) = bounded(1);
    say("get_nowait()", "try_recv", queue.try_recv())?;
    say("get(timeout=0.01)", "recv_timeout", queue.recv_timeout(timeout))?;
    say("put_nowait(1)", "try_send", producer.try_send(1))?;
    say("put_nowait(2)", "try_send", producer.try_send(2))?;
    say("put(2, timeout=0.01)", "send_timeout", producer.send_timeout(2, timeout))
}

fn say<T>(python: &str, rust: &str, result: Result<T, impl Display>) -> io::Result<()> {
    let outcome = match result {
        Ok(_) => "done".to_string(),
        Err(error) => error.to_string(),
    };
    print_line(format_args!("{python:<22}{rust:<14}{outcome}"))
}
