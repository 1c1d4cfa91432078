//! The driving of a supervisor: waits for what happens, asks [`State`] what to do, and does it.
//!
//! It runs in the supervisor's region, which hides Request: children hear it only from here, one
//! after the other. The end of the drain budget does pass, and cuts all of them.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::child::ChildSpec;
use super::error::{ChildError, TooManyRestarts};
use super::event::{Action, Ending, Event};
use super::handle::{ChildInfo, ChildStatus, Command, Reply};
use super::mailbox::{Mailbox, Note};
use super::policy::{ChildId, is_abnormal};
use super::state::{Phase, State};
use crate::alarm::Alarm;
use crate::cancel::{Level, Note as WaitNote, Reason, ReasonKind, Watch};
use crate::caps::CapSet;
use crate::channel::mpsc;
use crate::cx::Cx;
use crate::outcome::{Failure, Outcome};
use crate::region::ChildRegion;
use crate::time::Time;

/// What the supervisor was built with.
pub(super) struct Settings<C> {
    pub(super) state: State,
    pub(super) max_children: usize,
    pub(super) commands: Option<mpsc::Receiver<Command<C>>>,
}

/// A child's specification, and its present start.
struct Slot<C> {
    spec: ChildSpec<C>,
    /// Which start it is, counted from 1.
    run: u64,
    region: Option<ChildRegion<()>>,
    /// Those who wait until the child is forgotten.
    waiting: Vec<Reply<()>>,
}

/// Something to see to.
enum Input<C> {
    Request,
    Note(Note),
    Command(Option<Command<C>>),
    Tick,
}

pub(super) struct Driver<'a, C> {
    /// The supervisor's region.
    cx: &'a Cx<C>,
    /// Where the supervisor was called, and hears Request.
    caller: &'a Cx<C>,
    settings: Settings<C>,
    slots: BTreeMap<ChildId, Slot<C>>,
    next_id: u64,
    mailbox: Mailbox,
    alarm: Option<Alarm>,
    /// Why children are being stopped, unless somebody asked for one of them.
    reason: Option<Reason>,
    /// What to tell if the end that is being judged is one too many, and then what to end with.
    complaint: Option<TooManyRestarts>,
}

impl<'a, C: CapSet> Driver<'a, C> {
    pub(super) fn new(cx: &'a Cx<C>, caller: &'a Cx<C>, settings: Settings<C>) -> Self {
        Driver {
            cx,
            caller,
            settings,
            slots: BTreeMap::new(),
            next_id: 0,
            mailbox: Mailbox::default(),
            alarm: None,
            reason: None,
            complaint: None,
        }
    }

    /// Runs until nothing of the children is left.
    pub(super) async fn run(mut self, children: Vec<ChildSpec<C>>) -> Outcome {
        for spec in children {
            self.add(spec);
        }
        let first = if self.settings.commands.is_none() { Event::Sealed } else { Event::Tick };
        let mut ending = self.decide(first);
        let mut watch = Watch::new(self.caller.scope(), WaitNote::CHILDREN);
        while ending.is_none() {
            let input = poll_fn(|task| self.poll_input(&mut watch, task)).await;
            ending = self.handle(input);
        }
        for id in self.slots.keys().copied().collect::<Vec<_>>() {
            self.forget(id);
        }
        match ending {
            Some(Ending::Requested) => Err(self.caller.scope().cancelled().into()),
            Some(Ending::Escalated) => Err(self.complaint.map_or_else(
                || self.caller.scope().cancelled().into(),
                |complaint| Failure::Err(complaint.into()),
            )),
            Some(Ending::Done) | None => Ok(()),
        }
    }

    fn poll_input(&mut self, watch: &mut Watch<'_>, task: &mut Context<'_>) -> Poll<Input<C>> {
        let stopping = self.settings.state.ending.is_some();
        // First, or it would start again what must stop in a moment.
        if !stopping && watch.poll(Level::Requested, task).is_ready() {
            return Poll::Ready(Input::Request);
        }
        if let Poll::Ready(note) = self.mailbox.poll(task) {
            return Poll::Ready(Input::Note(note));
        }
        if let Some(commands) = &mut self.settings.commands
            && let Poll::Ready(command) = commands.poll_recv(task)
        {
            return Poll::Ready(Input::Command(command));
        }
        let tick = self.alarm.as_mut().map(|alarm| Pin::new(alarm).poll(task));
        if tick.is_some_and(|tick| tick.is_ready()) { Poll::Ready(Input::Tick) } else { Poll::Pending }
    }

    fn handle(&mut self, input: Input<C>) -> Option<Ending> {
        match input {
            Input::Request => {
                self.reason = self.caller.scope().reason();
                self.decide(Event::Request)
            }
            Input::Note(Note::Ready { id, run }) => {
                let current = self.slots.get(&id).is_some_and(|slot| slot.run == run);
                if current { self.decide(Event::Ready(id)) } else { None }
            }
            Input::Note(Note::Ended { id, outcome }) => self.ended(id, outcome),
            Input::Command(Some(command)) => self.command(command),
            Input::Command(None) => {
                self.settings.commands = None;
                self.decide(Event::Sealed)
            }
            Input::Tick => self.decide(Event::Tick),
        }
    }

