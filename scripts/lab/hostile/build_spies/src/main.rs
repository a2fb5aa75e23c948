fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let nobody = ["Bob".to_string()];
    for name in if names.is_empty() { &nobody[..] } else { &names } {
        println!("Hello,  {name}");
    }
}
