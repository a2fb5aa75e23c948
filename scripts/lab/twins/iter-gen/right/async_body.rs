// right: the coroutine is an async block that is polled by hand: it stops at its await until there
// is a line.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{Result, Write, stdin, stdout};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn main() -> Result<()> {
    let options = Options::parse();
    for number in (0..options.stop).chain(0..options.top) {
        writeln!(stdout(), "{number}")?;
    }
    let sent = RefCell::new(None);
    let mut grep = pin!(async {
        println!("start grep");
        loop {
            let next = || sent.borrow_mut().take().map_or(Poll::Pending, Poll::Ready);
            let line: String = poll_fn(|_| next()).await;
            if line.contains(&options.pattern) {
                println!("{line}");
            }
        }
    });
    let mut context = Context::from_waker(Waker::noop());
    let _: Poll<()> = grep.as_mut().poll(&mut context);
    for line in options.lines() {
        sent.replace(Some(line));
        let _ = grep.as_mut().poll(&mut context);
    }
    Ok(())
}

struct Options {
    stop: u64,
    top: u64,
    pattern: String,
    lines: Vec<String>,
}

impl Options {
    fn parse() -> Options {
        let (mut stop, mut top, mut pattern, mut lines) = (9, 4, "python".to_string(), Vec::new());
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut next = || arguments.next().expect("a value");
            match argument.as_str() {
                "--stop" => stop = next().parse().expect("a number"),
                "--top" => top = next().parse().expect("a number"),
                "--pattern" => pattern = next(),
                _ => lines.push(argument),
            }
        }
        if lines.is_empty() {
            lines = ["I love u, Anya", "python is simple"].map(String::from).into();
        }
        Options { stop, top, pattern, lines }
    }

    /// The lines, each read when it is asked for.
    fn lines(&self) -> Box<dyn Iterator<Item = String> + '_> {
        match &self.lines[..] {
            [line] if line == "-" => Box::new(stdin().lines().map_while(Result::ok)),
            lines => Box::new(lines.iter().cloned()),
        }
    }
}
