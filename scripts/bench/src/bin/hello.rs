//! The least that prints a line.

fn main() {
    println!("Hello");
}
