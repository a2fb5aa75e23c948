//! `scripts/lab/src/run/log.rs`: what the tracer and the reader of the output see is handed over to
//! the check that waits for it.

use core::time::Duration;
use std::thread::spawn;

use crate::log::Log;

pub(super) fn who_waits_is_told() {
    let log = Log::new(None);
    let others = [1, 2].map(|task| {
        let log = log.clone();
        spawn(move || log.change(|state| state.held.push(task)))
    });
    let seen =
        log.until(Duration::MAX, |state| (state.held.len() == 2).then(|| state.held.clone()));
    let mut seen = seen.expect("there is no time-out in this model");
    seen.sort_unstable();
    assert_eq!(seen, [1, 2]);
    others.into_iter().for_each(|other| other.join().unwrap());
}
