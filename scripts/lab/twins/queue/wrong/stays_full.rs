// wrong: who takes an item wakes nobody, so the producer sleeps on when there is room again.
// fails: items
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use std::{env, thread};

/// The value after an option on the command line.
fn option<T: FromStr>(name: &str, usual: T) -> T {
    let value = env::args().skip_while(|word| word != name).nth(1);
    value.and_then(|word| word.parse().ok()).unwrap_or(usual)
}

/// The items that wait, the next one first; and whether no more will come.
type Waiting = (BTreeMap<(i64, i64), i64>, bool);

struct Queue {
    kind: String,
    capacity: usize,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    fn put(&self, item: i64) {
        let mut waiting = self.waiting.lock().unwrap();
        while self.capacity > 0 && waiting.0.len() >= self.capacity {
            waiting = self.changed.wait(waiting).unwrap();
        }
        let rank = match &*self.kind {
            "lifo" => (-item, 0),
            "priority" => (item % 3, item),
            _ => (item, 0),
        };
        waiting.0.insert(rank, item);
        self.changed.notify_all();
    }

    fn get(&self) -> Option<i64> {
        let mut waiting = self.waiting.lock().unwrap();
        while waiting.0.is_empty() && !waiting.1 {
            waiting = self.changed.wait(waiting).unwrap();
        }
        waiting.0.pop_first().map(|(_, item)| item)
    }

    fn close(&self) {
        self.waiting.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

fn main() {
    let (workers, items) = (option("--workers", 2), option("--items", 50i64));
    let delay = Duration::from_secs_f64(option("--delay", 0.0));
    let queue = Queue {
        kind: option("--kind", "fifo".to_string()),
        capacity: option("--capacity", 5),
        waiting: Mutex::default(),
        changed: Condvar::new(),
    };
    let room = if queue.capacity == 0 { items } else { items.min(queue.capacity as i64) };
    for item in 0..room {
        queue.put(item);
    }
    thread::scope(|scope| {
        for worker in 1..=workers {
            let queue = &queue;
            scope.spawn(move || {
                while let Some(item) = queue.get() {
                    thread::sleep(delay);
                    println!("process data: {worker} {item}");
                }
            });
        }
        for item in room..items {
            queue.put(item);
        }
        eprintln!("queued {items} items");
        queue.close();
    });
}
