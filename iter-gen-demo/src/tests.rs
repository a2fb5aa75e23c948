//! The laws of generators and coroutines, tried on many cases.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::coroutine::{Coroutine, State, Step, Yielder};
use crate::generator::{Generator, my_range_gen};
use crate::my_iter::MyIt;
use crate::protocol::Raised;

/// Numbers that look random and are the same in every run (xorshift64).
fn random(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed), |&x| {
        let x = x ^ (x << 13);
        let x = x ^ (x >> 7);
        Some(x ^ (x << 17))
    })
    .skip(1)
}

#[test]
fn a_generator_gives_what_its_loop_would_and_so_does_the_iterator() {
    for top in (0..40).chain([1000, 65_537]) {
        assert!(my_range_gen(top).eq(0..top), "{top}");
        assert!(MyIt::new(top).eq(0..top), "{top}");
    }
}

#[test]
fn both_are_lazy_up_to_the_largest_number() {
    assert_eq!(my_range_gen(u64::MAX).nth(1000), Some(1000));
    let mut it = MyIt { stop: u64::MAX, curr: u64::MAX - 1 };
    assert_eq!((it.next(), it.next(), it.next()), (Some(u64::MAX - 1), None, None));
}

#[test]
fn generators_from_one_function_are_independent_in_any_interleaving() {
    for seed in 1..50 {
        let mut running: Vec<_> = (0..5).map(|n| (my_range_gen(n * 7), 0..n * 7)).collect();
        for choice in random(seed).take(200) {
            let (generator, expected) = &mut running[(choice % 5) as usize];
            assert_eq!(generator.next(), expected.next(), "seed {seed}");
        }
    }
}

#[test]
fn exhausted_stays_exhausted() {
    let mut generator = my_range_gen(3);
    assert_eq!(generator.by_ref().count(), 3);
    for _ in 0..5 {
        assert_eq!(generator.next(), None);
        assert_eq!(generator.state(), State::Closed);
    }
}

#[test]
fn nothing_of_the_body_runs_before_the_first_step() {
    let ran = Rc::new(Cell::new(false));
    let flag = Rc::clone(&ran);
    let mut generator: Generator<u32> = Coroutine::new(|co| async move {
        flag.set(true);
        co.yield_(1).await;
    });
    assert_eq!((ran.get(), generator.state()), (false, State::Created));
    assert_eq!(generator.next(), Some(1));
    assert_eq!((ran.get(), generator.state()), (true, State::Suspended));
}

