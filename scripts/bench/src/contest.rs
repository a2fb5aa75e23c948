//! A contest: the same work done by several, each time in a process of its own, in rotation
//! (A B C, B C A, …), so that whatever the machine does besides meets all of them alike.
//!
//! One that takes part prints what the work took, then what it came to, which must be right.

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;

use crate::distance::there_and_back;
use crate::{failed, folder};

/// The exit status of one that can't take part here: a package is missing.
pub(crate) const ABSENT: i32 = 77;

/// What is compared, and how.
pub(crate) struct Row {
    /// What `--only` calls it.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What is counted; less is better.
    pub(crate) unit: &'static str,
    /// What the cases differ in, where there is something to plot.
    pub(crate) growth: Option<&'static str>,
    pub(crate) cases: Vec<Case>,
}

/// One amount of work, and who does it.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The series that it belongs to, and its place in it.
    pub(crate) point: Option<(&'static str, u32)>,
    /// How many times the work is done, and then whatever else the contestants have to know.
    pub(crate) args: Vec<u64>,
    /// The first one is ours.
    pub(crate) field: Vec<Contestant>,
    pub(crate) goals: Vec<Goal>,
    /// Whether the result is the sum of the numbers below `args[0]`; else all must come to the same.
    pub(crate) is_sum: bool,
    /// On how many processors; 0 for all.
    pub(crate) processors: usize,
    /// At most so many rounds, where one takes long; 0 for as many as asked for.
    pub(crate) rounds: usize,
}

pub(crate) struct Contestant {
    kind: Kind,
    pub(crate) name: &'static str,
    /// The part of the work that it is given: one that is slow would hold up everybody.
    share: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Rust,
    C,
    Python,
}

/// What ours is to reach.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// That peer takes at least so many times what ours takes.
    Times(&'static str, f64),
    /// Ours takes at most so much more than that peer.
    Above(&'static str, f64),
    /// Ours takes less than that.
    Under(f64),
    /// What ours has to say besides, under this name, is at most so many times what that peer says.
    Besides(&'static str, &'static str, f64),
    /// What ours has to say besides, under this name, is less than that.
    BesidesUnder(&'static str, f64),
}

pub(crate) fn rust(name: &'static str) -> Contestant {
    Contestant { kind: Kind::Rust, name, share: 1 }
}

pub(crate) fn c(name: &'static str) -> Contestant {
    Contestant { kind: Kind::C, name, share: 1 }
}

pub(crate) fn python(name: &'static str) -> Contestant {
    Contestant { kind: Kind::Python, name, share: 1 }
}

impl Contestant {
    /// It does only one part in so many.
    pub(crate) fn share(self, share: u64) -> Self {
        Self { share, ..self }
    }

    fn args(&self, case: &Case) -> Vec<u64> {
        let mut args = case.args.clone();
        args[0] = (args[0] / self.share).max(1);
        args
    }

    fn command(&self, row: &str, case: &Case) -> io::Result<Command> {
        let mut command = match self.kind {
            Kind::Rust => {
                let mut command = Command::new(env::current_exe()?);
                command.args(["contestant", row]);
                command
            }
            Kind::C => Command::new(folder("BENCH_C").join(row)),
            Kind::Python => {
                let mut command = Command::new(folder("BENCH_PYTHON"));
                command.arg("-I").arg(folder("BENCH_PEERS").join(format!("{row}.py")));
                command
            }
        };
        command.arg(self.name).args(self.args(case).iter().map(u64::to_string));
        Ok(command)
    }
}

/// How it went for one of them.
pub(crate) struct Standing {
    pub(crate) name: &'static str,
    pub(crate) median: f64,
    /// How many times ours it takes: the median over the rounds, and the quartiles.
    pub(crate) ratio: f64,
    pub(crate) quartiles: (f64, f64),
    pub(crate) besides: BTreeMap<String, f64>,
}

/// How often each of them works.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) least: usize,
    /// Up to five times as often, as long as the case has not taken this much time.
    pub(crate) spare: Duration,
}

/// How a case went.
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) rounds: usize,
    pub(crate) point: Option<(&'static str, u32)>,
    pub(crate) standings: Vec<Standing>,
    pub(crate) goals: Vec<Verdict>,
    pub(crate) absent: Vec<&'static str>,
    /// Which part of the machine was busy with something else meanwhile, from 0 to 1.
    pub(crate) others: f64,
    /// Nanoseconds from one processor to the other and back, before and after.
    pub(crate) distance: Option<[f64; 2]>,
}

