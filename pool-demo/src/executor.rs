//! A pool of threads that takes tasks and hands out futures: Python's `ThreadPoolExecutor`, on
//! rayon's pool.
//!
//! rayon is made for work that divides itself, and differs from Python's pool in four things, each
//! put right here: the order in which tasks start, panics, the end of the threads, and that all
//! the threads start at once (this one stays, and does no harm).

use std::io;
use std::panic;
use std::sync::Once;
use std::thread::{self, JoinHandle};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::failed;
use crate::future::{Failure, Future};

/// A fixed number of threads and a queue of tasks for them.
pub(crate) struct Executor {
    // Fields are dropped in this order: first rayon tells its threads to go home once there is
    // nothing left to do, then `Threads` waits until they have.
    pool: ThreadPool,
    _threads: Threads,
}

impl Executor {
    /// Starts `workers` threads, `pool-0`, `pool-1`, …
    pub(crate) fn new(workers: usize) -> io::Result<Self> {
        silence_panics_of_tasks();
        let mut threads = Threads(Vec::with_capacity(workers));
        let pool = ThreadPoolBuilder::new()
            .num_threads(workers) // 0 would mean "as many as there are processors"
            .spawn_handler(|worker| {
                let name = format!("pool-{}", worker.index());
                let thread = thread::Builder::new().name(name.clone()).spawn(|| worker.run());
                threads.0.push(thread.map_err(failed(format!("start of thread {name}")))?);
                Ok(())
            })
            .build()
            .map_err(io::Error::other)?;
        Ok(Self { pool, _threads: threads })
    }

    /// Queues a task, to be started when a thread is free. The tasks start in the order in which
    /// they were submitted (rayon's plain `spawn` turns it round when called from inside).
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        task: impl FnOnce() -> T + Send + 'static,
    ) -> Future<T> {
        let (future, run) = Future::new(task);
        self.pool.spawn_fifo(run);
        future
    }

    /// Calls `f` with each item, all at once, and yields the results in the order of the items.
    pub(crate) fn map<A: Send + 'static, T: Send + 'static>(
        &self,
        f: impl Fn(A) -> T + Clone + Send + 'static,
        items: impl IntoIterator<Item = A>,
    ) -> impl Iterator<Item = Result<T, Failure>> {
        let submit = |item| {
            let f = f.clone();
            self.submit(move || f(item))
        };
        let futures: Vec<_> = items.into_iter().map(submit).collect();
        futures.into_iter().map(Future::result)
    }

    /// Leaves the threads to themselves, where to drop the executor would wait for every task: the
    /// end of `main` ends them, whatever they do. Python's `shutdown(wait=False)`.
    pub(crate) fn detach(self) {
        std::mem::forget(self);
    }
}

/// Threads that are joined when they are dropped.
///
/// To drop a rayon pool only asks its threads to end. Its `exit_handler` and `build_scoped` say
/// when a thread has done its work, a moment before the system ends it; only a join is the end.
struct Threads(Vec<JoinHandle<()>>);

impl Drop for Threads {
    fn drop(&mut self) {
        for thread in self.0.drain(..) {
            thread.join().expect("a panic of a task is caught and kept in its future");
        }
    }
}

/// A panic of a task is for its future to tell. But before anybody can catch it, the panic hook
/// prints it to stderr: so let the hook be silent on the threads of a pool.
fn silence_panics_of_tasks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if rayon::current_thread_index().is_none() {
                usual(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::Executor;
    use crossbeam::channel;
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn drop_waits_for_every_task() {
        let done = Arc::new(AtomicUsize::new(0));
        let pool = Executor::new(2).expect("two threads can be started");
        for _ in 0..100 {
            let done = Arc::clone(&done);
            drop(pool.submit(move || done.fetch_add(1, Ordering::Relaxed)));
        }
        drop(pool);
        assert_eq!(done.load(Ordering::Relaxed), 100);
    }

    #[test]
    fn drop_waits_until_the_threads_are_gone() {
        /// Dropped with the thread that holds it, and takes its time about it.
        struct LastWords(Arc<AtomicUsize>);
        impl Drop for LastWords {
            fn drop(&mut self) {
                thread::sleep(Duration::from_millis(50));
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        thread_local!(static HELD: RefCell<Option<LastWords>> = const { RefCell::new(None) });

        let gone = Arc::new(AtomicUsize::new(0));
        let pool = Executor::new(1).expect("a thread can be started");
        let words = LastWords(Arc::clone(&gone));
        let held = pool.submit(move || HELD.set(Some(words)));
        drop(pool);
        assert!(held.is_done());
        assert_eq!(gone.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn tasks_start_in_the_order_of_submission() {
        let (started, starts) = channel::unbounded();
        let pool = Executor::new(1).expect("a thread can be started");
        for number in 0..100 {
            let started = started.clone();
            drop(pool.submit(move || started.send(number)));
        }
        drop((pool, started));
        assert!(starts.iter().eq(0..100));
    }

    #[test]
    fn all_the_threads_work_at_once() {
        let pool = Executor::new(8).expect("eight threads can be started");
        let (started, start) = channel::unbounded();
        let (open, gate) = channel::bounded::<()>(0);
        for _ in 0..8 {
            let (started, gate) = (started.clone(), gate.clone());
            drop(pool.submit(move || started.send(()).is_ok() && gate.recv().is_ok()));
        }
        for _ in 0..8 {
            let started = start.recv_timeout(Duration::from_secs(30));
            started.expect("no task waits for the end of another");
        }
        drop(open);
    }
}
