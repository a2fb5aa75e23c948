//! iter-gen-demo's iterator, generator and coroutine: what one step costs.

use std::hint::black_box;
use std::io;
use std::iter;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures::Stream;

use super::{timed, unknown};
use crate::contest::{Case, Goal, Row, python, rust};
use crate::coroutine::Coroutine;
use crate::generator::my_range_gen;
use crate::my_iter::MyIt;

pub(crate) fn row(quick: bool) -> Row {
    let steps = if quick { 10_000_000 } else { 40_000_000 };
    let case = |name: &str, ours, peers: &[&'static str], script, goals: &[Goal]| Case {
        name: name.into(),
        args: vec![steps],
        field: iter::once(ours)
            .chain(peers.iter().copied())
            .map(rust)
            .chain([python(script).share(20)])
            .collect(),
        goals: goals.iter().copied().chain([Goal::Times(script, 50.0)]).collect(),
        is_sum: true,
        processors: 1,
        ..Case::default()
    };
    let ahead = |peer| Goal::Times(peer, 1.0);
    Row {
        name: "steps",
        title: "Iterator, generator, coroutine: sum of the numbers",
        unit: "ns a step",
        growth: None,
        cases: vec![
            case(
                "iterator",
                "iter-gen-demo MyIt",
                &["plain loop", "from_fn"],
                "Python class",
                &[Goal::Times("plain loop", 1.0 / 1.1), Goal::Times("from_fn", 1.0 / 1.1)],
            ),
            case(
                "generator",
                "iter-gen-demo my_range_gen",
                &["genawaiter", "corosensei", "async-stream", "async-stream, pinned"],
                "Python generator",
                &[
                    Goal::Under(2.0),
                    ahead("genawaiter"),
                    ahead("corosensei"),
                    ahead("async-stream"),
                ],
            ),
            case(
                "coroutine: send",
                "iter-gen-demo send",
                &["genawaiter send", "corosensei send"],
                "Python send",
                &[Goal::Under(2.0), ahead("genawaiter send"), ahead("corosensei send")],
            ),
        ],
    }
}

/// `args`: how many steps.
pub(crate) fn take_part(name: &str, args: &[u64]) -> io::Result<()> {
    let &[steps] = args else { return Err(unknown(name)) };
    // Each number has to be there: else the compiler finds the sum by a formula.
    timed(steps, || match name {
        "plain loop" => {
            let (mut total, mut current) = (0, 0);
            while current < steps {
                total += black_box(current);
                current += 1;
            }
            Ok(total)
        }
        "from_fn" => {
            let mut current = 0;
            let next = || {
                current += 1;
                (current <= steps).then_some(current - 1)
            };
            Ok(total(iter::from_fn(next)))
        }
        "iter-gen-demo MyIt" => Ok(total(MyIt::new(steps))),
        "iter-gen-demo my_range_gen" => Ok(total(my_range_gen(steps))),
        "genawaiter" => Ok(total(
            genawaiter::rc::Gen::new(|co| async move {
                let mut current = 0;
                while current < steps {
                    co.yield_(current).await;
                    current += 1;
                }
            })
            .into_iter(),
        )),
        "corosensei" => {
            let mut body = corosensei::Coroutine::new(move |co, ()| {
                let mut current = 0;
                while current < steps {
                    co.suspend(current);
                    current += 1;
                }
            });
            Ok(total(iter::from_fn(|| body.resume(()).as_yield())))
        }
        // One that a function can return, as ours; and one that stays where it was made.
        "async-stream" => {
            Ok(total(polled(Box::pin(stream(steps)) as Pin<Box<dyn Stream<Item = u64>>>)))
        }
        "async-stream, pinned" => Ok(total(polled(pin!(stream(steps))))),
        // The body adds up what it is sent, and gives out the sum so far.
        "iter-gen-demo send" => {
            type Adder = Coroutine<u64, u64, ()>;
            let mut adder: Adder = Coroutine::new(|co| async move {
                let mut total = 0;
                loop {
                    total += co.yield_(total).await;
                }
            });
            let mut send = |sent| match adder.resume(sent) {
                crate::coroutine::Step::Yielded(total) => total,
                _ => 0,
            };
            send(None);
            Ok((0..steps).fold(0, |_, number| send(Some(black_box(number)))))
        }
        "genawaiter send" => {
            let mut adder = genawaiter::rc::Gen::<u64, u64, _>::new(|co| async move {
                let mut total = 0;
                loop {
                    total += co.yield_(total).await;
                }
            });
            let mut send = |sent| match adder.resume_with(sent) {
                genawaiter::GeneratorState::Yielded(total) => total,
                genawaiter::GeneratorState::Complete(()) => 0,
            };
            send(0);
            Ok((0..steps).fold(0, |_, number| send(black_box(number))))
        }
        "corosensei send" => {
            let mut adder = corosensei::Coroutine::<u64, u64, ()>::new(|co, _| {
                let mut total = 0;
                loop {
                    total += co.suspend(total);
                }
            });
            let mut send = |sent| adder.resume(sent).as_yield().unwrap_or(0);
            send(0);
            let total = (0..steps).fold(0, |_, number| send(black_box(number)));
            Ok(total)
        }
        _ => Err(unknown(name)),
    })
}

fn stream(steps: u64) -> impl Stream<Item = u64> {
    async_stream::stream! {
        let mut current = 0;
        while current < steps {
            yield current;
            current += 1;
        }
    }
}

fn polled(mut numbers: impl Stream<Item = u64> + Unpin) -> impl Iterator<Item = u64> {
    let mut context = Context::from_waker(Waker::noop());
    iter::from_fn(move || match Pin::new(&mut numbers).poll_next(&mut context) {
        Poll::Ready(number) => number,
        Poll::Pending => None, // never: it awaits nothing
    })
}

fn total(numbers: impl Iterator<Item = u64>) -> u64 {
    let mut total = 0;
    for number in numbers {
        total += black_box(number);
    }
    total
}
