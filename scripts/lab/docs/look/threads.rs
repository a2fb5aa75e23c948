// Four threads that only compute, each on a processor of its own as long as there is one.
use std::hint::black_box;
use std::thread;

const ROUNDS: u64 = 20_000_000;

fn spin() {
    let mut total: u64 = 0;
    for i in 0..ROUNDS {
        total = black_box(total.wrapping_add(i));
    }
}

fn main() {
    thread::scope(|scope| {
        for number in 0..4 {
            let named = thread::Builder::new().name(format!("spin-{number}"));
            named.spawn_scoped(scope, spin).expect("a thread");
        }
    });
}
