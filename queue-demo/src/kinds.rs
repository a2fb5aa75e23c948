//! The same items through a queue of each kind, and a sentinel after them.
//!
//! Run it: `cargo run -p queue-demo -- kinds`.

use std::io;

use crate::print_line;
use crate::queue::{Kind, Queue};

pub(crate) fn show() -> io::Result<()> {
    // Tuples are compared from left to right, in Rust as in Python: priority, then name.
    let items = [Some((2, 'b')), Some((1, 'c')), Some((3, 'a')), Some((1, 'a')), None];
    row("put", items)?;
    for (name, kind) in [("fifo", Kind::Fifo), ("lifo", Kind::Lifo), ("priority", Kind::Priority)] {
        let queue = Queue::new(kind, 0);
        for item in items {
            queue.put(item);
        }
        row(name, items.map(|_| queue.get()))?;
    }
    print_line("None, put last, is last out of a fifo only. Rust orders it before any Some;")?;
    print_line("Python can't compare it, and a PriorityQueue with it raises TypeError.")
}

fn row(name: &str, items: [Option<(u8, char)>; 5]) -> io::Result<()> {
    let text = |item| match item {
        Some((priority, name)) => format!("({priority}, {name})"),
        None => "None".to_string(),
    };
    print_line(format_args!("{name:<10}{}", items.map(text).join("  ")))
}
