// right: threads of its own that share the receiving end of a channel, until it is closed.
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, mpsc};
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
    let start = Instant::now();
    let (submit, queue) = mpsc::channel();
    let queue = Arc::new(Mutex::new(queue));
    let (done, results) = mpsc::channel();
    let threads: Vec<_> = (0..workers)
        .map(|_| {
            let (queue, done) = (queue.clone(), done.clone());
            thread::spawn(move || {
                loop {
                    let task = queue.lock().unwrap().recv();
                    let Ok(a) = task else { break };
                    thread::sleep(Duration::from_secs_f64(f64::from(tasks - a) * delay));
                    done.send((a, power(a, exponent))).unwrap();
                }
            })
        })
        .collect();
    for a in 0..tasks {
        submit.send(a).unwrap();
    }
    drop((submit, done)); // no more tasks, and no more results than the workers'
    if env::args().any(|word| word == "--ordered") {
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (a, result) in results {
            waiting.insert(a, result);
            while let Some(result) = waiting.remove(&next) {
                println!("{result}");
                next += 1;
            }
        }
    } else {
        for (_, result) in results {
            println!("{result}");
        }
    }
    for thread in threads {
        thread.join().unwrap();
    }
    println!("Time: {}", start.elapsed().as_secs_f64());
}
