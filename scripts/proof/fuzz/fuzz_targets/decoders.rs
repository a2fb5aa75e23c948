//! Both decoders against the standard library: any bytes in any pieces are the text of the whole.

#![no_main]

#[path = "../../../../epoll-demo/src/decoder.rs"]
mod epoll;
#[path = "../../../../socket-server/src/decoder.rs"]
mod server;

use libfuzzer_sys::fuzz_target;

// Each byte of the first half says how long the next piece of the second half is.
fuzz_target!(|input: &[u8]| {
    let (lengths, bytes) = input.split_at(input.len() / 2);
    let (mut one, mut other) = (epoll::Decoder::default(), server::Decoder::default());
    let (mut first, mut second) = (String::new(), String::new());
    let mut rest = bytes;
    for length in lengths {
        let (piece, after) = rest.split_at(usize::from(*length % 8).min(rest.len()));
        one.decode(piece, &mut first);
        other.decode(piece, &mut second);
        assert_eq!(first, second, "no character comes earlier in the one than in the other");
        rest = after;
    }
    one.decode(rest, &mut first);
    other.decode(rest, &mut second);
    one.finish(&mut first);
    other.finish(&mut second);
    let whole = String::from_utf8_lossy(bytes);
    assert!(first == whole && second == whole);
});
