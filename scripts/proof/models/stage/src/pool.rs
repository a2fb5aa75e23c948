//! As much of rayon's pool as `pool-demo` uses: threads that the caller starts, and tasks that they
//! take in the order in which they were submitted. A dropped pool asks its threads to end when there
//! is nothing left to do, and does not wait for them, as rayon's.

use std::collections::VecDeque;
use std::io;

use loom::sync::{Arc, Condvar, Mutex};

type Task = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    ending: bool,
}

/// Tasks wait in it for its threads.
pub struct ThreadPool(Arc<Shared>);

/// `rayon::ThreadPoolBuilder`.
#[derive(Default)]
pub struct ThreadPoolBuilder<F> {
    threads: usize,
    start: F,
}

/// What a thread of the pool does.
pub struct ThreadBuilder {
    index: usize,
    shared: Arc<Shared>,
}

impl ThreadPoolBuilder<()> {
    /// Of no threads yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<F> ThreadPoolBuilder<F> {
    /// How many threads.
    #[must_use]
    pub fn num_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// Who starts them.
    pub fn spawn_handler<G: FnMut(ThreadBuilder) -> io::Result<()>>(
        self,
        start: G,
    ) -> ThreadPoolBuilder<G> {
        ThreadPoolBuilder { threads: self.threads, start }
    }
}

impl<F: FnMut(ThreadBuilder) -> io::Result<()>> ThreadPoolBuilder<F> {
    /// Starts them; when one can't be started, the others are asked to end.
    pub fn build(mut self) -> io::Result<ThreadPool> {
        let pool = ThreadPool(Arc::default());
        for index in 0..self.threads {
            (self.start)(ThreadBuilder { index, shared: pool.0.clone() })?;
        }
        Ok(pool)
    }
}

impl ThreadBuilder {
    /// Which thread of the pool.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Runs task after task until the pool has ended.
    pub fn run(self) {
        loop {
            let mut state = self.shared.state.lock().expect(UNPOISONED);
            let task = loop {
                if let Some(task) = state.tasks.pop_front() {
                    break task;
                }
                if state.ending {
                    return;
                }
                state = self.shared.changed.wait(state).expect(UNPOISONED);
            };
            drop(state);
            task();
        }
    }
}

impl ThreadPool {
    /// Queues a task.
    pub fn spawn_fifo(&self, task: impl FnOnce() + Send + 'static) {
        self.0.state.lock().expect(UNPOISONED).tasks.push_back(Box::new(task));
        self.0.changed.notify_one();
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.0.state.lock().expect(UNPOISONED).ending = true;
        self.0.changed.notify_all();
    }
}

/// Models end their tasks by `resume_unwind`, which no panic hook sees: there is no one to silence.
pub fn current_thread_index() -> Option<usize> {
    None
}

const UNPOISONED: &str = "no model panics while it holds this lock";