/// Counts how often it is dropped.
struct Counted(Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Holds one more counted value at each of its `n` yields.
fn holding(n: usize, drops: &Rc<Cell<usize>>) -> Generator<usize> {
    let drops = Rc::clone(drops);
    Coroutine::new(move |co| async move {
        let mut held = Vec::new();
        for i in 0..n {
            held.push(Counted(Rc::clone(&drops)));
            co.yield_(i).await;
        }
    })
}

#[test]
fn dropped_or_closed_at_any_yield_all_local_variables_are_dropped_once() {
    let n = 6;
    for close in [false, true] {
        for steps in 0..n + 2 {
            let drops = Rc::new(Cell::new(0));
            let mut generator = holding(n, &drops);
            assert_eq!(generator.by_ref().take(steps).count(), steps.min(n));
            if close {
                generator.close();
                assert_eq!(drops.get(), steps.min(n), "closed after {steps} steps");
                generator.close();
                assert_eq!(generator.next(), None);
            }
            drop(generator);
            assert_eq!(drops.get(), steps.min(n), "dropped after {steps} steps");
        }
    }
}

#[test]
fn a_body_that_panics_has_ended_and_is_cleaned_up() {
    let drops = Rc::new(Cell::new(0));
    let counted = Counted(Rc::clone(&drops));
    let mut generator: Generator<u32> = Coroutine::new(|co| async move {
        let _counted = counted;
        co.yield_(1).await;
        panic!("on purpose");
    });
    assert_eq!(generator.next(), Some(1));
    assert!(catch_unwind(AssertUnwindSafe(|| generator.next())).is_err());
    assert_eq!((drops.get(), generator.state()), (1, State::Closed));
    assert_eq!(generator.next(), None);
}

#[test]
fn a_suspended_coroutine_may_be_moved() {
    let mut generators = Vec::new();
    for n in 0..100 {
        generators.push(my_range_gen(n)); // moves those before it now and then
        for generator in &mut generators {
            generator.next();
        }
    }
    for (n, generator) in (0..100).zip(generators) {
        assert!(generator.eq((100 - n).min(n)..n), "{n}");
    }
}

#[test]
fn a_function_that_borrows_the_yielder_yields_for_its_caller() {
    async fn twice(co: &Yielder<(), u32>, value: u32) {
        co.yield_(value).await;
        co.yield_(value).await;
    }
    let generator = Coroutine::new(|co| async move {
        for value in 0..3 {
            twice(&co, value).await; // Python's `yield from`
        }
    });
    assert!(generator.eq([0, 0, 1, 1, 2, 2]));
}

#[test]
fn a_value_returned_ends_a_coroutine_once() {
    let mut coroutine: Coroutine<(), (), u32> = Coroutine::new(|_| async { 7 });
    assert!(matches!(coroutine.resume(None), Step::Returned(7)));
    assert!(matches!(coroutine.resume(None), Step::Ended));
}

/// Gives out the sum of what it was sent. An even error it handles, an odd one ends it, and at
/// a sum of 20 it returns.
fn adder() -> Coroutine<Result<u64, u64>, u64, Result<&'static str, u64>> {
    Coroutine::new(|co| async move {
        let mut sum = 0;
        while sum < 20 {
            match co.yield_(sum).await {
                Ok(value) => sum += value,
                Err(error) if error % 2 == 0 => sum = 0,
                Err(error) => return Err(error),
            }
        }
        Ok("done")
    })
}

/// What Python says of any sequence of calls, kept in three variables instead of a body.
#[test]
fn next_send_throw_and_close_do_what_python_does_in_any_order() {
    for seed in 1..2000 {
        let mut coroutine = adder();
        let (mut state, mut sum) = (State::Created, 0);
        for choice in random(seed).take(30) {
            let value = choice / 16 % 10;
            let (outcome, expected) = match (choice % 16, state) {
                (0, _) => {
                    coroutine.close();
                    state = State::Closed;
                    continue;
                }
                (1..5, State::Created) => {
                    state = State::Suspended;
                    (coroutine.next(), Ok(0))
                }
                (1..5, State::Suspended) => (coroutine.next(), Err(Raised::TypeError(""))),
                (1..5, State::Closed) => (coroutine.next(), Err(Raised::StopIteration(None))),
                (5..8, State::Suspended) if value % 2 == 0 => {
                    sum = 0;
                    (coroutine.throw(value), Ok(0))
                }
                (5..8, _) => {
                    state = State::Closed;
                    (coroutine.throw(value), Err(Raised::Error(value)))
                }
                (_, State::Created) => (coroutine.send(value), Err(Raised::TypeError(""))),
                (_, State::Closed) => (coroutine.send(value), Err(Raised::StopIteration(None))),
                (_, State::Suspended) => {
                    sum += value;
                    let done = sum >= 20;
                    state = if done { State::Closed } else { state };
                    let end = Raised::StopIteration(Some("done"));
                    (coroutine.send(value), if done { Err(end) } else { Ok(sum) })
                }
            };
            assert_eq!(words(&outcome), words(&expected), "seed {seed}");
            assert_eq!(coroutine.state(), state, "seed {seed}");
        }
    }
}

fn words(outcome: &Result<u64, Raised<&str, u64>>) -> String {
    match outcome {
        Ok(value) => format!("yields {value}"),
        Err(Raised::StopIteration(value)) => format!("StopIteration {value:?}"),
        Err(Raised::TypeError(_)) => "TypeError".to_string(),
        Err(Raised::Error(error)) => format!("raises {error}"),
    }
}
