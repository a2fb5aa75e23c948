//! Whether several runs agree on who is ahead: their JSON outputs, side by side.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Error};
use std::path::PathBuf;

use serde_json::Value;

use crate::failed;

/// One that takes up to this much more than the first is beside it, and so is one whose middle half
/// of rounds meets that of the first: which of the two a run sees in front is chance.
const BESIDE: f64 = 1.1;

/// Runs whose processors are this many times as far apart are runs on two kinds of machine.
const FARTHER: f64 = 2.0;

/// Prints for each case who is ahead, and where the runs differ. Fails if they do anywhere.
pub(crate) fn show(files: &[PathBuf]) -> io::Result<()> {
    let runs: io::Result<Vec<Value>> = files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).map_err(failed(file.display()))?;
            serde_json::from_str(&text).map_err(|why| failed(file.display())(why.into()))
        })
        .collect();
    let (text, differ) = compare(&runs?)?;
    print!("{text}");
    if differ == 0 { Ok(()) } else { Err(Error::other(format!("{differ} cases differ"))) }
}

/// A case of a run: the fastest, and those beside it; and how far apart the processors were.
#[derive(Clone)]
struct Found {
    case: String,
    ahead: Vec<String>,
    distance: f64,
}

/// What to print, and in how many cases nobody is ahead, or beside whoever is, in every run.
fn compare(runs: &[Value]) -> io::Result<(String, usize)> {
    let (mut text, mut differ) = (String::new(), 0);
    let runs: Vec<_> = runs.iter().map(cases).collect();
    let first = runs.first().ok_or_else(|| Error::other("no file"))?;
    for Found { case, .. } in first {
        let in_case = |run: &Vec<Found>| run.iter().find(|found| found.case == *case).cloned();
        let found: Option<Vec<_>> = runs.iter().map(in_case).collect();
        let mut found = found.ok_or_else(|| Error::other(format!("{case}: not in every file")))?;
        found.sort_by(|a, b| a.distance.total_cmp(&b.distance)); // runs of a kind are not turned round
        if let Some(names) = agreed(&found) {
            let _ = writeln!(text, "agreed  {case}: {names}");
            continue;
        }
        // Who is ahead may depend on the machine, and a virtual one changes under its programs.
        let far = |pair: &[Found]| pair[1].distance > FARTHER * pair[0].distance;
        let nearer = found.windows(2).position(far).map_or(found.len(), |last| last + 1);
        let (near, far) = found.split_at(nearer);
        if let (Some(of_near), Some(of_far)) = (agreed(near), agreed(far)) {
            let (near, far) = (near[0].distance, far[0].distance);
            let _ = writeln!(
                text,
                "depends {case}: {of_near}; {of_far}, from {near:.0} to {far:.0} ns"
            );
        } else {
            differ += 1;
            let each: Vec<_> = found.iter().map(|found| found.ahead.join(" or ")).collect();
            let _ = writeln!(text, "DIFFER  {case}: {}", each.join("; "));
        }
    }
    Ok((text, differ))
}

/// Those who are ahead in all of these.
fn agreed(found: &[Found]) -> Option<String> {
    let common = |name: &&String| found.iter().all(|found| found.ahead.contains(name));
    let names: Vec<_> = found.first()?.ahead.iter().filter(common).map(String::as_str).collect();
    if names.is_empty() { None } else { Some(names.join(" or ")) }
}

fn cases(run: &Value) -> Vec<Found> {
    let list = |value: &Value, key| value[key].as_array().cloned().unwrap_or_default();
    let name = |value: &Value, key| value[key].as_str().unwrap_or_default().to_string();
    let mut found = Vec::new();
    for row in list(run, "rows") {
        for case in list(&row, "cases") {
            let standing = |standing: &Value| {
                let quartile = |which: usize| standing["ratio_quartiles"][which].as_f64();
                let ratio = standing["ratio"].as_f64()?;
                Some((name(standing, "name"), [quartile(0)?, ratio, quartile(1)?]))
            };
            let standings: Vec<_> = list(&case, "standings").iter().filter_map(standing).collect();
            let medians = standings.iter().map(|(_, [_, ratio, _])| *ratio);
            let best = medians.fold(f64::INFINITY, f64::min);
            let first = standings.iter().find(|(_, [_, ratio, _])| *ratio <= best);
            let high = first.map_or(best, |(_, [_, _, high])| *high);
            let beside = |(_, [low, ratio, _]): &&(String, [f64; 3])| {
                *ratio <= best * BESIDE || *low <= high
            };
            found.push(Found {
                case: format!("{}: {}", name(&row, "row"), name(&case, "name")),
                ahead: standings.iter().filter(beside).map(|(name, _)| name.clone()).collect(),
                distance: case["distance"][0].as_f64().unwrap_or(0.0),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::compare;

    fn run(ratios: [f64; 3]) -> Value {
        run_at(50.0, ratios)
    }

    fn run_at(distance: f64, ratios: [f64; 3]) -> Value {
        let names = ["ours", "theirs", "slow"].iter().zip(ratios);
        let standing = |(name, ratio): (&&str, f64)| json!({"name": name, "ratio": ratio, "ratio_quartiles": [ratio - 0.1, ratio + 0.1]});
        let standings: Vec<_> = names.map(standing).collect();
        json!({"rows": [{"row": "r", "cases": [{"name": "c", "standings": standings,
            "distance": [distance, distance]}]}]})
    }

    #[test]
    fn runs_agree_on_whoever_is_ahead_or_beside_in_all_of_them() {
        let runs = [run([1.0, 1.05, 3.0]), run([1.0, 0.97, 2.0]), run([1.0, 1.3, 9.0])];
        let (text, differ) = compare(&runs).unwrap();
        assert_eq!((text.as_str(), differ), ("agreed  r: c: ours\n", 0));
    }

    #[test]
    fn those_whose_rounds_mix_with_those_of_the_first_are_beside_it() {
        let runs = [run([1.0, 1.15, 3.0]), run([1.3, 1.0, 2.0])];
        let (text, differ) = compare(&runs).unwrap();
        assert_eq!((text.as_str(), differ), ("agreed  r: c: theirs\n", 0));
    }

    #[test]
    fn where_somebody_else_is_ahead_they_differ() {
        let runs = [run([1.0, 1.3, 3.0]), run([1.0, 0.7, 2.0])];
        let (text, differ) = compare(&runs).unwrap();
        assert_eq!((text.as_str(), differ), ("DIFFER  r: c: ours; theirs\n", 1));
    }

    #[test]
    fn where_the_machine_was_another_who_is_ahead_depends_on_it() {
        let near = || run_at(50.0, [1.0, 1.3, 3.0]);
        let far = || run_at(400.0, [1.0, 0.7, 2.0]);
        let (text, differ) = compare(&[near(), far(), near(), far()]).unwrap();
        assert_eq!((text.as_str(), differ), ("depends r: c: ours; theirs, from 50 to 400 ns\n", 0));
        let (_, differ) = compare(&[near(), far(), near(), run_at(60.0, [1.0, 0.7, 2.0])]).unwrap();
        assert_eq!(differ, 1);
    }

    #[test]
    fn a_case_that_one_of_them_lacks_is_an_error() {
        let why = compare(&[run([1.0, 2.0, 3.0]), json!({"rows": []})]).unwrap_err();
        assert_eq!(why.to_string(), "r: c: not in every file");
        assert!(compare(&[]).is_err());
    }
}
