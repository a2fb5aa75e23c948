// wrong: the buffer of a BufWriter is written when it is full, or at the end: nobody sees a line
// before.
// fails: primed

use std::io::{BufWriter, Result, Write, stdin, stdout};

fn main() -> Result<()> {
    let options = Options::parse();
    let mut out = BufWriter::new(stdout());
    for number in (0..options.stop).chain(0..options.top) {
        writeln!(out, "{number}")?;
    }
    writeln!(out, "start grep")?;
    for line in options.lines() {
        if line.contains(&options.pattern) {
            writeln!(out, "{line}")?;
        }
    }
    out.flush()
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
