//! The note's question: iterators and generators, what is the difference? And coroutines?
//!
//! Run it: `cargo run -p iter-gen-demo -- difference`.

use std::fmt::Debug;
use std::hint::black_box;
use std::io;
use std::time::Instant;

use crate::coroutine::Coroutine;
use crate::generator::my_range_gen;
use crate::grep::grep;
use crate::my_iter::MyIt;
use crate::print_line;

/// Prints one difference after the other, each seen on the objects themselves.
pub(crate) fn show() -> io::Result<()> {
    numbers()?;
    place_of_state()?;
    time_of_running()?;
    independence()?;
    exhaustion()?;
    direction()?;
    cost()
}

fn numbers() -> io::Result<()> {
    print_line("An iterator and a generator give the same:")?;
    print_line(format!("    MyIt(4)        {:?}", MyIt::new(4).collect::<Vec<_>>()))?;
    print_line(format!("    MyRangeGen(4)  {:?}", my_range_gen(4).collect::<Vec<_>>()))
}

fn place_of_state() -> io::Result<()> {
    print_line("\nWhere it keeps how far it has come. The iterator: in its fields.")?;
    let mut it = MyIt::new(4);
    shown("it", &it)?;
    shown("it.next()", it.next())?;
    shown("it.next()", it.next())?;
    shown("it", &it)?;
    it.curr = 0;
    shown("it.curr = 0; it", &it)?;
    shown("it.next()", it.next())?;
    print_line("The generator: in its local variables. One sees that it waits, but not where.")?;
    let mut g = my_range_gen(4);
    shown("g", g.state())?;
    shown("g.next()", g.next())?;
    shown("g", g.state())
}

/// A `MyRangeGen` that says what it does.
fn traced(top: u64) -> Coroutine<(), u64, io::Result<()>> {
    Coroutine::new(move |co| async move {
        print_line("        | begins")?;
        let mut current = 0;
        while current < top {
            print_line(format!("        | yields {current}"))?;
            co.yield_(current).await;
            print_line("        | goes on after its yield")?;
            current += 1;
        }
        print_line("        | returns")
    })
}

fn time_of_running() -> io::Result<()> {
    print_line("\nWhen the generator's body runs: not before the first next(), and then only")?;
    print_line("from one yield to the next.")?;
    print_line("    g = traced(2)")?;
    let mut g = traced(2);
    for _ in 0..3 {
        print_line("    g.next()")?;
        shown("", g.next())?;
    }
    Ok(())
}

fn independence() -> io::Result<()> {
    print_line("\nTwo generators from one function: each has variables of its own.")?;
    let (mut a, mut b) = (my_range_gen(4), my_range_gen(4));
    shown("a.next()", a.next())?;
    shown("a.next()", a.next())?;
    shown("b.next()", b.next())?;
    shown("a.next()", a.next())
}

fn exhaustion() -> io::Result<()> {
    print_line("\nExhausted they stay exhausted, unless somebody sets the iterator's field.")?;
    let (mut it, mut g) = (MyIt::new(2), my_range_gen(2));
    for _ in it.by_ref() {}
    for _ in g.by_ref() {}
    shown("it.next(), it.next()", (it.next(), it.next()))?;
    shown("g.next(), g.next()", (g.next(), g.next()))?;
    it.curr = 0;
    shown("it.curr = 0; it.next()", it.next())
}

fn direction() -> io::Result<()> {
    print_line("\nWhich way the data flows. Out of a generator: it produces.")?;
    let mut g = my_range_gen(4);
    shown("g.next()", g.next())?;
    print_line("Into a coroutine: it consumes, and here prints at the margin what it finds.")?;
    let mut g = grep(b"python".to_vec());
    print_line("    g.next()")?;
    g.next()?;
    for line in ["I love u, Anya", "python is simple"] {
        print_line(format!("    g.send({line:?})"))?;
        g.send(line.as_bytes().to_vec())?;
    }
    Ok(())
}

fn cost() -> io::Result<()> {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    print_line(format!("\nWhat each costs, in this {build} build:"))?;
    let (it, g) = (MyIt::new(STEPS.into()), my_range_gen(STEPS.into()));
    let (it_size, g_size, body_size) = (size_of_val(&it), size_of_val(&g), g.body_size());
    let (it_time, g_time) = (nanoseconds(it), nanoseconds(g));
    print_line(format!("    MyIt        {it_size} bytes               {it_time:>5.1} ns a step"))?;
    print_line(format!(
        "    MyRangeGen  {g_size} bytes, its body {body_size}  {g_time:>5.1} ns a step"
    ))?;
    print_line("The body is a state machine that the compiler made of the function, its local")?;
    print_line("variables the fields: an iterator after all, written by somebody else.")
}

const STEPS: u32 = 100_000;

fn nanoseconds(numbers: impl Iterator<Item = u64>) -> f64 {
    let start = Instant::now();
    for number in numbers {
        black_box(number);
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(STEPS)
}

fn shown(what: &str, value: impl Debug) -> io::Result<()> {
    print_line(format!("    {what:22}  {value:?}"))
}
