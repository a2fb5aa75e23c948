// right: the coroutine is a thread: a channel without room hands it a line, another one says that
// it is ready for the next.

use std::io::{Result, Write, stdin, stdout};
use std::iter::from_fn;
use std::sync::mpsc::sync_channel;
use std::thread;

fn main() -> Result<()> {
    let options = Options::parse();
    let mut out = stdout();
    let mut curr = 0;
    let iterator = from_fn(|| {
        curr += 1;
        (curr <= options.stop).then_some(curr - 1)
    });
    for number in iterator.chain(0..options.top) {
        writeln!(out, "{number}")?;
    }
    let (line_to, lines) = sync_channel::<String>(0);
    let (ready_for, ready) = sync_channel(0);
    let pattern = &options.pattern;
    thread::scope(|scope| {
        scope.spawn(move || {
            println!("start grep");
            while ready_for.send(()).is_ok()
                && let Ok(line) = lines.recv()
            {
                if line.contains(pattern) {
                    println!("{line}");
                }
            }
        });
        let _ = ready.recv();
        for line in options.lines() {
            let _ = line_to.send(line);
            let _ = ready.recv();
        }
        drop(line_to);
    });
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
