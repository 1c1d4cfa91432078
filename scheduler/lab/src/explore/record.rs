//! What a run did, and the same run once more.

use super::access::{Footprint, TaskId};
use super::nondeterminism::Nondeterminism;
use super::replay::Choices;
use super::schedule::Schedule;

/// What a run did. Kept from run to run for its memory.
#[derive(Default)]
pub(crate) struct Record {
    /// Who could go on before each step, one step after the other.
    enabled: Vec<TaskId>,
    steps: Vec<Step>,
}

struct Step {
    /// Where those that could go on end.
    end: usize,
    task: TaskId,
    footprint: Footprint,
}

impl Record {
    pub(crate) fn clear(&mut self) {
        self.enabled.clear();
        self.steps.clear();
    }

    pub(crate) fn choices(&self) -> Choices {
        Choices(self.steps.iter().map(|step| step.task).collect())
    }

    fn enabled(&self, step: usize) -> &[TaskId] {
        let begin = if step == 0 { 0 } else { self.steps[step - 1].end };
        &self.enabled[begin..self.steps[step].end]
    }
}

/// A schedule whose run is written down.
pub(crate) struct Recorder<'a, S: ?Sized> {
    schedule: &'a mut S,
    record: &'a mut Record,
}

impl<'a, S: Schedule> Recorder<'a, S> {
    pub(crate) fn new(schedule: &'a mut S, record: &'a mut Record) -> Self {
        record.clear();
        Recorder { schedule, record }
    }
}

impl<S: Schedule> Schedule for Recorder<'_, S> {
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism> {
        let chosen = self.schedule.choose(enabled)?;
        if let Some(task) = chosen {
            self.record.enabled.extend_from_slice(enabled);
            let end = self.record.enabled.len();
            self.record.steps.push(Step { end, task, footprint: Footprint::Unknown });
        }
        Ok(chosen)
    }

    fn stepped(&mut self, footprint: Footprint) -> Result<(), Nondeterminism> {
        if let Some(step) = self.record.steps.last_mut() {
            step.footprint = footprint.clone();
        }
        self.schedule.stepped(footprint)
    }

    fn cancels(&mut self) -> bool {
        self.schedule.cancels()
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
        let Some(step) = self.record.steps.get(self.at) else { return Ok(None) };
        let then = self.record.enabled(self.at);
        if then != enabled {
            return Err(Nondeterminism::enabled(self.at, then, enabled));
        }
        Ok(Some(step.task))
    }

    fn stepped(&mut self, footprint: Footprint) -> Result<(), Nondeterminism> {
        let Step { task, footprint: then, .. } = &self.record.steps[self.at];
        // The run ended within this step.
        if *then != Footprint::Unknown && *then != footprint {
            return Err(Nondeterminism::touched(self.at, *task, then, &footprint));
        }
        self.at += 1;
        Ok(())
    }
}
