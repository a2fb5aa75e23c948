use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

fn main() {
    let homes = ["/root", "/home"].map(PathBuf::from);
    let secrets = ["answers", "honest.py", ".cargo/credentials.toml", ".ssh/id_ed25519"];
    for folder in named_to_somebody().iter().chain(&homes) {
        for secret in secrets {
            assert!(fs::read(folder.join(secret)).is_err(), "ESCAPED: read {secret}");
        }
    }
    assert!(fs::read("/etc/shadow").is_err(), "ESCAPED: read /etc/shadow");
    for process in fs::read_dir("/proc").expect("proc").flatten() {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        let token = b"LAB_HOSTILE_TOKEN";
        let spied = environment.windows(token.len()).any(|word| word == token);
        assert!(!spied, "ESCAPED: read the environment of {}", process.path().display());
    }
    // What it was built with itself, the packages that Cargo has, and its own folder as handed in.
    let sysroot = Path::new(&std::env::var("RUSTC").expect("Cargo says it")).canonicalize();
    let registry = Path::new(&std::env::var("CARGO_HOME").expect("a home")).join("registry");
    for file in [
        sysroot.unwrap_or_default(),
        registry.join("CACHEDIR.TAG"),
        registry.join("written"),
        "/var/tmp/lab-hostile-written".into(),
        "/written".into(),
    ] {
        let written = OpenOptions::new().append(true).create(true).open(&file);
        assert!(written.is_err(), "ESCAPED: wrote {}", file.display());
    }
}

/// Folders of files that stand in somebody's command line: the submissions' is one of them.
fn named_to_somebody() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for process in fs::read_dir("/proc").expect("proc").flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        folders.extend(
            line.split('\0').filter_map(|word| Path::new(word).parent()).map(PathBuf::from),
        );
    }
    folders
}
