//! What somebody has handed in: a folder of any names, with files, folders, links (to each other, in
//! circles, to outside), pipes and permissions of any kind. What is found in it lies in it, and is no
//! link; all else is refused, in finite time.

#![no_main]
#![allow(dead_code, unused_imports)]

include!("../lab.rs");

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;

/// Nobody: root's powers would open what permissions close.
const NOBODY: u32 = 61_234;

fuzz_target!(|input: &[u8]| {
    let folder = std::env::temp_dir().join(format!("fuzz-discovery-{}", std::process::id()));
    let inside = folder.join("submission");
    std::fs::create_dir_all(&inside).expect("a folder");
    std::fs::write(folder.join("answers.py"), "# lab: thread\n").expect("a file");
    let mut made = vec![inside.clone()];
    let mut rest = input;
    while let Some((entry, after)) = Entry::take(rest) {
        rest = after;
        made.extend(entry.make(&inside, &made));
    }
    for path in &made {
        look_at(path, &inside);
        look_at(&path.join(""), &inside); // with a slash at its end
    }
    made.iter().filter(|path| path.is_dir()).for_each(|path| allow(path, 0o755));
    std::fs::remove_dir_all(&folder).expect("it is there");
});

fn look_at(path: &Path, inside: &Path) {
    let before = nix::unistd::setfsuid(nix::unistd::Uid::from_raw(NOBODY));
    let found_lab = marker::lab_and_submissions(&path.into(), &[]);
    let isolation = run::Isolation::default();
    let builder = build::Builder { isolation: &isolation, time: std::time::Duration::from_secs(1) };
    let found = program::find(path, &builder);
    nix::unistd::setfsuid(before);
    if let Ok((lab, _)) = found_lab {
        assert!(lab.points() > 0);
    }
    if let Ok(found) = found {
        let program = PathBuf::from(found.command.last().expect("a program"));
        assert!(program.starts_with(inside), "{}", program.display());
        assert_eq!(program.canonicalize().ok(), Some(program));
    }
}

/// Not to what has the name already: it may be a pipe, which nobody reads from.
fn write_new(path: &Path, text: &[u8]) -> std::io::Result<()> {
    std::io::Write::write_all(&mut std::fs::File::create_new(path)?, text)
}

fn allow(path: &Path, mode: u32) {
    if !path.is_symlink() {
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    }
}

struct Entry<'a> {
    kind: u8,
    mode: u32,
    /// The place among what was made before: the folder it lies in, or where a link leads.
    other: usize,
    name: &'a [u8],
    content: &'a [u8],
}

impl<'a> Entry<'a> {
    fn take(input: &'a [u8]) -> Option<(Entry<'a>, &'a [u8])> {
        let [kind, mode, other, length, content, rest @ ..] = input else { return None };
        let (name, rest) = rest.split_at(usize::from(length % 24).min(rest.len()));
        let (content, rest) = rest.split_at(usize::from(*content).min(rest.len()));
        let mode = u32::from(*mode) << 1 & 0o777;
        Some((Entry { kind: kind % 8, mode, other: usize::from(*other), name, content }, rest))
    }

    fn make(&self, inside: &Path, made: &[PathBuf]) -> Option<PathBuf> {
        let other = &made[self.other % made.len()];
        let parent = if self.kind % 2 == 0 && other.is_dir() { other } else { inside };
        let ending = ["", ".py", ".py", ".rs.py", ".sh"][self.content.len() % 5];
        let name = [self.name, ending.as_bytes()].concat();
        // To build takes too long here; names that no file can have are not for us.
        let is_name = !name.is_empty() && !name.iter().any(|byte| b"/\0".contains(byte));
        if !is_name
            || name == b"."
            || name == b".."
            || name == b"Cargo.toml"
            || name.ends_with(b".rs")
        {
            return None;
        }
        let path = parent.join(OsStr::from_bytes(&name));
        match self.kind {
            0 | 1 => std::fs::create_dir(&path).ok()?,
            2 | 3 if self.mode & 1 == 0 => std::os::unix::fs::symlink(other, &path).ok()?,
            2 | 3 => {
                let to: &Path = Path::new(OsStr::from_bytes(self.content));
                std::os::unix::fs::symlink(to, &path).ok()?;
            }
            4 => nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).ok()?,
            5 => write_new(&path, &[b"# lab: ", self.content].concat()).ok()?,
            _ => write_new(&path, self.content).ok()?,
        }
        if self.kind > 3 || self.kind < 2 {
            allow(&path, self.mode | 0o400 * u32::from(self.kind < 2));
        }
        Some(path)
    }
}
