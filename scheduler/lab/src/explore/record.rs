//! What a run did, and the same run once more.

use super::access::{Footprint, TaskId};
use super::nondeterminism::Nondeterminism;
use super::replay::Choices;
use super::schedule::Schedule;

/// What a run did. Kept from run to run for its memory.
#[derive(Default)]
pub(crate) struct Record {
    choices: Vec<TaskId>,
    /// Who could go on before each step, one step after the other, and where those of each end.
    enabled: Vec<TaskId>,
    ends: Vec<usize>,
    footprints: Vec<Footprint>,
}

impl Record {
    pub(crate) fn choices(&self) -> Choices {
        Choices(self.choices.clone())
    }

    fn enabled(&self, step: usize) -> &[TaskId] {
        let begin = step.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.enabled[begin..self.ends[step]]
    }
}

/// A schedule whose choices are written down, and if that is asked for, what the run did after each.
pub(crate) struct Recorder<'a, S: ?Sized> {
    schedule: &'a mut S,
    record: &'a mut Record,
    whole: bool,
}

impl<'a, S: Schedule> Recorder<'a, S> {
    pub(crate) fn new(schedule: &'a mut S, record: &'a mut Record, whole: bool) -> Self {
        record.choices.clear();
        record.enabled.clear();
        record.ends.clear();
        record.footprints.clear();
        Recorder { schedule, record, whole }
    }
}

impl<S: Schedule> Schedule for Recorder<'_, S> {
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism> {
        let chosen = self.schedule.choose(enabled)?;
        if let Some(task) = chosen {
            self.record.choices.push(task);
            if self.whole {
                self.record.enabled.extend_from_slice(enabled);
                self.record.ends.push(self.record.enabled.len());
            }
        }
        Ok(chosen)
    }

    fn stepped(&mut self, footprint: Footprint) -> Result<(), Nondeterminism> {
        if self.whole {
            // A step may be chosen and then not be told of.
            self.record.footprints.resize(self.record.choices.len() - 1, Footprint::Unknown);
            self.record.footprints.push(footprint.clone());
        }
        self.schedule.stepped(footprint)
    }

    fn cancels(&mut self) -> bool {
        self.schedule.cancels()
    }

    fn sees(&self) -> bool {
        self.whole || self.schedule.sees()
    }
}

/// A run once more, compared with what it was; given up where that ended.
pub(crate) struct Again<'a> {
    record: &'a Record,
    at: usize,
}

impl<'a> Again<'a> {
    pub(crate) fn new(record: &'a Record) -> Self {
        Again { record, at: 0 }
    }

    /// How many were the same.
    pub(crate) fn steps(&self) -> usize {
        self.at
    }
}

impl Schedule for Again<'_> {
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism> {
        let Some(task) = self.record.choices.get(self.at) else { return Ok(None) };
        let then = self.record.enabled(self.at);
        if then != enabled {
            return Err(Nondeterminism::enabled(self.at, then, enabled));
        }
        Ok(Some(*task))
    }

    fn stepped(&mut self, footprint: Footprint) -> Result<(), Nondeterminism> {
        let task = self.record.choices[self.at];
        // The run may have ended within this step.
        let then = self.record.footprints.get(self.at).unwrap_or(&Footprint::Unknown);
        if *then != Footprint::Unknown && *then != footprint {
            return Err(Nondeterminism::touched(self.at, task, then, &footprint));
        }
        self.at += 1;
        Ok(())
    }
}
