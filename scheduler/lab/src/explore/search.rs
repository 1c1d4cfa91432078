//! One run after the other, until one fails or nothing is left.

use std::fmt;

use super::access::{ObjectId, TaskId};
use super::explorer::{Algorithm, Explorer};
use super::nondeterminism::{Cause, Nondeterminism};
use super::record::{Again, Record, Recorder};
use super::replay::{Choices, Replay};
use super::sample::{Sampler, Sampling};
use super::schedule::{Schedule, Search, Story};
use super::shrink::shrink;
use super::timeline::Timeline;

/// How one run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All tasks have ended.
    Completed,
    /// No task can go on.
    Deadlock {
        /// Who waits for what.
        told: String,
        /// Tasks that wait for locks.
        waiting: Vec<(TaskId, ObjectId)>,
    },
    /// It did what it must not, or a task panicked.
    Failed {
        /// What was wrong: the same words in each run that fails so.
        message: String,
        /// More about this run: who is left, and what each waits for.
        details: String,
    },
    /// No task can go on, but something outside of the lab may wake one.
    Outside {
        /// Who waits for what.
        told: String,
    },
    /// The schedule gave it up, while these tasks waited for locks.
    GivenUp(Vec<(TaskId, ObjectId)>),
}

/// Runs the program once, as a schedule decides.
pub(crate) type Run<'a> = dyn FnMut(&mut dyn Schedule) -> Result<Ended, Nondeterminism> + 'a;

/// How a program is explored.
#[derive(Clone, Debug)]
#[must_use = "it explores nothing until it is run"]
pub struct Explore {
    how: How,
    most: u64,
    deadlock_fails: bool,
    pub(crate) leftovers_fail: bool,
}

#[derive(Clone, Debug)]
enum How {
    All(Algorithm),
    Some(Sampling, u64),
    One(Choices),
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Explored {
    /// Runs to their end, deadlocks among them: of a complete exploration, each Mazurkiewicz trace once.
    pub traces: u64,
    /// Of these, how many ended in a deadlock.
    pub deadlocks: u64,
    /// Runs that were given up, since all that could follow was explored.
    pub blocked: u64,
    /// Nothing is left, and no bound was hit. Never of a sampling.
    pub complete: bool,
    /// Where a bound ended an exploration of all: about how many runs there are, by Knuth's estimate. A
    /// rough figure, and mostly too low, since later runs show more that is to be tried.
    pub estimate: Option<f64>,
    /// The first failure, which ends the exploration.
    pub failure: Option<Failure>,
}

/// In one line: how much was explored.
impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} runs", self.traces)?;
        if self.deadlocks > 0 {
            write!(f, " ({} deadlocks)", self.deadlocks)?;
        }
        if self.blocked > 0 {
            write!(f, " and {} in vain", self.blocked)?;
        }
        match self.estimate {
            _ if self.complete => f.write_str(", complete"),
            Some(all) => write!(f, ", of about {all:.0} by Knuth's estimate: the bound was hit"),
            None => f.write_str(", not complete"),
        }
    }
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was wrong.
    pub message: String,
    /// More about it: who waits for whom.
    pub details: String,
    /// The tasks in the order of their steps, with as few switches as were found to do.
    pub choices: Choices,
    /// These steps.
    pub timeline: Timeline,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.message)?;
        if !self.details.is_empty() {
            writeln!(f, "{}", self.details.trim_end())?;
        }
        writeln!(f, "replay: {REPLAY}='{}'", self.choices)?;
        write!(f, "{}", self.timeline)
    }
}

/// The variable that has [`Explore::check`] run one schedule again.
pub(crate) const REPLAY: &str = "ASUPERSYNC_LAB_REPLAY";

impl Explore {
    /// Every trace, with wakeup trees: no run is in vain.
    pub fn optimal() -> Self {
        Explore {
            how: How::All(Algorithm::Optimal),
            most: u64::MAX,
            deadlock_fails: false,
            leftovers_fail: true,
        }
    }

