//! Runs a program that attempts what it must not be able to do, and looks at what came of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Isolation, Protection, Tier, Way, is_root};
use crate::run::{Limits, Live, Spec, kernel, start};

/// Says what it could do. Its arguments: a file of somebody else, a folder that everybody may write
/// to, the process of the grader. (`read` and `:` are built in: nothing else is executed.)
const SCRIPT: &str = r#"
echo "pid $$"
(: < "$1") 2>/dev/null && echo read
(: > "$2/written") 2>/dev/null && echo wrote
(: < "/proc/$3/environ") 2>/dev/null && echo spied
kill -0 "$3" 2>/dev/null && echo signalled
while read -r name rest; do
    case "$name" in lo:*|*"|"*|face*) ;; *:*) echo "interface $name" ;; esac
done < /proc/net/dev
echo ready
read -r rest
"#;

/// Confines a canary in this way, and says what that holds.
pub(super) fn send(way: Way) -> Result<Isolation> {
    let bait = Bait::lay()?;
    let isolation = Isolation { way, ..Isolation::default() };
    let arguments = [bait.file().into(), bait.0.clone().into(), own_pid().into()];
    let mut command: Vec<std::ffi::OsString> =
        ["/bin/sh", "-c", SCRIPT, "canary"].map(Into::into).into();
    command.extend(arguments);
    let spec = Spec {
        command,
        stdin: true,
        limits: Limits { time: Duration::from_secs(5), ..Limits::default() },
        isolation: isolation.clone(),
        ..Spec::default()
    };
    let live = start(&spec)?;
    let pid = live.pid();
    let seen = look(&live);
    let evidence = seen.is_some();
    let state = live.finish();
    let said: Vec<String> = state.lines.iter().map(crate::run::Line::text).collect();
    ensure!(said.iter().any(|line| line == "ready"), "the canary said {said:?}");
    // Without these the grader would see nothing, whoever is protected.
    ensure!(evidence, "its processes can't be looked at from outside");
    ensure!(state.lines.iter().all(|line| line.by == Some(pid)), "its writes can't be seen");
    let could = |what: &str| said.iter().any(|line| line == what);
    ensure!(!could("read"), "it could read a file of somebody else");
    ensure!(!could("wrote"), "it could write outside");
    ensure!(!could("spied"), "it could read the grader's environment");
    let user = seen.unwrap_or_default();
    let protection = match &isolation.way {
        Way::Limits => Protection::default(),
        Way::Bubblewrap(bubblewrap) => {
            let numbers = said.iter().filter_map(|line| line.strip_prefix("pid "));
            let own_numbers =
                numbers.filter_map(|n| n.parse().ok()).all(|number: i32| number != pid);
            ensure!(own_numbers, "it sees the machine's processes");
            ensure!(!is_root() || user != 0, "it stays root");
            let mut holds = vec!["bubblewrap", "files private", "processes private"];
            if bubblewrap.own_network {
                let outside = said.iter().any(|line| line.starts_with("interface"));
                ensure!(!outside, "it sees the machine's network");
                holds.push("network private");
            }
            let holds = holds.into_iter().map(String::from).collect();
            Protection { tier: Tier::Full, holds, ..Protection::default() }
        }
        Way::Fence(fence) => {
            ensure!(!fence.own_user || user != 0, "it stays root");
            let mut holds = vec!["files fenced (Landlock)".to_string()];
            let mut open = Vec::new();
            if fence.own_user {
                holds.push("a user of its own for each run".into());
                open.push("sockets in files that everybody may write to".to_string());
            } else {
                holds.push("no local sockets (AF_UNIX)".into());
                open.push("what it leaves in /dev/shm".into());
            }
            if could("signalled") {
                open.push("signals to your processes".into());
            } else {
                holds.push("no signals to others".into());
            }
            open.extend(
                ["command lines of other processes", "size of files on disk"].map(String::from),
            );
            Protection { tier: Tier::Partial, holds, open, ..Protection::default() }
        }
    };
    Ok(Isolation { protection, ..isolation })
}

/// Waits until the canary has done all it could, and looks at it as checks look at a program;
/// its user.
fn look(live: &Live) -> Option<u32> {
    let ready = |state: &crate::run::State| {
        state.lines.iter().any(|line| line.bytes == b"ready").then_some(())
    };
    live.until(Duration::from_secs(5), ready)?;
    kernel::descriptors(live.pid())?;
    Some(procfs::process::Process::new(live.pid()).ok()?.status().ok()?.euid)
}

fn own_pid() -> String {
    std::process::id().to_string()
}

/// A folder with a file that everybody may read and write: what keeps the canary out can't be
/// their permissions. Removed when dropped.
struct Bait(PathBuf);

impl Bait {
    fn lay() -> Result<Bait> {
        let name = format!("lab-canary-{}-{:08x}", std::process::id(), fastrand::u32(..));
        let bait = Bait(std::env::temp_dir().join(name));
        fs::create_dir(&bait.0).with_context(|| bait.0.display().to_string())?;
        fs::write(bait.file(), "a file of somebody else\n")?;
        fs::set_permissions(&bait.0, fs::Permissions::from_mode(0o777))?;
        Ok(bait)
    }

    fn file(&self) -> PathBuf {
        self.0.join("file")
    }
}

impl Drop for Bait {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
