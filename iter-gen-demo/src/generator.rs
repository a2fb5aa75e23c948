//! The note's `MyRangeGen`: a generator, a function that stops at each `yield`.
//!
//! ```python
//! def MyRangeGen(top):
//!     current = 0
//!     while current < top:
//!         yield current
//!         current += 1
//! ```

use crate::coroutine::Coroutine;

/// A coroutine that only gives out: a `for` loop runs it.
pub(crate) type Generator<Out> = Coroutine<(), Out, ()>;

/// The numbers from 0 up to `top`. As in Python, the call runs nothing of the body.
pub(crate) fn my_range_gen(top: u64) -> Generator<u64> {
    Coroutine::new(|co| async move {
        let mut current = 0;
        while current < top {
            co.yield_(current).await;
            current += 1;
        }
    })
}
