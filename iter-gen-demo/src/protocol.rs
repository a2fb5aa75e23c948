//! `next`, `send` and `throw` with the rules of Python's generators, and `close` beside them.
//!
//! A thrown error arrives in the body as the result of its `yield_`, where Python would raise it.
//! See "Generator-iterator methods" in the Python language reference.

use std::io;

use crate::coroutine::{Coroutine, State, Step};

/// What Python raises when a step gives nothing out.
#[derive(Debug)]
pub(crate) enum Raised<Return, Error> {
    /// The body has ended: with this value, or earlier.
    StopIteration(Option<Return>),
    /// The step does not suit the state that the coroutine is in. Nothing has run.
    TypeError(&'static str),
    /// What the body returned as an error: thrown into it, or its own.
    Error(Error),
}

impl<T, Out, Return: 'static, Error: 'static>
    Coroutine<Result<T, Error>, Out, Result<Return, Error>>
{
    /// Runs the body from its beginning to its first `yield_`, where values can be sent to it.
    pub(crate) fn next(&mut self) -> Result<Out, Raised<Return, Error>> {
        match self.state() {
            // Python sends None in place of a value, and what that does is up to the body.
            State::Suspended => Err(Raised::TypeError("it waits for a value: send one")),
            State::Created | State::Closed => self.step(None),
        }
    }

    /// Goes on with a value, up to the next `yield_`.
    pub(crate) fn send(&mut self, value: T) -> Result<Out, Raised<Return, Error>> {
        match self.state() {
            State::Created => {
                Err(Raised::TypeError("it has not started: no yield waits for a value"))
            }
            State::Suspended | State::Closed => self.step(Some(Ok(value))),
        }
    }

    /// Goes on with an error. It comes back out, unless the body handles it.
    pub(crate) fn throw(&mut self, error: Error) -> Result<Out, Raised<Return, Error>> {
        match self.state() {
            State::Suspended => self.step(Some(Err(error))),
            State::Created | State::Closed => {
                self.close();
                Err(Raised::Error(error))
            }
        }
    }

    fn step(&mut self, sent: Option<Result<T, Error>>) -> Result<Out, Raised<Return, Error>> {
        match self.resume(sent) {
            Step::Yielded(value) => Ok(value),
            Step::Returned(Ok(value)) => Err(Raised::StopIteration(Some(value))),
            Step::Returned(Err(error)) => Err(Raised::Error(error)),
            Step::Ended => Err(Raised::StopIteration(None)),
        }
    }
}

impl<Return> From<Raised<Return, io::Error>> for io::Error {
    fn from(raised: Raised<Return, io::Error>) -> io::Error {
        match raised {
            Raised::StopIteration(_) => io::Error::other("StopIteration"),
            Raised::TypeError(why) => io::Error::other(format!("TypeError: {why}")),
            Raised::Error(error) => error,
        }
    }
}
