// contained: not-gradable
// says: couldn't read
// tiers: full partial
// Has the compiler read what lies beside it.

const ANSWERS: &str = include_str!("answers");

fn main() {
    println!("ESCAPED: {ANSWERS}");
}
