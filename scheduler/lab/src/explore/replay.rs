//! A schedule written down, to be had again.
//!
//! The text is `1:` (the version of the format) and the tasks in the order of their steps, in runs:
//! `2x3` is three steps of task 2, `0` is one of task 0. Nothing in it depends on the machine.

use std::fmt;
use std::str::FromStr;

use super::access::{Footprint, TaskId};
use super::nondeterminism::{Cause, Nondeterminism};
use super::schedule::Schedule;

const VERSION: &str = "1";

/// The tasks of a run in the order of their steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices(pub Vec<TaskId>);

impl Choices {
    /// How often a step is another task's than the one before.
    pub fn switches(&self) -> usize {
        self.0.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }
}

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}:")?;
        for (at, run) in self.0.chunk_by(|a, b| a == b).enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match run.len() {
                1 => write!(f, "{comma}{}", run[0])?,
                many => write!(f, "{comma}{}x{many}", run[0])?,
            }
        }
        Ok(())
    }
}

/// A text that is no schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError(String);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseError {}

/// The most steps that a text may stand for; a run of `x` could ask for any number.
const MOST: usize = 100_000_000;

impl FromStr for Choices {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = |what: String| ParseError(format!("`{text}` is no schedule to replay: {what}"));
        let Some((version, runs)) = text.trim().split_once(':') else {
            return Err(wrong("it wants to begin with a version, such as `1:`".into()));
        };
        if version != VERSION {
            return Err(wrong(format!("it is of version {version}, and this lab replays version {VERSION}")));
        }
        let mut choices = Vec::new();
        for run in runs.split(',').filter(|run| !run.is_empty()) {
            let (task, count) = run.split_once('x').unwrap_or((run, "1"));
            let number = |text: &str| {
                text.parse::<usize>()
                    .map_err(|_| wrong(format!("`{run}` is neither a task nor task x count")))
            };
            let (task, count) = (number(task)?, number(count)?);
            if choices.len().saturating_add(count) > MOST {
                return Err(wrong(format!("it has more than {MOST} steps")));
            }
            choices.extend(std::iter::repeat_n(task, count));
        }
        Ok(Choices(choices))
    }
}

/// Takes the choices of a run that was, and says so if they cannot be taken.
pub struct Replay {
    choices: Choices,
    at: usize,
    lenient: bool,
    taken: Vec<TaskId>,
}

impl Replay {
    /// Exactly these; after the last, the task that ran last while it can go on, else the first that can.
    pub fn new(choices: Choices) -> Self {
        Replay { choices, at: 0, lenient: false, taken: Vec::new() }
    }

    /// These as far as they can be taken: one that cannot is left out.
    pub(crate) fn lenient(choices: Choices) -> Self {
        Replay { lenient: true, ..Replay::new(choices) }
    }

    /// What was taken.
    pub(crate) fn taken(self) -> Choices {
        Choices(self.taken)
    }
}

impl Schedule for Replay {
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism> {
        while let Some(&task) = self.choices.0.get(self.at) {
            self.at += 1;
            if enabled.binary_search(&task).is_ok() {
                self.taken.push(task);
                return Ok(Some(task));
            }
            if !self.lenient {
                return Err(Nondeterminism::refused(self.taken.len(), task, enabled, Cause::Choices));
            }
        }
        // The one that ran last, for fewer switches; else the first.
        let last = self.taken.last().copied().filter(|last| enabled.binary_search(last).is_ok());
        let task = last.unwrap_or(enabled[0]);
        self.taken.push(task);
        Ok(Some(task))
    }

    fn stepped(&mut self, _: Footprint) -> Result<(), Nondeterminism> {
        Ok(())
    }

    fn sees(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for choices in [vec![], vec![0], vec![3, 3, 3, 0, 1, 1], vec![12; 40]] {
            let choices = Choices(choices);
            assert_eq!(choices.to_string().parse(), Ok(choices));
        }
        assert_eq!(Choices(vec![2, 2, 2, 0]).to_string(), "1:2x3,0");
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        for (text, why) in [
            ("", "version"),
            ("0x3", "version"),
            ("2:0", "of version 2"),
            ("1:a", "`a` is neither"),
            ("1:1x", "`1x` is neither"),
            ("1:-1", "neither"),
            ("1:0x99999999999", "more than"),
        ] {
            let error = text.parse::<Choices>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
