//! Text out of a stream of bytes, like Python's `codecs.getincrementaldecoder("utf-8")("replace")`.
//!
//! A stream has no messages: where one `recv` ends is chance, and it may be in the middle of a
//! character. `data.decode()` on each piece, as in the note, fails there. So the beginning of a
//! character is kept until the rest of it comes. (Python keeps half a surrogate, such as ED A0, one
//! piece longer; the text as a whole is the same.)

use std::str;

/// Decodes UTF-8 that comes in pieces; what is not UTF-8 becomes U+FFFD (�).
#[derive(Default)]
pub(crate) struct Decoder {
    /// The first bytes of a character whose last one has not come yet: three at most.
    unfinished: Vec<u8>,
}

impl Decoder {
    /// Appends to `text` all characters that are complete with this piece.
    pub(crate) fn decode(&mut self, piece: &[u8], text: &mut String) {
        let joined;
        let bytes = if self.unfinished.is_empty() {
            piece // nothing is copied
        } else {
            joined = [&self.unfinished, piece].concat();
            &joined
        };
        let (complete, rest) = bytes.split_at(bytes.len() - unfinished(bytes));
        append(complete, text);
        self.unfinished = rest.to_vec();
    }

    /// The stream is at its end: a character that is still unfinished will never be one.
    pub(crate) fn finish(&mut self, text: &mut String) {
        append(&self.unfinished, text);
        self.unfinished.clear();
    }
}

/// How many bytes at the end are the beginning of a character, and only the beginning.
///
/// Looking at the end is enough: a first byte (0xC2 to 0xF4) never stands inside a character.
fn unfinished(bytes: &[u8]) -> usize {
    if bytes.last().is_some_and(u8::is_ascii) {
        return 0; // as a rule, and at once
    }
    (1..=bytes.len().min(3))
        .find(|&length| {
            str::from_utf8(&bytes[bytes.len() - length..])
                .is_err_and(|why| why.valid_up_to() == 0 && why.error_len().is_none())
        })
        .unwrap_or(0)
}

fn append(bytes: &[u8], text: &mut String) {
    match str::from_utf8(bytes) {
        Ok(valid) => text.push_str(valid), // for ASCII ten times as fast as what follows
        Err(_) => text.push_str(&String::from_utf8_lossy(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
        let (mut decoder, mut text) = (Decoder::default(), String::new());
        for piece in pieces {
            decoder.decode(piece, &mut text);
        }
        decoder.finish(&mut text);
        text
    }

    #[test]
    fn a_text_is_whole_wherever_it_is_split() {
        let text = "aж€🦀ñ 漢字 \u{10FFFF}\u{800}\u{7FF}\0";
        let bytes = text.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(decode(pieces), text, "split at {first} and {second}");
            }
        }
        assert_eq!(decode(bytes.chunks(1)), text);
    }

    #[test]
    fn a_character_comes_with_its_last_byte_and_not_before() {
        for character in ["ж", "€", "🦀"] {
            let (last, begin) = character.as_bytes().split_last().unwrap();
            let (mut decoder, mut text) = (Decoder::default(), String::new());
            for byte in begin {
                decoder.decode(&[*byte], &mut text);
                assert_eq!(text, "");
            }
            decoder.decode(&[*last], &mut text);
            assert_eq!(text, character);
        }
    }

    #[test]
    fn an_unfinished_character_at_the_end_is_one_replacement() {
        for begin in ["ж", "€", "🦀"] {
            for length in 1..begin.len() {
                assert_eq!(decode([b"a", &begin.as_bytes()[..length]]), "a\u{FFFD}");
            }
        }
    }

    /// The law: however the bytes are cut, the text is that of all of them at once. Tried on every
    /// row of up to four of these bytes, each of which has a role of its own in UTF-8.
    #[test]
    fn any_bytes_in_any_pieces_give_the_text_of_the_whole() {
        const ROLES: [u8; 16] = [
            b'a', 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xE0, 0xE1, 0xED, 0xF0, 0xF1,
            0xF4, 0xFF,
        ];
        for length in 0..=4 {
            for number in 0..ROLES.len().pow(length) {
                let bytes: Vec<u8> = (0..length)
                    .map(|digit| ROLES[number / ROLES.len().pow(digit) % ROLES.len()])
                    .collect();
                let whole = String::from_utf8_lossy(&bytes);
                assert_eq!(decode(bytes.chunks(1)), whole, "{bytes:X?} byte by byte");
                for at in 0..bytes.len() {
                    let (left, right) = bytes.split_at(at);
                    assert_eq!(decode([left, right]), whole, "{bytes:X?} split at {at}");
                }
            }
        }
    }
}
