//! `std::thread::scope`, which loom does not have: threads that may borrow, since the scope joins
//! them before what they borrow is gone.

use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;

use loom::thread::{self, JoinHandle};

/// `std::thread::Builder`, with scopes.
#[derive(Debug)]
pub struct Builder(thread::Builder);

/// `std::thread::Scope`, for models in which only its owner starts threads in it.
pub struct Scope<'scope, 'env: 'scope> {
    threads: RefCell<Vec<JoinHandle<()>>>,
    lives: PhantomData<(&'scope mut &'scope (), &'env mut &'env ())>,
}

/// `std::thread::scope`.
pub fn scope<'env, T>(run: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T) -> T {
    let scope = Scope { threads: RefCell::default(), lives: PhantomData };
    let joined = Joined(&scope.threads);
    let result = run(&scope);
    drop(joined);
    result
}

/// Joins the threads at the end of the scope.
struct Joined<'a>(&'a RefCell<Vec<JoinHandle<()>>>);

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort(); // the model has failed, and its threads will never end
        }
        for thread in self.0.take() {
            thread.join().expect("no thread of a model panics");
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Of a thread without a name.
    pub fn new() -> Self {
        Self(thread::Builder::new())
    }

    /// Gives it one.
    #[must_use]
    pub fn name(self, name: String) -> Self {
        Self(self.0.name(name))
    }

    /// Starts it.
    pub fn spawn<T: Send + 'static>(
        self,
        run: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        self.0.spawn(run)
    }

    /// Starts it within a scope.
    pub fn spawn_scoped<'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        run: impl FnOnce() + Send + 'scope,
    ) -> io::Result<()> {
        let run: Box<dyn FnOnce() + Send + 'scope> = Box::new(run);
        // SAFETY: the thread is joined by the end of `scope`, on every way out of it, and all that
        // it borrows lives longer than that.
        #[allow(unsafe_code)]
        let run: Box<dyn FnOnce() + Send + 'static> = unsafe { std::mem::transmute(run) };
        scope.threads.borrow_mut().push(self.0.spawn(run)?);
        Ok(())
    }
}
