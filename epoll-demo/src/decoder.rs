//! UTF-8 that comes in pieces: a read may end in the middle of a character, so the beginning of a
//! character waits for the rest of it. Bytes that are no text become U+FFFD, one for each that
//! `String::from_utf8_lossy` would find in the whole stream.

use std::str;

/// What is left over between two reads: four bytes for each connection.
#[derive(Default)]
pub(crate) struct Decoder {
    unfinished: [u8; 3], // a character has four bytes at most
    len: u8,
}

impl Decoder {
    /// Appends to `text` the characters that `chunk` completes.
    pub(crate) fn decode(&mut self, chunk: &[u8], text: &mut String) {
        if self.len == 0 {
            self.keep(append_complete(chunk, text));
        } else {
            let joined = [&self.unfinished[..usize::from(self.len)], chunk].concat();
            self.keep(append_complete(&joined, text));
        }
    }

    /// The stream is over: a character still unfinished never will be.
    pub(crate) fn finish(&mut self, text: &mut String) {
        if self.len > 0 {
            text.push(char::REPLACEMENT_CHARACTER);
            self.len = 0;
        }
    }

    fn keep(&mut self, rest: &[u8]) {
        self.unfinished[..rest.len()].copy_from_slice(rest);
        self.len = u8::try_from(rest.len()).expect("an unfinished character has 3 bytes at most");
    }
}

/// Appends the text of `bytes`; returns the unfinished character at its end.
fn append_complete<'a>(mut bytes: &'a [u8], text: &mut String) -> &'a [u8] {
    loop {
        let error = match str::from_utf8(bytes) {
            Ok(valid) => {
                text.push_str(valid);
                return &[];
            }
            Err(error) => error,
        };
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        text.push_str(str::from_utf8(valid).expect("valid up to here"));
        // No length: not wrong, but cut off by the end of the bytes.
        let Some(invalid) = error.error_len() else {
            return rest;
        };
        text.push(char::REPLACEMENT_CHARACTER);
        bytes = &rest[invalid..];
    }
}

#[cfg(test)]
mod tests {
    use super::Decoder;

    /// The law: wherever a stream is cut, its text is that of the whole.
    #[test]
    fn any_cut_of_any_bytes_is_what_from_utf8_lossy_makes_of_the_whole() {
        // Of every kind: a character of one byte, continuations, the first bytes of two, three and
        // four, those with narrower rules for the second, and bytes that never occur.
        let kinds = *b"a\x80\x9f\xa0\xc0\xd0\xe0\xe2\xed\xf0\xf4\xff";
        let all = || kinds.into_iter();
        let two = || all().flat_map(|a| all().map(move |b| [a, b]));
        for whole in two().flat_map(|[a, b]| two().map(move |[c, d]| [a, b, c, d])) {
            let expected = String::from_utf8_lossy(&whole);
            for cuts in 0..8 {
                let (mut decoder, mut text, mut from) = (Decoder::default(), String::new(), 0);
                for to in (1..4).filter(|place| cuts & (1 << (place - 1)) != 0).chain([4]) {
                    decoder.decode(&whole[from..to], &mut text);
                    from = to;
                }
                decoder.finish(&mut text);
                assert_eq!(text, expected, "{whole:x?} cut at the places {cuts:03b}");
            }
        }
    }

    #[test]
    fn a_character_is_given_with_its_last_byte_and_not_before() {
        let (mut decoder, mut text) = (Decoder::default(), String::new());
        decoder.decode(&"🦀".as_bytes()[..2], &mut text);
        decoder.decode(&"🦀".as_bytes()[2..3], &mut text);
        assert_eq!(text, "");
        decoder.decode(&"🦀".as_bytes()[3..], &mut text);
        assert_eq!(text, "🦀");
    }
}