pub(crate) struct Verdict {
    pub(crate) words: String,
    /// At least 1 where the goal is met.
    pub(crate) reached: f64,
    /// Whether it compares; what a clock shows is no matter for a judge.
    pub(crate) is_ratio: bool,
}

impl Outcome {
    /// Why it is not to be believed, if it is not.
    pub(crate) fn doubt(&self) -> Option<String> {
        if self.others > 0.2 {
            let percent = 100.0 * self.others;
            return Some(format!("others had {percent:.0} % of the machine"));
        }
        if let Some([before, after]) = self.distance
            && before.max(after) > 2.0 * before.min(after)
        {
            return Some(format!(
                "a word to the other processor and back took {before:.0} ns before, {after:.0} after"
            ));
        }
        let spread = |s: &&Standing| (s.quartiles.1 - s.quartiles.0) / s.ratio > 0.4;
        let wide = self.standings.iter().find(spread)?;
        let (low, high) = wide.quartiles;
        Some(format!("the ratio of {} went from {low:.2} to {high:.2}", wide.name))
    }
}

/// Lets all of them work, so many times.
pub(crate) fn hold(row: &Row, case: &Case, rounds: Rounds) -> io::Result<Outcome> {
    let (least, most) = match case.rounds {
        0 => (rounds.least, 5 * rounds.least),
        most => (rounds.least.min(most), most),
    };
    let mut taken: Vec<Vec<Report>> = case.field.iter().map(|_| Vec::new()).collect();
    let mut absent = Vec::new();
    let before = there_and_back();
    let (start, busy, own) = (Instant::now(), busy()?, own()?);
    for round in 0..most {
        if round >= least && start.elapsed() >= rounds.spare {
            break;
        }
        for place in 0..case.field.len() {
            let who = (place + round) % case.field.len();
            let contestant = &case.field[who];
            if absent.contains(&contestant.name) {
                continue;
            }
            match run(row.name, case, contestant)? {
                Some(report) => taken[who].push(report),
                None => absent.push(contestant.name),
            }
        }
    }
    let others = others(start, busy, own)?;
    let distance = before.zip(there_and_back()).map(|(before, after)| [before, after]);
    verify(row, case, &taken)?;

    let ours: Vec<f64> = taken[0].iter().map(|report| report.took).collect();
    let standing = |(contestant, reports): (&Contestant, &Vec<Report>)| {
        let took = reports.iter().map(|report| report.took).collect();
        let ratios = quartiles(reports.iter().zip(&ours).map(|(r, ours)| r.took / ours).collect());
        let mut besides = BTreeMap::new();
        for name in reports.first()?.besides.keys() {
            let values = reports.iter().filter_map(|report| report.besides.get(name).copied());
            besides.insert(name.clone(), quartiles(values.collect())[1]);
        }
        Some(Standing {
            name: contestant.name,
            median: quartiles(took)[1],
            ratio: ratios[1],
            quartiles: (ratios[0], ratios[2]),
            besides,
        })
    };
    let standings: Vec<_> = case.field.iter().zip(&taken).filter_map(standing).collect();
    let goals = case.goals.iter().filter_map(|goal| judge(*goal, row, &standings)).collect();
    let rounds = taken[0].len();
    let (name, point) = (case.name.clone(), case.point);
    Ok(Outcome { name, rounds, point, standings, goals, absent, others, distance })
}

/// None where one of the two did not take part.
fn judge(goal: Goal, row: &Row, standings: &[Standing]) -> Option<Verdict> {
    let find = |name| standings.iter().find(|standing| standing.name == name);
    let ours = standings.first()?;
    let unit = row.unit.split(' ').next().unwrap_or_default();
    Some(match goal {
        Goal::Times(peer, times) => {
            let reached = find(peer)?.ratio;
            let words = match times {
                1.0 => format!("ahead of {peer}: {reached:.2} times"),
                times if times < 1.0 => {
                    let (percent, is) = (100.0 / times - 100.0, 100.0 / reached - 100.0);
                    format!("within {percent:.0} % of {peer}: {is:+.0} %")
                }
                times => format!("{times} times ahead of {peer}: {reached:.1} times"),
            };
            Verdict { words, reached: reached / times, is_ratio: true }
        }
        Goal::Above(peer, more) => {
            let above = ours.median - find(peer)?.median;
            let words = format!("at most {more} {unit} more than {peer}: {above:+.1} {unit}");
            Verdict {
                words,
                reached: if above <= more { 1.0 } else { more / above },
                is_ratio: false,
            }
        }
        Goal::Under(limit) => {
            let words = format!("under {limit} {unit}: {:.2} {unit}", ours.median);
            Verdict { words, reached: limit / ours.median, is_ratio: false }
        }
        Goal::Besides(what, peer, times) => {
            let is = ours.besides.get(what)? / find(peer)?.besides.get(what)?;
            let (percent, more) = (100.0 * times - 100.0, 100.0 * is - 100.0);
            let words = format!("{what} within {percent:.0} % of {peer}: {more:+.0} %");
            Verdict { words, reached: times / is, is_ratio: true }
        }
        Goal::BesidesUnder(what, limit) => {
            let is = *ours.besides.get(what)?;
            let words = format!("{what} under {limit}: {is:.1}");
            Verdict { words, reached: if is < limit { 1.0 } else { limit / is }, is_ratio: false }
        }
    })
}