    /// Every trace, with source sets: less work for each run, and some that are in vain.
    pub fn source() -> Self {
        Explore { how: How::All(Algorithm::Source), ..Self::optimal() }
    }

    /// Every interleaving, however many show the same: to check the other two on what is very small.
    pub fn naive() -> Self {
        Explore { how: How::All(Algorithm::Naive), ..Self::optimal() }
    }

    /// `runs` runs that are drawn: by this seed and by those after it, one each.
    pub fn sample(sampling: Sampling, seed: u64, runs: u64) -> Self {
        Explore { how: How::Some(sampling, seed), most: runs, ..Self::optimal() }
    }

    /// One run again.
    pub fn replay(choices: Choices) -> Self {
        Explore { how: How::One(choices), ..Self::optimal() }
    }

    /// Stops after so many runs. Default: when nothing is left.
    pub fn runs(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    /// Whether a deadlock is a failure. Default: it is only counted.
    pub fn deadlock_fails(mut self, fails: bool) -> Self {
        self.deadlock_fails = fails;
        self
    }

    /// Whether what is left over in a region's report is a failure. Default: it is. Not so in a test of what
    /// ends badly on purpose.
    pub fn leftovers_fail(mut self, fail: bool) -> Self {
        self.leftovers_fail = fail;
        self
    }

    /// Explores until a run fails or nothing is left.
    pub(crate) fn drive(&self, run: &mut Run<'_>) -> Explored {
        match &self.how {
            How::All(algorithm) => self.search(run, &mut Explorer::new(*algorithm), true),
            How::Some(sampling, seed) => {
                self.search(run, &mut Sampler::new(*sampling, *seed, self.most), false)
            }
            How::One(choices) => {
                let mut found = Explored::nothing();
                let (ended, failure) = self.tell(run, choices.clone());
                ended.iter().for_each(|ended| found.count(ended));
                found.failure = failure;
                found
            }
        }
    }

    fn search(&self, run: &mut Run<'_>, search: &mut impl Search, all: bool) -> Explored {
        let mut found = Explored::nothing();
        let mut record = Record::default();
        for nth in 1..=self.most {
            // What a run repeats of the one before, an exploration compares anyway.
            let twice = nth.is_power_of_two() && (!all || nth.trailing_zeros().is_multiple_of(4));
            let ended = match self.run_checked(run, search, &mut record, twice) {
                Ok(ended) => ended,
                Err(other) => {
                    found.failure = Some(Failure::of(&other, record.choices(), Timeline::default()));
                    return found;
                }
            };
            found.count(&ended);
            if let Some((message, _)) = self.wrong(&ended) {
                let fewest = self.fewest(run, &message, record.choices());
                found.failure = self.tell(run, fewest).1;
                return found;
            }
            let waiting = match &ended {
                Ended::Deadlock { waiting, .. } | Ended::GivenUp(waiting) => &waiting[..],
                _ => &[],
            };
            if !search.end(waiting) {
                found.complete = all;
                return found;
            }
        }
        let runs = (found.traces + found.blocked) as f64;
        found.estimate = search.part().filter(|part| *part > 0.0).map(|part| runs / part);
        found
    }

    /// Has one run. The `twice` are had again, as is one that fails: they must be the same.
    fn run_checked(
        &self,
        run: &mut Run<'_>,
        search: &mut impl Search,
        record: &mut Record,
        twice: bool,
    ) -> Result<Ended, Nondeterminism> {
        let ended = run(&mut Recorder::new(search, record, twice))
            .map_err(|other| other.because(|| cause(run, record.choices())))?;
        if !twice && self.wrong(&ended).is_none() {
            return Ok(ended);
        }
        if !twice {
            search.again();
            match run(&mut Recorder::new(search, record, true)) {
                Ok(now) => same(&ended, &now, record.choices().0.len()),
                Err(other) => Err(other),
            }
            .map_err(|other| other.because(|| cause(run, record.choices())))?;
        }
        let mut again = Again::new(record);
        match run(&mut again) {
            Ok(now) => same(&ended, &now, again.steps()),
            Err(other) => Err(other),
        }
        .map_err(|other| other.because(|| cause(run, record.choices())))?;
        Ok(ended)
    }

    /// Runs these choices, and writes the run down if it fails.
    fn tell(&self, run: &mut Run<'_>, choices: Choices) -> (Option<Ended>, Option<Failure>) {
        let mut story = Story { schedule: Replay::new(choices), timeline: Timeline::default() };
        let ended = run(&mut story);
        let (choices, timeline) = (story.schedule.taken(), story.timeline);
        let wrong = match &ended {
            Ok(ended) => self.wrong(ended),
            Err(other) => Some((other.headline(), other.rest())),
        };
        let failure = wrong.map(|(message, details)| Failure { message, details, choices, timeline });
        (ended.ok(), failure)
    }

    /// What is wrong with how a run ended, and more about it.
    fn wrong(&self, ended: &Ended) -> Option<(String, String)> {
        match ended {
            Ended::Failed { message, details } => Some((message.clone(), details.clone())),
            Ended::Deadlock { told, .. } if self.deadlock_fails => {
                Some(("deadlock: no task can go on, and no timer is set".into(), told.clone()))
            }
            Ended::Outside { told } => {
                let message = "no task can go on, and what is awaited is nothing of the lab's";
                Some((message.into(), told.clone()))
            }
            _ => None,
        }
    }

    /// The same failure with fewer switches.
    fn fewest(&self, run: &mut Run<'_>, message: &str, choices: Choices) -> Choices {
        shrink(choices, |choices| {
            let mut replay = Replay::lenient(choices);
            let ended = run(&mut replay).ok()?;
            self.wrong(&ended).is_some_and(|(other, _)| other == message).then(|| replay.taken())
        })
    }
}

/// Whether two runs of the same choices ended alike.
fn same(then: &Ended, now: &Ended, steps: usize) -> Result<(), Nondeterminism> {
    let different = || Nondeterminism::ended(steps, &then.to_string(), &now.to_string());
    if then.is_like(now) { Ok(()) } else { Err(different()) }
}

/// What a difference to an earlier run comes of: tells by having the run twice more.
fn cause(run: &mut Run<'_>, choices: Choices) -> Cause {
    let mut later = Record::default();
    let ended = run(&mut Recorder::new(&mut Replay::lenient(choices), &mut later, true));
    match (ended, run(&mut Again::new(&later))) {
        (Ok(ended), Ok(again)) if ended.is_like(&again) => Cause::EarlierRun,
        _ => Cause::EachRun,
    }
}

impl Ended {
    /// Failed, with no more to say.
    pub(crate) fn failed(message: String) -> Self {
        Ended::Failed { message, details: String::new() }
    }

    /// The two ended alike.
    fn is_like(&self, other: &Ended) -> bool {
        match (self, other) {
            (Ended::Failed { message, .. }, Ended::Failed { message: other, .. }) => message == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Completed => f.write_str("all tasks have ended"),
            Ended::Deadlock { .. } => f.write_str("deadlock"),
            Ended::Outside { .. } => f.write_str("no task could go on"),
            Ended::Failed { message, .. } => f.write_str(message),
            Ended::GivenUp(_) => f.write_str("it went on"),
        }
    }
}

impl Failure {
    fn of(other: &Nondeterminism, choices: Choices, timeline: Timeline) -> Self {
        Failure { message: other.headline(), details: other.rest(), choices, timeline }
    }
}

impl Explored {
    fn nothing() -> Self {
        Explored { traces: 0, deadlocks: 0, blocked: 0, complete: false, estimate: None, failure: None }
    }

    fn count(&mut self, ended: &Ended) {
        match ended {
            Ended::GivenUp(_) => self.blocked += 1,
            Ended::Deadlock { .. } => (self.traces, self.deadlocks) = (self.traces + 1, self.deadlocks + 1),
            Ended::Completed | Ended::Failed { .. } | Ended::Outside { .. } => self.traces += 1,
        }
    }
}
