//! Keeps a word of our own command line from the programs that are run: everybody may read the
//! command line of every process (`proc_pid_cmdline(5)`).

use procfs::process::Process;

/// Blots out the value of an option, such as `--seed 7` or `--seed=7`, for those who look at this
/// process from outside. To be called once it has been read, while there is no other thread.
pub fn hide_value_of(option: &str) {
    let Ok(me) = Process::myself().and_then(|me| me.stat()) else { return };
    let (Some(start), Some(end)) = (me.arg_start, me.arg_end) else { return };
    let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else { return };
    let words = std::ptr::with_exposed_provenance_mut::<u8>(start);
    // SAFETY: there the kernel has put the arguments, to be read and written by this process only,
    // one after the other. Nobody else looks at them now: there is one thread, and it is here.
    #[allow(unsafe_code)]
    let words = unsafe { std::slice::from_raw_parts_mut(words, end.saturating_sub(start)) };
    blot(words, option);
}

fn blot(words: &mut [u8], option: &str) {
    let mut is_value = false;
    for word in words.split_mut(|byte| *byte == 0) {
        let joined =
            word.strip_prefix(option.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='));
        if is_value {
            word.fill(b'x');
        } else if joined {
            word[option.len() + 1..].fill(b'x');
        }
        is_value = word == option.as_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_value_is_blotted_out() {
        let mut words = *b"lab\0grade\0--seed\x0017\0--seed=2\0--seeds\x003\0a\0";
        blot(&mut words, "--seed");
        assert_eq!(&words, b"lab\0grade\0--seed\0xx\0--seed=x\0--seeds\x003\0a\0");
    }
}
