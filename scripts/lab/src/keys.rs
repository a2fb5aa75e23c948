//! Keys as they are pressed, without Enter. Where stdin is no terminal, lines: the first letter of
//! one is the key, an empty one is the space bar, and the end of input is the end.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::read;

/// What a terminal sends for Ctrl-C, Ctrl-Z and Ctrl-\ when those are keys like any other.
const CTRL_C: u8 = 3;
const CTRL_Z: u8 = 26;
const CTRL_BACKSLASH: u8 = 28;

/// What a key asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// What comes next.
    Next,
    /// The same once more.
    Again,
    /// What came before.
    Back,
    /// The answers.
    Answers,
    /// The picture.
    Picture,
    /// No more.
    End,
}

/// Says what the keys do, and waits for one of these.
pub fn ask(offered: &[(Key, &str)]) -> Key {
    let words: Vec<_> = offered.iter().map(|(_, words)| *words).collect();
    let mut err = io::stderr();
    let erased = if err.is_terminal() { "\r\x1b[K" } else { "\n" };
    loop {
        let _ = write!(err, "  {} ", words.join(" · "));
        let pressed = if io::stdin().is_terminal() { press() } else { line() };
        let _ = write!(err, "{erased}");
        match pressed {
            Ok(pressed) if pressed.is_empty() => return Key::End,
            Ok(pressed) => match meaning(&pressed) {
                Some(key) if offered.iter().any(|(other, _)| *other == key) => return key,
                _ => {}
            },
            Err(Errno::EINTR) => {}
            Err(_) => return Key::End,
        }
    }
}

/// What the bytes of a key ask for. The letters also as they are with a Russian layout, and the
/// keys of a presenter's remote control, which are arrows or page keys.
fn meaning(bytes: &[u8]) -> Option<Key> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    // A key is a character, or a sequence that begins with an escape.
    let first = text.chars().next().map_or(0, char::len_utf8);
    Some(match if text.starts_with('\x1b') { &text } else { &text[..first] } {
        " " | "\r" | "\n" | "\x1b[c" | "\x1b[6~" => Key::Next,
        "r" | "к" => Key::Again,
        "b" | "и" | "\x1b[d" | "\x1b[5~" => Key::Back,
        "a" | "ф" => Key::Answers,
        "p" | "з" => Key::Picture,
        "q" | "й" | "\x04" => Key::End,
        _ => return None,
    })
}

/// A line's first letter.
fn line() -> nix::Result<Vec<u8>> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|_| Errno::EIO)?;
    Ok(line.chars().next().map(String::from).unwrap_or_default().into_bytes())
}

/// A terminal that hands over keys as they are pressed, until this goes out of scope.
struct Raw(Termios);

impl Raw {
    fn new() -> nix::Result<Raw> {
        let before = tcgetattr(io::stdin())?;
        let mut keys = before.clone();
        // Without ISIG, Ctrl-C is a key as well: the terminal can be put right before it ends us.
        keys.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG);
        // What was typed before the question is no answer to it.
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &keys)?;
        Ok(Raw(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}

/// The bytes of one key. A signal that ends the program, or the key for it, does so when the
/// terminal is again as it was.
fn press() -> nix::Result<Vec<u8>> {
    let ending = SigSet::from_iter([
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGTSTP,
    ]);
    let before = ending.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let pressed = key_or_signal(&ending);
    before.thread_set_mask()?;
    match pressed? {
        Ok(bytes) => Ok(bytes),
        Err(signal) => {
            raise(signal)?;
            Err(Errno::EINTR) // stopped and continued: ask again
        }
    }
}

fn key_or_signal(ending: &SigSet) -> nix::Result<Result<Vec<u8>, Signal>> {
    let signals = SignalFd::with_flags(ending, SfdFlags::SFD_CLOEXEC)?;
    let _raw = Raw::new()?;
    let stdin = io::stdin();
    let mut ready = [
        PollFd::new(stdin.as_fd(), PollFlags::POLLIN),
        PollFd::new(signals.as_fd(), PollFlags::POLLIN),
    ];
    poll(&mut ready, PollTimeout::NONE)?;
    if ready[1].any().unwrap_or_default() {
        let signal = signals.read_signal()?.and_then(|info| i32::try_from(info.ssi_signo).ok());
        return Ok(Err(signal.map_or(Ok(Signal::SIGTERM), Signal::try_from)?));
    }
    let mut bytes = [0; 8];
    let read = read(&stdin, &mut bytes)?; // not through the buffer of std, which poll can't see
    Ok(match &bytes[..read] {
        [CTRL_C, ..] => Err(Signal::SIGINT),
        [CTRL_Z, ..] => Err(Signal::SIGTSTP),
        [CTRL_BACKSLASH, ..] => Err(Signal::SIGQUIT),
        key => Ok(key.to_vec()),
    })
}
