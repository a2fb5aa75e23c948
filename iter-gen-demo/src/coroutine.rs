//! A function that stops in the middle, keeps its local variables, and goes on later.
//!
//! Rust's own `yield` is not stable yet, but an `async` block is such a function: the compiler
//! turns its body into a state machine that can stop at every `.await`. As a rule an executor
//! runs it and decides when. Here its owner does: a step is one `poll`, which runs the body up
//! to its next `yield_`. Values pass between the two through a pair of cells.
//!
//! ```text
//! owner   resume(x)  ──►  sent     ──►  let x = co.yield_(y).await;   body
//!         Yielded(y) ◄──  yielded  ◄──
//! ```

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A body that is sent `In`s, gives out `Out`s and in the end returns a `Return`.
pub(crate) struct Coroutine<In, Out, Return> {
    body: Pin<Box<dyn Future<Output = Return>>>,
    state: State,
    cells: Rc<Cells<In, Out>>,
}

struct Cells<In, Out> {
    sent: Cell<Option<In>>,
    yielded: Cell<Option<Out>>,
}

/// How a step of the body ended.
pub(crate) enum Step<Out, Return> {
    /// At a `yield_`, which gave this out.
    Yielded(Out),
    /// The body returned.
    Returned(Return),
    /// There was no step: the body had ended before.
    Ended,
}

/// Where a coroutine is, as Python's `inspect.getgeneratorstate` says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    /// Nothing of its body has run.
    Created,
    /// It waits at a `yield_`.
    Suspended,
    /// Its body has returned, or was dropped.
    Closed,
}

/// What the body gives out and receives through.
pub(crate) struct Yielder<In, Out>(Rc<Cells<In, Out>>);

impl<In, Out> Yielder<In, Out> {
    /// Python's `yield`: gives a value out, stops, and goes on with what is sent next.
    pub(crate) fn yield_(&self, value: Out) -> impl Future<Output = In> {
        self.0.yielded.set(Some(value));
        // Polled for the first time it finds nothing sent, and the whole body stops.
        poll_fn(|_| self.0.sent.take().map_or(Poll::Pending, Poll::Ready))
    }
}

impl<In, Out, Return: 'static> Coroutine<In, Out, Return> {
    /// Makes a coroutine of a body, of which nothing runs yet.
    pub(crate) fn new<Body>(body: impl FnOnce(Yielder<In, Out>) -> Body) -> Self
    where
        Body: Future<Output = Return> + 'static,
    {
        let cells = Rc::new(Cells { sent: Cell::new(None), yielded: Cell::new(None) });
        let body = body(Yielder(Rc::clone(&cells)));
        Coroutine { body: Box::pin(body), state: State::Created, cells }
    }

    /// Runs the body to its next `yield_`. The one where it waits gives it what is sent.
    pub(crate) fn resume(&mut self, sent: Option<In>) -> Step<Out, Return> {
        if self.state == State::Closed {
            return Step::Ended;
        }
        // Until it waits again: one that panics has ended, as one that raises has in Python.
        self.state = State::Closed;
        self.cells.sent.set(sent);
        match self.body.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Step::Returned(value),
            Poll::Pending => {
                self.state = State::Suspended;
                Step::Yielded(self.cells.yielded.take().expect("a body awaits nothing but yield_"))
            }
        }
    }

    /// Ends the body where it is. Its local variables are dropped: that is its clean-up, what
    /// `GeneratorExit` starts in Python. Never started, it never runs; ended, it is left alone.
    pub(crate) fn close(&mut self) {
        self.state = State::Closed;
        self.body = Box::pin(pending()); // in its place, a body of no size that is never run
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The bytes of the state machine that the compiler made of the body.
    pub(crate) fn body_size(&self) -> usize {
        size_of_val(&*self.body)
    }
}

/// A coroutine that needs nothing sent is a generator: `for` can run it.
impl<Out, Return: 'static> Iterator for Coroutine<(), Out, Return> {
    type Item = Out;

    fn next(&mut self) -> Option<Out> {
        // At first no `yield_` waits for it.
        let sent = (self.state == State::Suspended).then_some(());
        match self.resume(sent) {
            Step::Yielded(value) => Some(value),
            Step::Returned(_) | Step::Ended => None,
        }
    }
}
