//! Builds submissions. What builds a program runs what its author wrote: `build.rs`, macros, and a
//! compiler that includes whatever file it is told to. So it is kept away from the same things as
//! the program itself, has limits, and no network.
//!
//! Nothing is shared between two builds but what no student had a hand in: the packages that a
//! submission depends on are built without it, once, and kept. Each build unpacks its own copy of
//! them, in a folder that vanishes with it; all that comes out is the program, through stdout.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::program::workspace;
use crate::run::{self, Ending, Isolation, Limits, Line, Spec, Tier};

/// The lock file of this workspace: a package is built with these versions where it does not ask
/// for others, so that they are on the machine already.
static LOCK: &str = include_str!("../../../Cargo.lock");

/// `$1`: the source file. Its name may be no name of a crate.
const FILE: &str = r#"
rustc --crate-name submission --edition 2024 --cap-lints allow -o "$HOME/program" "$1" >&2
exec cat "$HOME/program"
"#;

/// Copies what a package is built of, without what was built in it. A link stays a link: it may lead
/// anywhere. `$1`: the package or workspace, `$2`: the manifest within it, `$3`: what is copied, a
/// line each, `$4`: members that Cargo asks for and that are nobody's business, a line each.
const COPY: &str = r#"
mkdir -p "$HOME/package"
cd "$1"
printf '%s\n' "$3" | tar --exclude=./target --exclude=./.git --exclude-caches-all \
    -cf "$HOME/package.tar" --no-unquote -T -
tar -xof "$HOME/package.tar" -C "$HOME/package"
rm "$HOME/package.tar"
printf '%s\n' "$4" | while IFS= read -r member; do
    [ -z "$member" ] || [ -e "$HOME/package/$member/Cargo.toml" ] && continue
    mkdir -p "$HOME/package/$member/src"
    name=other-$(printf %s "$member" | cksum | cut -d ' ' -f 1)
    printf '[package]\nname = "%s"\n' "$name" > "$HOME/package/$member/Cargo.toml"
    : > "$HOME/package/$member/src/lib.rs"
done
manifest=$HOME/package/$2
"#;

/// Says what is in the copy. Cargo takes its configuration from the folder that it is started in
/// and those above it: never from the package.
const DESCRIBE: &str = r#"
cd /
exec cargo metadata --quiet --offline --no-deps --format-version 1 --manifest-path "$manifest"
"#;

/// `$1`: a manifest, `$2`: a lock file, `$3`: the registry.
const DEPENDENCIES: &str = r#"
mkdir -p "$CARGO_HOME" "$HOME/package/src"
ln -s "$3" "$CARGO_HOME/registry"
cd "$HOME/package"
printf %s "$1" > Cargo.toml
printf %s "$2" > Cargo.lock
echo 'fn main() {}' > src/main.rs
cd /
cargo build --quiet --offline --manifest-path "$HOME/package/Cargo.toml" \
    --target-dir "$HOME/target" >&2
cd "$HOME/target/debug"
rm -rf dependencies* deps/dependencies* .fingerprint/dependencies* .cargo-lock
exec tar -cf - .
"#;

/// `$5`: a lock file, `$6`: the registry, `$7`: what the copy depends on, `$8`: the program's name.
const BUILD: &str = r#"
mkdir -p "$CARGO_HOME" "$HOME/target/debug"
ln -s "$6" "$CARGO_HOME/registry"
rm -f "$HOME/package/Cargo.lock"
printf %s "$5" > "$HOME/package/Cargo.lock"
tar -xof "$7" -C "$HOME/target/debug"
cd /
cargo build --quiet --offline --manifest-path "$manifest" --target-dir "$HOME/target" >&2
exec cat "$HOME/target/debug/$8"
"#;

/// Bytes that Cargo may say about a package: they are read as a whole, and take several times as much
/// memory.
const LARGEST_DESCRIPTION: u64 = 4 << 20;

/// How submissions are built.
pub struct Builder<'a> {
    /// What their build is kept away from.
    pub isolation: &'a Isolation,
    /// What it may take.
    pub time: Duration,
}

