//! The stage on which the demos' own synchronisation is tried: the standard library, with its locks,
//! conditions, atomics and threads replaced by those of loom, which run a model once for each order
//! in which its threads can meet; and of crossbeam, rayon and socket2 as much as the demos use, written with
//! the same means, so that their waiting is part of the model.
//!
//! It takes the place of all four by name (`extern crate stage as std`), so the modules of the demos
//! are compiled here as they are, to the letter.

pub use std::*;

pub mod channel;
mod park;
mod pool;
mod scope;
mod socket;

pub use pool::{ThreadBuilder, ThreadPool, ThreadPoolBuilder, current_thread_index};
pub use socket::{Domain, SockAddr, Socket, Type};

/// `std::sync` with loom's types.
pub mod sync {
    pub use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
    pub use std::sync::{Once, OnceLock, PoisonError};

    /// `std::sync::atomic` with loom's types.
    pub mod atomic {
        pub use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    }
}

/// `std::thread` with loom's threads.
pub mod thread {
    pub use super::park::{Thread, current, park};
    pub use super::scope::{Builder, Scope, scope};
    pub use loom::thread::{JoinHandle, spawn};
}

/// `crossbeam::utils`.
pub mod utils {
    /// Here there are no cache lines.
    #[derive(Default)]
    pub struct CachePadded<T>(T);

    impl<T> std::ops::Deref for CachePadded<T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }
}