/// What one that took part had to say.
struct Report {
    took: f64,
    result: String,
    besides: BTreeMap<String, f64>,
}

fn run(row: &str, case: &Case, contestant: &Contestant) -> io::Result<Option<Report>> {
    let what = format!("{row}, {}, {}", case.name, contestant.name);
    let mut command = contestant.command(row, case)?;
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = on_processors(case.processors, || command.output());
    let output = match output {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        output => output.map_err(failed(&what))?,
    };
    if output.status.code() == Some(ABSENT) {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let took = lines.next().and_then(|line| line.parse().ok());
    let (Some(took), Some(result), true) = (took, lines.next(), output.status.success()) else {
        return Err(io::Error::other(format!("{what}: {}: {text}", output.status)));
    };
    let pair = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_string(), value.parse().ok()?))
    };
    Ok(Some(Report { took, result: result.to_string(), besides: lines.filter_map(pair).collect() }))
}

/// Nobody is faster by doing less.
fn verify(row: &Row, case: &Case, taken: &[Vec<Report>]) -> io::Result<()> {
    let mut expected = BTreeMap::new();
    for (contestant, reports) in case.field.iter().zip(taken) {
        let n = contestant.args(case)[0];
        for report in reports {
            let sum = || (n * n.saturating_sub(1) / 2).to_string();
            let first = || if case.is_sum { sum() } else { report.result.clone() };
            let right = expected.entry(n).or_insert_with(first);
            if *right != report.result {
                let (row, case, name) = (row.name, &case.name, contestant.name);
                let why = format!("{row}, {case}, {name}: {} instead of {right}", report.result);
                return Err(io::Error::other(why));
            }
        }
    }
    Ok(())
}

/// The first quartile, the median, and the third.
pub(crate) fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = |quarter: usize| {
        let (place, rest) = (last * quarter / 4, last * quarter % 4);
        let between = values[place + usize::from(rest > 0)] - values[place];
        values[place] + between * f64::from(u8::try_from(rest).unwrap_or(0)) / 4.0
    };
    [1, 2, 3].map(|quarter| if values.is_empty() { f64::NAN } else { at(quarter) })
}

/// Children inherit the processors that we may use.
pub(crate) fn on_processors<T>(
    count: usize,
    start: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    if count == 0 {
        return start();
    }
    let myself = Pid::from_raw(0);
    let all = sched_getaffinity(myself)?;
    let (mut some, mut chosen) = (CpuSet::new(), 0);
    for processor in (0..CpuSet::count()).rev() {
        if chosen < count && all.is_set(processor)? {
            some.set(processor)?;
            chosen += 1;
        }
    }
    sched_setaffinity(myself, &some)?;
    let done = start();
    sched_setaffinity(myself, &all)?;
    done
}

/// Seconds that all processors together have been busy, with whatever: `proc_stat(5)`.
fn busy() -> io::Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = first.split_whitespace().skip(1).flat_map(str::parse).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal
    let busy = [0, 1, 2, 5, 6, 7].map(|field| ticks.get(field).copied().unwrap_or(0.0));
    Ok(busy.iter().sum::<f64>() / 100.0)
}

/// Seconds that we and our children have been so.
fn own() -> io::Result<f64> {
    let mut seconds = 0.0;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who)?;
        for time in [usage.user_time(), usage.system_time()] {
            seconds += std::time::Duration::from_micros(time.num_microseconds().unsigned_abs())
                .as_secs_f64();
        }
    }
    Ok(seconds)
}

fn others(start: Instant, busy_before: f64, own_before: f64) -> io::Result<f64> {
    let processors = std::thread::available_parallelism()?.get();
    let all = start.elapsed().as_secs_f64() * f64::from(u16::try_from(processors).unwrap_or(1));
    Ok(((busy()? - busy_before) - (own()? - own_before)).max(0.0) / all)
}
