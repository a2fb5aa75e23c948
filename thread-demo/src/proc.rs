//! Reading what the kernel says of a process: `proc(5)`.

/// The rest of the line that begins with `name`, as `State:` in `proc_pid_status(5)`.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or("?", str::trim)
}

/// The size in KiB of the mapping that holds an address. A line of `maps` begins with its range:
/// `7f89292d1000-7f89294d1000 rw-p`, see `proc_pid_maps(5)`.
pub(crate) fn mapping_of(address: usize, maps: &str) -> Option<usize> {
    let hex = |text| usize::from_str_radix(text, 16).ok();
    maps.lines().find_map(|line| {
        let (range, _) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let (from, to) = (hex(from)?, hex(to)?);
        (from..to).contains(&address).then(|| (to - from) / 1024)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_the_rest_of_its_line() {
        let text = "Name:\tBob\nState:\tS (sleeping)\nvoluntary_ctxt_switches:\t1\n";
        assert_eq!(field(text, "State:"), "S (sleeping)");
        assert_eq!(field(text, "voluntary_ctxt_switches:"), "1");
        assert_eq!(field(text, "Threads:"), "?");
    }

    #[test]
    fn an_address_is_in_the_mapping_that_begins_at_or_below_it_and_ends_above() {
        let maps = "1000-3000 r--p 0 00:00 0\n3000-203000 rw-p 0 00:00 0 [stack]\n";
        assert_eq!(mapping_of(0x1000, maps), Some(8));
        assert_eq!(mapping_of(0x2fff, maps), Some(8));
        assert_eq!(mapping_of(0x3000, maps), Some(2048));
        assert_eq!(mapping_of(0x20_3000, maps), None);
    }
}
