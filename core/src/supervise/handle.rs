//! A handle to a supervisor that runs: adds children, removes them, and tells which there are.
//!
//! Requests go through a bounded channel, so whoever asks faster than the supervisor answers waits.

use std::fmt;
use std::sync::Arc;

use super::child::ChildSpec;
use super::error::ChildError;
use super::policy::{ChildId, Restart};
use crate::caps::{All, CapSet};
use crate::channel::{RecvError, SendError, mpsc, oneshot};
use crate::cx::Cx;
use crate::outcome::{Failure, Outcome};

/// How many requests may wait for the supervisor; more wait for room.
const REQUESTS: usize = 16;

pub(super) type Reply<T> = oneshot::Sender<Result<T, ChildError>>;

/// What a handle asks for.
pub(super) enum Command<C> {
    Start(ChildSpec<C>, Reply<ChildId>),
    Terminate(ChildId, Reply<()>),
    Which(Reply<Vec<ChildInfo>>),
}

/// Both ends of the requests of one supervisor.
pub(super) fn requests<C>() -> (SupervisorHandle<C>, mpsc::Receiver<Command<C>>) {
    let (commands, receiver) = mpsc::channel(REQUESTS);
    (SupervisorHandle { commands }, receiver)
}

/// Adds children to a supervisor, and removes them; from
/// [`Supervisor::handle`](super::Supervisor::handle).
///
/// While there is a handle the supervisor waits for children to come, even when none is left. A
/// child that keeps a handle to its own supervisor therefore keeps that from ending by itself.
pub struct SupervisorHandle<C = All> {
    commands: mpsc::Sender<Command<C>>,
}

/// One child of a supervisor, as it is now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChildInfo {
    /// Its number.
    pub id: ChildId,
    /// Its name.
    pub name: Arc<str>,
    /// When it is started again.
    pub restart: Restart,
    /// Whether it runs.
    pub status: ChildStatus,
    /// How often it was started again because of itself, not of others.
    pub restarts: u64,
}

/// Whether a child runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChildStatus {
    /// It is done, and would be started again only together with others.
    Down,
    /// It waits to be started: for its back-off, or for its turn.
    Waiting,
    /// It runs, and has not said yet that it is ready.
    Starting,
    /// It runs.
    Up,
    /// It was asked to stop.
    Stopping,
}

impl<C: CapSet> SupervisorHandle<C> {
    /// Adds a child, the last in the start order, and starts it as soon as it is its turn.
    ///
    /// # Errors
    /// [`ChildError::Stopped`] if the supervisor stops or is gone, [`ChildError::MaxChildren`] if it
    /// is full; `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// Dropped while it waits, the child may have been added, or may not.
    pub async fn start_child<D>(&self, cx: &Cx<D>, spec: ChildSpec<C>) -> Outcome<ChildId, ChildError> {
        self.ask(cx, |reply| Command::Start(spec, reply)).await
    }

    /// Stops a child, and forgets it: returns when its region is Closed. Nobody else is stopped or
    /// started for that.
    ///
    /// # Errors
    /// [`ChildError::NotFound`] if there is none of that number, [`ChildError::Stopped`] if the
    /// supervisor stops or is gone; `Cancelled` at Request, as for a child that removes itself.
    ///
    /// # Cancel safety
    /// Dropped while it waits, the child may have been asked to stop, or may not.
    pub async fn terminate_child<D>(&self, cx: &Cx<D>, id: ChildId) -> Outcome<(), ChildError> {
        self.ask(cx, |reply| Command::Terminate(id, reply)).await
    }

    /// The children that there are, in start order.
    ///
    /// # Errors
    /// [`ChildError::Stopped`] if the supervisor stops or is gone; `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn which_children<D>(&self, cx: &Cx<D>) -> Outcome<Vec<ChildInfo>, ChildError> {
        self.ask(cx, Command::Which).await
    }

    async fn ask<T, D>(
        &self,
        cx: &Cx<D>,
        command: impl FnOnce(Reply<T>) -> Command<C>,
    ) -> Outcome<T, ChildError> {
        let (reply, mut answer) = oneshot::channel();
        match self.commands.send(cx, command(reply)).await {
            Ok(()) => {}
            Err(SendError::Closed(_)) => return Err(Failure::Err(ChildError::Stopped)),
            Err(SendError::Cancelled(_, source)) => return Err(source.cancelled().clone().into()),
        }
        match answer.recv(cx).await {
            Ok(answer) => answer.map_err(Failure::Err),
            Err(RecvError::Closed) => Err(Failure::Err(ChildError::Stopped)),
            Err(RecvError::Cancelled(source)) => Err(source.cancelled().clone().into()),
        }
    }
}

impl<C> Clone for SupervisorHandle<C> {
    fn clone(&self) -> Self {
        SupervisorHandle { commands: self.commands.clone() }
    }
}

impl<C> fmt::Debug for SupervisorHandle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupervisorHandle").finish_non_exhaustive()
    }
}