impl Builder<'_> {
    /// Builds a single file, which can use the standard library only; where its program is.
    ///
    /// # Errors
    /// With the compiler's own words, or with what it went over.
    pub fn file(&self, file: &Path) -> Result<PathBuf> {
        let tier = self.isolation.protection.tier;
        let of = (file, fs::read(file)?, tier == Tier::Limits, &toolchain()?.version);
        let program = folder()?.join(format!("file-{}", hash(&of)));
        // Only where the compiler can read nothing else does the program depend on nothing else.
        if tier == Tier::Limits || !program.is_file() {
            self.confined(FILE, &[file.as_os_str()], &[file.into()])?.keep(&program)?;
        }
        Ok(program)
    }

    /// Builds a Cargo package; where its program is. Its own folder stays as it was handed in.
    ///
    /// # Errors
    /// With the compiler's own words, or with what it went over.
    pub fn package(&self, package: &Path) -> Result<PathBuf> {
        let copy_and = |script| [COPY, script].concat();
        let whole = workspace_of(package);
        let manifest = package.strip_prefix(whole)?.join("Cargo.toml");
        let (pieces, others) = if whole == package {
            (vec![PathBuf::from(".")], Vec::new())
        } else {
            parts(whole, package)?
        };
        let lines: Vec<_> = pieces.iter().map(|piece| piece.as_os_str()).collect();
        let (lines, others) = (lines.join(OsStr::new("\n")), others.join("\n"));
        let of: [&OsStr; 4] = [whole.as_ref(), manifest.as_ref(), &lines, others.as_ref()];
        let mut files: Vec<PathBuf> = pieces.iter().map(|piece| whole.join(piece)).collect();
        let described = self.confined(&copy_and(DESCRIBE), &of, &files)?;
        if fs::metadata(&described.0)?.len() > LARGEST_DESCRIPTION {
            bail!("its manifest is larger than any is");
        }
        let mut metadata: Value = serde_json::from_slice(&fs::read(&described.0)?)?;
        if whole != package {
            only_member(&mut metadata, &manifest);
        }
        let program = only_program(&metadata)?;
        let dependencies = self.dependencies(&metadata)?;
        let registry = &toolchain()?.registry;
        let last: [&OsStr; 4] =
            [LOCK.as_ref(), registry.as_ref(), dependencies.as_ref(), program.as_ref()];
        let arguments = [&of[..], &last].concat();
        files.extend([registry.clone(), dependencies.clone()]);
        let built = folder()?.join(format!("package-{}", hash(package)));
        self.confined(&copy_and(BUILD), &arguments, &files)?.keep(&built)?;
        Ok(built)
    }

    /// What such a package depends on, built: an archive of Cargo's target folder. The manifest is made
    /// here, of names, versions and features from the registry only.
    fn dependencies(&self, metadata: &Value) -> Result<PathBuf> {
        let manifest = manifest(metadata);
        let toolchain = toolchain()?;
        let archive = folder()?
            .join(format!("dependencies-{}.tar", hash(&(&manifest, LOCK, &toolchain.version))));
        // Those who need the same wait for who came first.
        let lock = archive.with_extension("lock");
        let turn = File::create(&lock).with_context(|| lock.display().to_string())?;
        turn.lock().context("wait for another build")?;
        if !archive.is_file() {
            let arguments: [&OsStr; 3] =
                [manifest.as_ref(), LOCK.as_ref(), toolchain.registry.as_ref()];
            let files = [toolchain.registry.clone()];
            // Nothing in it is a student's, so it may take its time, on a busy machine a long one.
            let patient = Builder { time: self.time.saturating_mul(5), ..*self };
            match patient.confined(DEPENDENCIES, &arguments, &files) {
                Ok(made) => made.keep(&archive)?,
                // Then there is nothing to be had beforehand; the package itself will say why.
                Err(_) => return Ok("/dev/null".into()),
            }
        }
        Ok(archive)
    }

    /// Runs a script of `sh` that builds something, with these arguments, where it sees these files
    /// besides the system's and the toolchain; what it writes to stdout.
    fn confined(&self, script: &str, arguments: &[&OsStr], files: &[PathBuf]) -> Result<Made> {
        let toolchain = toolchain()?;
        let mut path = OsString::from(toolchain.sysroot.join("bin"));
        path.push(":/usr/local/bin:/usr/bin:/bin");
        let files: Vec<PathBuf> = files.iter().chain([&toolchain.sysroot]).cloned().collect();
        let script =
            format!("set -eu\numask 022\nCARGO_HOME=$HOME/cargo\nexport CARGO_HOME\n{script}");
        let mut command: Vec<OsString> = ["/bin/sh", "-c", &script, "build"].map(Into::into).into();
        command.extend(arguments.iter().map(OsString::from));
        let made = Made(folder()?.join(format!("new-{:016x}", fastrand::u64(..))));
        File::create_new(&made.0).with_context(|| made.0.display().to_string())?;
        let spec = Spec {
            command,
            result: Some(made.0.clone()),
            unattributed: true,
            // A compiler takes more than the programs that it makes.
            limits: Limits {
                time: self.time,
                cpu: 2 * self.time.as_secs().max(1),
                memory: 2 << 30,
                tasks: 1024,
                file: 512 << 20,
                room: 1 << 30,
                ..Limits::default()
            },
            isolation: self.isolation.reading(&files),
            files,
            environment: vec![
                ("PATH", path),
                // What a debugger would need is most of what there is to write and to copy.
                ("CARGO_PROFILE_DEV_DEBUG", "false".into()),
                ("CARGO_INCREMENTAL", "0".into()),
            ],
            ..Spec::default()
        };
        let state = run::start(&spec)?.finish();
        let words: Vec<String> = state.lines.iter().map(Line::text).collect();
        let words = words.join("\n");
        let why = match (state.cut, state.ended) {
            (Some(cut), _) => format!(": {cut}"),
            (None, Some(Ending::Exit(0))) => return Ok(made),
            (None, Some(ending @ Ending::Signal(_))) => format!(": {ending}"),
            (None, _) => String::new(), // the words say it
        };
        bail!("it does not build{why}\n{}", words.trim_end())
    }
}

