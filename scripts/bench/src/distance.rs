//! How far apart two processors are. A virtual machine is told nothing of it, and it changes: two
//! processors may be halves of a core now, and in a while cores that have no cache in common. Whoever hands
//! something over from one to the other takes ten times as long then.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use crate::contest::quartiles;
use crate::rows::{nanos, on_processor};

const TIMES: u32 = 200;
const TRIES: u32 = 25;

/// Nanoseconds in which a word goes from one processor to another and back; nothing if there is one
/// only.
pub(crate) fn there_and_back() -> Option<f64> {
    if thread::available_parallelism().map_or(1, usize::from) < 2 {
        return None;
    }
    let word = AtomicU32::new(0);
    let wait_for = |number| {
        while word.load(Ordering::Acquire) != number {
            spin_loop();
        }
    };
    let tries = thread::scope(|scope| {
        scope.spawn(|| {
            on_processor(1);
            for number in 0..TIMES * TRIES {
                wait_for(2 * number + 1);
                word.store(2 * number + 2, Ordering::Release);
            }
        });
        let first = scope.spawn(|| {
            on_processor(0);
            let one = |number| {
                word.store(2 * number + 1, Ordering::Release);
                wait_for(2 * number + 2);
            };
            let a_try = |number| {
                let start = Instant::now();
                (number * TIMES..(number + 1) * TIMES).for_each(one);
                nanos(start.elapsed(), TIMES.into())
            };
            (0..TRIES).map(a_try).collect::<Vec<_>>()
        });
        first.join()
    });
    Some(quartiles(tries.ok()?)[1])
}
