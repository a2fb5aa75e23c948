// right: the first thread is one of the workers, and each worker prints its own results.
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

/// The value after an option on the command line.
fn option<T: FromStr>(name: &str, usual: T) -> T {
    let value = env::args().skip_while(|word| word != name).nth(1);
    value.and_then(|word| word.parse().ok()).unwrap_or(usual)
}

/// The digits of a ** exponent, nine of them in each limb.
fn power(a: u32, exponent: u32) -> String {
    const LIMB: u64 = 1_000_000_000;
    let mut limbs = vec![1u64];
    for _ in 0..exponent {
        let mut carry = 0;
        for limb in &mut limbs {
            carry += *limb * u64::from(a);
            *limb = carry % LIMB;
            carry /= LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let first = limbs.pop().map_or_else(String::new, |limb| limb.to_string());
    limbs.iter().rev().fold(first, |digits, limb| digits + &format!("{limb:09}"))
}

fn main() {
    let (workers, tasks) = (option("--workers", 10), option("--tasks", 10u32));
    let (exponent, delay) = (option("--exponent", 2000), option("--delay", 0.0));
    let ordered = env::args().any(|word| word == "--ordered");
    let start = Instant::now();
    let next_task = AtomicU32::new(0);
    let waiting = Mutex::new((0, BTreeMap::new()));
    let work = || {
        loop {
            let a = next_task.fetch_add(1, Ordering::Relaxed);
            if a >= tasks {
                break;
            }
            thread::sleep(Duration::from_secs_f64(f64::from(tasks - a) * delay));
            let result = power(a, exponent);
            if !ordered {
                println!("{result}");
                continue;
            }
            let (next, waiting) = &mut *waiting.lock().unwrap();
            waiting.insert(a, result);
            while let Some(result) = waiting.remove(next) {
                println!("{result}");
                *next += 1;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    println!("Time: {}", start.elapsed().as_secs_f64());
}