/// The workspace that a package can't be built without, as it takes versions or settings from it;
/// else the package itself.
fn workspace_of(package: &Path) -> &Path {
    let plain: String = text(package).split_whitespace().collect();
    if !plain.contains("workspace=true") || plain.contains("[workspace") {
        return package;
    }
    let above = package.ancestors().skip(1);
    above.into_iter().find(|folder| text(folder).contains("[workspace")).unwrap_or(package)
}

/// What a member of a workspace is built of: the workspace's manifest, the member, what that manifest
/// names by a path, and what the member itself does, but of that only members that are listed one by
/// one: those of a pattern may be other submissions. And the members that Cargo wants to be there.
fn parts(whole: &Path, member: &Path) -> Result<(Vec<PathBuf>, Vec<String>)> {
    let manifest = text(whole);
    let members = strings(&manifest, "members");
    let listed: Vec<PathBuf> =
        members.iter().filter_map(|listed| whole.join(listed).canonicalize().ok()).collect();
    let named_by = |folder: &Path, any: bool| -> Vec<(PathBuf, bool)> {
        strings(&text(folder), "path").iter().map(|path| (folder.join(path), any)).collect()
    };
    let inside = |path: &Path| Ok(Path::new(".").join(path.strip_prefix(whole)?));
    let mut parts = vec!["./Cargo.toml".into(), inside(member)?];
    let mut named = [named_by(member, false), named_by(whole, true)].concat();
    if manifest.contains("[package]") {
        named.push((whole.join("src"), true));
    }
    while let Some((path, any)) = named.pop() {
        let Ok(path) = path.canonicalize() else { continue };
        let Ok::<_, anyhow::Error>(part) = inside(&path) else { continue };
        let may = any || listed.contains(&path);
        if may && !member.starts_with(&path) && !parts.contains(&part) {
            parts.push(part);
            named.extend(named_by(&path, any));
        }
    }
    Ok((parts, members))
}

/// The strings that a manifest has for such a key, or in its list: at least those.
fn strings(manifest: &str, key: &str) -> Vec<String> {
    let lines = manifest.lines().map(|line| line.split('#').next().unwrap_or_default());
    let plain = lines.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in plain.match_indices(key) {
        let Some(value) = plain[at + key.len()..].trim_start().strip_prefix('=') else { continue };
        let (mut rest, most) = match value.trim_start().strip_prefix('[') {
            Some(list) => (list.split(']').next().unwrap_or_default(), usize::MAX),
            None => (value.lines().next().unwrap_or_default(), 1),
        };
        for _ in 0..most {
            let Some(begin) = rest.find(['"', '\'']) else { break };
            let (quote, after) = rest[begin..].split_at(1);
            let Some((string, after)) = after.split_once(quote) else { break };
            found.push(string.to_string());
            rest = after;
        }
    }
    found
}

/// The manifest in a folder. In what was handed in it may be a pipe, a link to anything, or without
/// end.
fn text(folder: &Path) -> String {
    let (mut text, file) = (String::new(), folder.join("Cargo.toml"));
    if file.symlink_metadata().is_ok_and(|at| at.is_file()) {
        let file = File::open(file).map(|file| file.take(LARGEST_DESCRIPTION));
        let _ = file.and_then(|mut file| file.read_to_string(&mut text));
    }
    text
}

