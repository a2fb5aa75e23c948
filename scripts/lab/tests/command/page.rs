//! The walkthrough as a page: what a validator and a browser say about it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A page with the sections that these arguments choose.
fn page(name: &str, arguments: &[&str]) -> (PathBuf, String) {
    page_by(env!("CARGO_BIN_EXE_lab").as_ref(), name, arguments)
}

fn page_by(lab: &Path, name: &str, arguments: &[&str]) -> (PathBuf, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(name);
    let _ = fs::remove_file(&file);
    let mut command = Command::new(lab);
    command.env("LC_ALL", "C").args(["walkthrough", "--quiet", "--html"]).arg(&file);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    command.status().expect("lab can be run");
    let text = fs::read_to_string(&file).expect("a page");
    (file, text)
}

/// A folder of this test's own, in which `thread-demo` is this shell script.
fn demo(test: &str, script: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("page-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let demo = folder.join("thread-demo");
    fs::write(&demo, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(&demo, fs::Permissions::from_mode(0o755)).expect("executable");
    folder
}

/// The page of a demo that prints what would do harm on a page, and fails.
fn nasty(test: &str, language: &str) -> (PathBuf, String) {
    let script = "printf '</pre><script>alert(1)</script> & \\033[31mred\\n'\n\
                  echo '<img src=x onerror=alert(1)>' >&2\nhead -c 2000 /dev/zero | tr '\\0' 9";
    let folder = demo(&format!("{test}-{language}"), script);
    let folder = folder.to_str().expect("UTF-8");
    let arguments = ["--section", "thread", "--demos", folder, "--time-limit", "5"];
    let name = format!("{test}-{language}.html");
    page(&name, &[&arguments[..], &["--language", language]].concat())
}

#[test]
fn says_why_there_is_no_picture() {
    let folder = demo("failing", "exit 3");
    let demos = folder.to_str().expect("UTF-8");
    let (_, text) = page("failing.html", &["--section", "thread", "--demos", demos]);
    assert!(text.contains("no picture: thread: exit status: 3"), "{text}");
    assert!(!text.contains("<figure>"));
}

#[test]
fn is_whole_when_the_program_that_makes_it_is_built_anew_meanwhile() {
    let folder = demo("anew", "rm -f \"${0%/*}/lab\"");
    let lab = folder.join("lab");
    fs::hard_link(env!("CARGO_BIN_EXE_lab"), &lab).expect("a link");
    let demos = folder.to_str().expect("UTF-8");
    let (_, text) = page_by(&lab, "anew.html", &["--section", "thread", "--demos", demos]);
    assert!(!lab.exists());
    assert!(text.contains("<figure>"), "{text}");
}

/// The first of these programs that is there.
fn first_of(names: &[&'static str]) -> Option<&'static str> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    names.iter().copied().find(|name| folders.iter().any(|folder| folder.join(name).is_file()))
}

#[test]
fn refers_to_nothing_outside_and_is_small() {
    for (file, text) in [page("fork.html", &["--section", "fork"]), nasty("small", "en")] {
        assert!(text.len() < 1 << 20, "{}", file.display());
        assert_eq!(text.matches("<figure>").count(), 1, "{}", file.display());
        for outside in ["http:", "https:", "url(", "@import", "<link", "<script", "<img", "<iframe"]
        {
            assert!(!text.contains(outside), "{outside} in {}", file.display());
        }
    }
}

#[test]
fn is_valid_html() {
    const STRICT: &str = "import html5lib, sys\n\
                          for name in sys.argv[1:]:\n    \
                          page = open(name, encoding='utf-8').read()\n    \
                          html5lib.HTMLParser(strict=True).parse(page)\n";
    let there =
        Command::new("python3").args(["-c", "import html5lib"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("left out: no python3 with html5lib");
        return;
    }
    let files = [
        page("valid.html", &["--section", "fork"]).0,
        nasty("valid", "en").0,
        nasty("valid", "ru").0,
    ];
    let valid = Command::new("python3").args(["-c", STRICT]).args(files).status();
    assert!(valid.expect("python3").success());
}

/// Looks at the page that follows as a browser shows it in windows of several widths, and prints
/// what it finds wrong, and what it reads.
const LOOKS: &str = r#"
const said = [];
const light = (colour) => {
  const [r, g, b] = colour.match(/[\d.]+/g).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
const look = (frame) => {
  const page = frame.contentDocument;
  const width = frame.clientWidth;
  const style = (element) => frame.contentWindow.getComputedStyle(element);
  if (page.documentElement.scrollWidth > width) said.push(`wider than ${width}`);
  const grounds = [style(page.documentElement).backgroundColor];
  for (const pre of page.querySelectorAll("pre")) grounds[1] = style(pre).backgroundColor;
  for (const element of page.querySelectorAll("h1, h2, p, li, pre, span, small, div")) {
    if (element.offsetHeight === 0) said.push(`not to be seen: ${element.innerText}`);
    const ground = grounds[element.closest("pre") ? 1 : 0];
    const ratio = contrast(style(element).color, ground);
    if (ratio < 4.5) said.push(`${ratio} to 1: ${element.className} ${element.innerText}`);
  }
  for (const link of page.querySelectorAll("a")) {
    const to = page.getElementById(link.getAttribute("href").slice(1));
    if (!to || to.offsetHeight === 0) said.push(`leads nowhere: ${link.innerText}`);
  }
  return page.body.innerText;
};
addEventListener("load", () => {
  const texts = [...document.querySelectorAll("iframe")].map(look);
  const ground = getComputedStyle(document.querySelector("iframe").contentDocument.documentElement);
  const result = { ground: ground.backgroundColor, said, text: texts[1] };
  document.documentElement.textContent = `\n${JSON.stringify(result)}\n`;
});
"#;

/// What the browser finds: its background, complaints, and the text that one reads.
fn looked_at(browser: &str, page: &Path, text: &str, dark: bool) -> serde_json::Value {
    let escaped = text.replace('&', "&amp;").replace('"', "&quot;");
    let frames: String = [360, 1280, 1920]
        .map(|width| {
            format!("<iframe width=\"{width}\" height=\"800\" srcdoc=\"{escaped}\"></iframe>")
        })
        .concat();
    let frames = frames.replace("<iframe ", "<iframe style=\"border:0\" ");
    let wrapper = page.with_extension(if dark { "dark.html" } else { "light.html" });
    let whole = format!("<!DOCTYPE html><meta charset=\"utf-8\"><script>{LOOKS}</script>{frames}");
    fs::write(&wrapper, whole).expect("a file");
    let profile = wrapper.with_extension("profile");
    let mut command = Command::new("timeout");
    command.args(["60", browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", profile.display()));
    if dark {
        command.arg("--blink-settings=preferredColorScheme=0");
    }
    let url = format!("file://{}", wrapper.display());
    let output = command.arg(url).stderr(Stdio::null()).output().expect("timeout");
    let _ = fs::remove_dir_all(profile);
    let document = String::from_utf8_lossy(&output.stdout).into_owned();
    let result = document
        .lines()
        .find(|line| line.starts_with('{'))
        .unwrap_or_else(|| panic!("no result: {document}"));
    let result = result.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&result).expect("JSON")
}

#[test]
fn a_browser_shows_it_wide_and_narrow_light_and_dark() {
    let Some(browser) = first_of(&["chromium", "chromium-browser", "google-chrome"]) else {
        eprintln!("left out: no Chromium");
        return;
    };
    let (file, text) = page("shown.html", &["--section", "fork"]);
    for (dark, ground) in [(false, "rgb(255, 255, 255)"), (true, "rgb(20, 24, 29)")] {
        let seen = looked_at(browser, &file, &text, dark);
        assert_eq!(seen["ground"], ground);
        assert_eq!(seen["said"], serde_json::json!([]));
        let read = seen["text"].as_str().expect("text");
        for words in [
            "Creating processes 10/10",
            "1/1 Creating processes fork-demo",
            "$ cargo run -p fork-demo\n",
            "\nParent:  bar\n",
            "the child is another process, made by the first\n'Parent:' was written by ",
            "cargo walkthrough --seed ",
            "./fork-demo",
            "CPUs in use",
        ] {
            assert!(read.contains(words), "{words}\n{read}");
        }
    }
    let (file, text) = nasty("shown", "ru");
    let seen = looked_at(browser, &file, &text, false);
    assert_eq!(seen["said"], serde_json::json!([]));
    let read = seen["text"].as_str().expect("text");
    for words in [
        "1/1 Потоки thread-demo",
        "</pre><script>alert(1)</script> & \\u{1b}[31mred",
        "<img src=x onerror=alert(1)>",
        "… (2000 characters)",
        "✗\nкаждое имя получает одно приветствие НЕВЕРНО\nожидалось: ",
    ] {
        assert!(read.contains(words), "{words}\n{read}");
    }
}
