//! What a side did, counted where it happens: the child's half of the accounts.
//!
//! Both sides count with the same guards, so that a number means the same in both columns:
//!
//! - a [`Ticket`] lives from the moment the handler is given a request until its response has been
//!   taken whole by hyper. The tickets that live when the signal is noticed are the requests
//!   *in flight at the signal*; a ticket dropped before its response was taken is *unfinished*.
//! - [`Tally::watch`] sees whether a handler's future returned, or was dropped while it waited:
//!   *cut mid-work*. A handler that was told to stop and returned was not cut.
//! - a [`Held`] is something a handler took and must give back (a reservation, a lock): its
//!   cleanup is *registered* when taken, *run* when given back, and must go in LIFO order.
//!
//! One mutex guards all of it and is held for a few field updates, never across an await.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::service::Route;

/// What became of the handlers of one route.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) started: u64,
    /// The handler's future returned.
    pub(crate) finished: u64,
    /// The handler's future was dropped while it waited.
    pub(crate) cut: u64,
    pub(crate) cleanups_registered: u64,
    pub(crate) cleanups_run: u64,
}

/// The line a child prints just before it exits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) routes: BTreeMap<Route, Counts>,
    /// Cleanups that ran while a later one of the same request had not.
    pub(crate) lifo_violations: u64,
    /// Ids and routes of the requests in flight when the signal was noticed.
    pub(crate) at_signal: Vec<(u64, Route)>,
    /// Ids of requests whose handler began and whose response was never taken whole.
    pub(crate) unfinished: BTreeSet<u64>,
    /// Tasks alive after serving ended, before the runtime was dropped.
    pub(crate) alive_tasks: u64,
    /// How the region tree closed; regions only.
    pub(crate) close_report: Option<String>,
}

impl Report {
    /// The counts of the routes that `keep` selects, added up.
    pub(crate) fn sum(&self, keep: impl Fn(Route) -> bool) -> Counts {
        let mut sum = Counts::default();
        for (_, counts) in self.routes.iter().filter(|(route, _)| keep(**route)) {
            sum.started += counts.started;
            sum.finished += counts.finished;
            sum.cut += counts.cut;
            sum.cleanups_registered += counts.cleanups_registered;
            sum.cleanups_run += counts.cleanups_run;
        }
        sum
    }
}

#[derive(Debug, Default)]
struct State {
    live: BTreeMap<u64, Route>,
    signalled: bool,
    report: Report,
}

impl State {
    fn of(&mut self, route: Route) -> &mut Counts {
        self.report.routes.entry(route).or_default()
    }
}

/// The counters of one side, shared by its handlers.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    state: Mutex<State>,
}

impl Tally {
    /// A panic elsewhere does not make the numbers wrong, so poison is ignored.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A handler is given request `id`.
    pub(crate) fn begin(self: &Arc<Self>, id: u64, route: Route) -> Ticket {
        self.lock().live.insert(id, route);
        Ticket { tally: Arc::clone(self), id, route, answered: false }
    }

    /// Notes the requests in flight. A side calls it first thing when it learns of the signal;
    /// only the first call counts.
    pub(crate) fn note_signal(&self) {
        let mut state = self.lock();
        if !state.signalled {
            state.signalled = true;
            state.report.at_signal = state.live.iter().map(|(id, route)| (*id, *route)).collect();
        }
    }

    /// Runs a handler's future and sees whether it returned.
    pub(crate) async fn watch<F: Future>(&self, route: Route, handler: F) -> F::Output {
        struct Guard<'a>(&'a Tally, Route, bool);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                let mut state = self.0.lock();
                let counts = state.of(self.1);
                if self.2 {
                    counts.finished += 1;
                } else {
                    counts.cut += 1;
                }
            }
        }
        self.lock().of(route).started += 1;
        let mut guard = Guard(self, route, false);
        let output = handler.await;
        guard.2 = true;
        output
    }

    /// The cleanups of one request.
    pub(crate) fn cleanups(self: &Arc<Self>, route: Route) -> Cleanups {
        Cleanups { tally: Arc::clone(self), route, taken: Arc::default() }
    }

    /// How many requests of each route are in flight now.
    pub(crate) fn in_flight(&self) -> BTreeMap<Route, usize> {
        let mut counts = BTreeMap::new();
        for route in self.lock().live.values() {
            *counts.entry(*route).or_default() += 1;
        }
        counts
    }

    /// The final numbers, once the side's runtime has ended: what still lives then is unfinished.
    pub(crate) fn report(&self, alive_tasks: u64, close_report: Option<String>) -> Report {
        let state = self.lock();
        let mut report = state.report.clone();
        report.unfinished.extend(state.live.keys());
        report.alive_tasks = alive_tasks;
        report.close_report = close_report;
        report
    }
}

/// One request in flight; it moves from the handler into the response's body.
#[derive(Debug)]
pub(crate) struct Ticket {
    tally: Arc<Tally>,
    id: u64,
    pub(crate) route: Route,
    answered: bool,
}

impl Ticket {
    /// The whole response has been taken by hyper.
    pub(crate) fn answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.tally.lock();
        state.live.remove(&self.id);
        if !self.answered {
            state.report.unfinished.insert(self.id);
        }
    }
}

/// What one request has taken and not yet given back, newest last.
#[derive(Debug)]
pub(crate) struct Cleanups {
    tally: Arc<Tally>,
    route: Route,
    taken: Arc<Mutex<Vec<usize>>>,
}

impl Cleanups {
    /// Takes something that must be given back: registers its cleanup.
    pub(crate) fn take(&self) -> Held {
        self.tally.lock().of(self.route).cleanups_registered += 1;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let place = taken.len();
        taken.push(place);
        let taken = Arc::clone(&self.taken);
        Held { tally: Arc::clone(&self.tally), route: self.route, place, taken }
    }
}

/// Something taken. Dropping it gives nothing back: that is what an interrupted cleanup looks like.
#[derive(Debug)]
pub(crate) struct Held {
    tally: Arc<Tally>,
    route: Route,
    place: usize,
    taken: Arc<Mutex<Vec<usize>>>,
}

impl Held {
    /// Gives it back: its cleanup has run, after its async part.
    pub(crate) fn give_back(self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = taken.last() == Some(&self.place);
        taken.retain(|place| *place != self.place);
        drop(taken);
        let mut state = self.tally.lock();
        state.of(self.route).cleanups_run += 1;
        if !newest {
            state.report.lifo_violations += 1;
        }
    }
}