/// Of the packages of a workspace, the one with this manifest alone counts.
fn only_member(metadata: &mut Value, manifest: &Path) {
    let manifest = Path::new("package").join(manifest); // where it was copied to
    let is_it = |package: &&Value| {
        package["manifest_path"].as_str().is_some_and(|path| Path::new(path).ends_with(&manifest))
    };
    let one = list(&metadata["packages"]).find(is_it).map(|package| package["id"].clone());
    metadata["workspace_default_members"] = one.into_iter().collect();
}

/// The name of the program that `cargo run` would run.
fn only_program(metadata: &Value) -> Result<String> {
    let mut programs = Vec::new();
    for package in default_members(metadata) {
        if let Some(name) = package["default_run"].as_str() {
            return Ok(name.into());
        }
        let targets = list(&package["targets"]);
        let programs_of = targets.filter(|target| list(&target["kind"]).any(|kind| kind == "bin"));
        programs.extend(programs_of.filter_map(|target| target["name"].as_str()));
    }
    match programs[..] {
        [one] => Ok(one.into()),
        [] => bail!("the package has no program, only a library"),
        _ => bail!("{} programs in the package", programs.len()),
    }
}

/// The packages that Cargo builds when it is told no name.
fn default_members(metadata: &Value) -> impl Iterator<Item = &Value> {
    let members = &metadata["workspace_default_members"];
    list(&metadata["packages"]).filter(|package| list(members).any(|id| *id == package["id"]))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A manifest with the same dependencies from the registry. Where it says less than the package's
/// own, more is built with the package.
fn manifest(metadata: &Value) -> String {
    let mut lines = std::collections::BTreeSet::new();
    let of_registry = "registry+https://github.com/rust-lang/crates.io-index";
    for package in default_members(metadata) {
        let edition = &package["edition"];
        lines.insert(format!("[package]\nname = \"dependencies\"\nedition = {edition}"));
        for dependency in list(&package["dependencies"]) {
            if dependency["source"] != of_registry || dependency["optional"] == true {
                continue;
            }
            let section = match dependency["kind"].as_str() {
                None => "dependencies",
                Some("build") => "build-dependencies",
                Some(_) => continue,
            };
            // As text between quotes, JSON and TOML are the same.
            let name = &dependency["name"];
            let alias = if dependency["rename"].is_null() { name } else { &dependency["rename"] };
            let target = &dependency["target"];
            let target = if target.is_null() { String::new() } else { format!("target.{target}.") };
            lines.insert(format!(
                "[{target}{section}.{alias}]\npackage = {name}\nversion = {}\nfeatures = {}\n\
                 default-features = {}",
                dependency["req"], dependency["features"], dependency["uses_default_features"]
            ));
        }
    }
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// A file that was made. Removed when dropped.
struct Made(PathBuf);

impl Made {
    /// Gives it its place, at once and whole: others may be making or using the same.
    fn keep(self, place: &Path) -> Result<()> {
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o755))?;
        fs::rename(&self.0, place).with_context(|| place.display().to_string())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Where what is built is kept.
fn folder() -> Result<PathBuf> {
    let folder = workspace().join("target/submissions");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

fn hash<T: std::hash::Hash + ?Sized>(of: &T) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The compiler and Cargo themselves, not what chooses between several of them by a file that lies
/// in a package; and the packages that Cargo has.
struct Toolchain {
    sysroot: PathBuf,
    version: String,
    registry: PathBuf,
}

fn toolchain() -> Result<&'static Toolchain> {
    static FOUND: OnceLock<Option<Toolchain>> = OnceLock::new();
    let ask = |question: &[&str]| {
        let mut rustc = Command::new("rustc");
        let output = rustc.args(question).current_dir(workspace()).stdin(Stdio::null()).output();
        Some(String::from_utf8(output.ok()?.stdout).ok()?.trim().to_string())
    };
    let find = || {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")))?;
        Some(Toolchain {
            sysroot: PathBuf::from(ask(&["--print", "sysroot"])?).canonicalize().ok()?,
            version: ask(&["-vV"])?,
            registry: home.join("registry").canonicalize().ok()?,
        })
    };
    FOUND.get_or_init(find).as_ref().context("there is no rustc with a registry of Cargo's")
}
