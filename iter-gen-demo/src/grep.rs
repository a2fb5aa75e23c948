//! The note's `grep`: a coroutine, which is sent the lines that it searches.
//!
//! ```python
//! def grep(pattern):
//!     print("start grep")
//!     while True:
//!         line = yield
//!         if pattern in line:
//!             print(line)
//! ```

use std::io;

use crate::coroutine::Coroutine;
use crate::print_line;

/// A coroutine that only takes. Each time it is sent a line, or thrown an error.
pub(crate) type Grep = Coroutine<io::Result<Vec<u8>>, (), io::Result<()>>;

/// Prints those of the lines it is sent that have the pattern in them.
pub(crate) fn grep(pattern: Vec<u8>) -> Grep {
    Coroutine::new(|co| async move {
        print_line("start grep")?;
        loop {
            let line: Vec<u8> = co.yield_(()).await?; // `?` passes on what was thrown
            if contains(&line, &pattern) {
                print_line(&line)?;
            }
        }
    })
}

/// Python's `pattern in line`, on bytes: a line need not be valid UTF-8.
pub(crate) fn contains(line: &[u8], pattern: &[u8]) -> bool {
    // There are no windows of size 0; the empty pattern is in every line.
    pattern.is_empty() || line.windows(pattern.len()).any(|part| part == pattern)
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn contains_finds_a_substring_not_a_regular_expression() {
        assert!(contains(b"python is simple", b"python"));
        assert!(contains(b"python is simple", b"simple"));
        assert!(!contains(b"python is simple", b"p.thon"));
        assert!(!contains(b"python is simple", b"Python"));
        assert!(!contains(b"pytho", b"python"));
    }

    #[test]
    fn the_empty_pattern_is_in_every_line() {
        assert!(contains(b"", b""));
        assert!(contains(b"line", b""));
        assert!(!contains(b"", b"line"));
    }
}
