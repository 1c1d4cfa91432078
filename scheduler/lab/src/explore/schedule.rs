//! The seam between a program and what decides its order.

use super::access::{Footprint, TaskId};
use super::nondeterminism::Nondeterminism;
use super::timeline::{Moment, Timeline};

/// Decides what runs next in one run.
pub trait Schedule {
    /// The task whose step is taken next, of those that can (sorted, at least one); `None` to give
    /// the run up.
    ///
    /// # Errors
    /// If the program did not do what it had done after the same choices.
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism>;

    /// What the step of the chosen task touched.
    ///
    /// # Errors
    /// If it touched something else after the same choices.
    fn stepped(&mut self, footprint: Footprint) -> Result<(), Nondeterminism>;

    /// Whether the chosen task is asked to stop before it takes its step.
    fn cancels(&mut self) -> bool {
        false
    }

    /// Whether it asks what steps touch; one that does not is told [`Footprint::Unknown`].
    fn sees(&self) -> bool {
        true
    }

    /// What that step was, for whoever writes the run down.
    fn tell(&mut self, moment: &dyn Fn() -> Moment) {
        let _ = moment;
    }
}

/// Decides the order of one run after another.
pub trait Search: Schedule {
    /// The run that is over is had again: the same choices.
    fn again(&mut self);

    /// A run is over, and these tasks still waited for these locks. Tells whether there is another.
    fn end(&mut self, waiting: &[(TaskId, super::ObjectId)]) -> bool;

    /// What part of all runs was had by now, from 0 to 1, as far as it can be told: see
    /// [`Explored::estimate`](super::Explored::estimate).
    fn part(&self) -> Option<f64> {
        None
    }
}

/// A schedule, and the run that came of it, written down.
pub(crate) struct Story<S> {
    pub(crate) schedule: S,
    pub(crate) timeline: Timeline,
}

impl<S: Schedule> Schedule for Story<S> {
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism> {
        self.schedule.choose(enabled)
    }

    fn stepped(&mut self, footprint: Footprint) -> Result<(), Nondeterminism> {
        self.schedule.stepped(footprint)
    }

    fn cancels(&mut self) -> bool {
        self.schedule.cancels()
    }

    fn sees(&self) -> bool {
        self.schedule.sees()
    }

    fn tell(&mut self, moment: &dyn Fn() -> Moment) {
        self.timeline.moments.push(moment());
    }
}
