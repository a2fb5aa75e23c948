//! What `socket-server` is ended with: here it is counted.

use core::sync::atomic::{AtomicUsize, Ordering};

/// The signals.
pub(crate) struct Stop;

static CALLED: AtomicUsize = AtomicUsize::new(0);

impl Stop {
    /// Ends the server from one of its threads.
    pub(crate) fn now() {
        CALLED.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was done since it was asked last.
    pub(crate) fn called() -> usize {
        CALLED.swap(0, Ordering::Relaxed)
    }
}