    fn add(&mut self, spec: ChildSpec<C>) -> ChildId {
        let id = ChildId(self.next_id);
        self.next_id += 1;
        let traits = spec.traits();
        self.slots.insert(id, Slot { spec, run: 0, region: None, waiting: Vec::new() });
        // Adding finishes nothing: the new child has yet to run.
        self.decide(Event::Add(id, traits));
        id
    }

    /// A caller that left meanwhile does not need its answer.
    fn command(&mut self, command: Command<C>) -> Option<Ending> {
        match command {
            // Nobody would know of the child.
            Command::Start(_, reply) if reply.is_closed() => None,
            Command::Start(spec, reply) => {
                let max = self.settings.max_children;
                let answer = if self.slots.len() < max {
                    Ok(self.add(spec))
                } else {
                    Err(ChildError::MaxChildren(max))
                };
                drop(reply.send(answer));
                None
            }
            Command::Terminate(id, reply) => match self.slots.get_mut(&id) {
                Some(slot) => {
                    slot.waiting.retain(|reply| !reply.is_closed());
                    slot.waiting.push(reply);
                    self.decide(Event::Remove(id))
                }
                None => {
                    drop(reply.send(Err(ChildError::NotFound(id))));
                    None
                }
            },
            Command::Which(reply) => {
                let all = self.settings.state.children.iter();
                let infos = all.map(|(&id, child)| ChildInfo {
                    id,
                    name: child.traits.name.clone(),
                    restart: child.traits.restart,
                    status: status(child.phase),
                    restarts: child.restarts,
                });
                drop(reply.send(Ok(infos.collect())));
                None
            }
        }
    }

    fn ended(&mut self, id: ChildId, outcome: Outcome) -> Option<Ending> {
        let state = &self.settings.state;
        let abnormal = is_abnormal(&outcome);
        if let Some(child) = state.children.get(&id)
            && matches!(child.phase, Phase::Starting | Phase::Up)
            && state.ending.is_none()
        {
            let name = child.traits.name.clone();
            let message = format!("child `{name}` ended");
            self.reason = Some(Reason::new(ReasonKind::SiblingFailed).with_message(message));
            self.complaint = Some(TooManyRestarts {
                child: name,
                restarts: child.restarts,
                intensity: state.window.max,
                period: state.window.period,
                last: outcome,
            });
        }
        let ending = self.decide(Event::Ended { id, abnormal });
        if self.settings.state.ending != Some(Ending::Escalated) {
            self.complaint = None;
        }
        ending
    }

    /// Asks what to do about `event`, and does it.
    fn decide(&mut self, event: Event) -> Option<Ending> {
        let mut ending = None;
        for action in self.settings.state.decide(event, self.cx.host().now()) {
            match action {
                Action::Start(id) => self.start(id),
                Action::Stop(id) => self.stop(id),
                Action::Forget(id) => self.forget(id),
                Action::Finish(how) => ending = Some(how),
            }
        }
        if self.settings.state.ending.is_some() {
            // Whoever still asks for something is told that it is too late.
            self.settings.commands = None;
        }
        let wake_at = self.settings.state.wake_at();
        if self.alarm.as_ref().map_or(Time::MAX, Alarm::deadline) != wake_at {
            self.alarm = (wake_at < Time::MAX).then(|| self.cx.set_alarm(wake_at));
        }
        ending
    }

    fn start(&mut self, id: ChildId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.run += 1;
        slot.region = Some(slot.spec.start(self.cx, &self.mailbox, id, slot.run));
    }

    fn stop(&mut self, id: ChildId) {
        let Some(slot) = self.slots.get(&id) else { return };
        let asked = || Reason::new(ReasonKind::UserRequest).with_message("terminate_child");
        let reason = match &self.reason {
            Some(reason) if slot.waiting.is_empty() => reason.clone(),
            _ => asked(),
        };
        if let Some(region) = &slot.region {
            region.request_close(reason);
        }
    }

    fn forget(&mut self, id: ChildId) {
        let Some(Slot { spec, waiting, .. }) = self.slots.remove(&id) else { return };
        // What a body captured is the child's, and so is a panic in dropping it.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(spec)));
        for reply in waiting {
            drop(reply.send(Ok(())));
        }
    }
}

fn status(phase: Phase) -> ChildStatus {
    match phase {
        Phase::Down => ChildStatus::Down,
        Phase::Waiting(_) => ChildStatus::Waiting,
        Phase::Starting => ChildStatus::Starting,
        Phase::Up => ChildStatus::Up,
        Phase::Stopping => ChildStatus::Stopping,
    }
}
