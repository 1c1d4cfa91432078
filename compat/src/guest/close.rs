//! The end of an enclave: Request, Drain, Finalize, as its region goes through them.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use asupersync_core::caps::{HasBlocking, HasTime};
use asupersync_core::region::LeftoverKind;
use asupersync_core::{Cx, Time};
use tokio_util::sync::CancellationToken;

use super::engine::Threads;
use super::ledger::{Entry, Kind};
use super::shared::Shared;

/// What is left of the finalizer's budget for telling how it went: at most this, and a tenth of it.
const TELLING: Duration = Duration::from_millis(20);
/// How long what was aborted may take to be dropped before it is counted as being there: at most this, and a
/// tenth of what is left of the finalizer's budget. Only a thread that is busy takes it, and that takes the
/// whole budget.
const PARKING: Duration = Duration::from_secs(1);
/// No limit, as far as a runtime's shutdown knows one.
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How an enclave ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything inside had ended when it was shut down.
    Drained,
    /// So many tasks, or holders of tickets, had not ended when the drain budget was spent; the tasks were
    /// dropped, and are gone.
    Aborted(usize),
    /// So many threads did not return within the finalizers' budget, and go on: a poll or a job that
    /// never ends.
    Quarantined(usize),
}

/// The account of an enclave that ended.
#[derive(Clone, Debug)]
pub struct EnclaveReport {
    /// The line that opened it.
    pub site: &'static Location<'static>,
    /// How it ended.
    pub end: End,
    /// Calls, jobs and tickets that had not ended when the drain was over.
    pub left: Vec<Left>,
    /// How many other tasks there were then, which guests had spawned.
    pub unnamed: usize,
    /// What the shutdown took.
    pub shutdown: Duration,
}

/// A guest that did not end by itself.
#[derive(Clone, Debug)]
pub struct Left {
    /// `call`, `job`, or the name of the ticket.
    pub what: Arc<str>,
    /// The line that started it.
    pub site: &'static Location<'static>,
    /// When that was.
    pub since: Time,
    /// It still runs, on a thread that does not return.
    pub quarantined: bool,
}

impl fmt::Display for EnclaveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enclave opened at {}: ", self.site)?;
        match self.end {
            End::Drained => write!(f, "drained")?,
            End::Aborted(tasks) => write!(f, "{tasks} aborted")?,
            End::Quarantined(threads) => write!(f, "{threads} of its threads quarantined")?,
        }
        write!(f, "; shut down in {:.1?}", self.shutdown)?;
        for Left { what, site, quarantined, .. } in &self.left {
            let end = if *quarantined { "goes on" } else { "was dropped" };
            write!(f, "\n  ! `{what}` of {site} {end}")?;
        }
        Ok(())
    }
}

/// Waits for the region's Request, or until no handle is left, then tells guests and drains.
pub(super) async fn keep<C>(cx: &Cx<C>, enclave: &Shared, released: &CancellationToken) {
    // Either way it ends now.
    drop(cx.or_cancel(released.cancelled()).await);
    enclave.token.cancel();
    let until = cx.budget().until().unwrap_or(Time::MAX);
    // Spent is not this task's failure: the finalizer counts what is left.
    if cx.or_spent(enclave.drained()).await.is_ok() {
        enclave.may_drain_until(until);
    }
}

/// Shuts the enclave down, and tells how it ended. All tasks of the region are gone.
pub(super) async fn finalize<C: HasBlocking + HasTime>(cx: &Cx<C>, enclave: &Shared, opened_at: Time) {
    enclave.token.cancel();
    // Since the drain was over, tasks of the region have finished, and finalizers run: they may have called.
    before(cx, enclave.drain_until(), enclave.drained()).await;
    enclave.release();
    // What was aborted just now is not to be counted, but for the name; a busy thread is not waited for.
    if !enclave.ledger.is_empty() || enclave.tasks() > 0 {
        before(cx, cx.now() + PARKING.min(limit(cx) / 10), enclave.parked()).await;
    }
    let aborted = enclave.ledger.close();
    let unnamed =
        if enclave.awaits_tasks { enclave.tasks().saturating_sub(enclave.ledger.calls()) } else { 0 };
    let Some(engine) = enclave.take_engine() else { return };
    let (begun, until, threads) = (cx.now(), Instant::now() + limit(cx), engine.threads());
    let ending = Ending { cx, enclave, opened_at, aborted, unnamed, threads, begun };
    // If its budget is spent, or the host shuts down, the runtime is being shut down all the same.
    drop(cx.run_blocking("enclave shutdown", move || engine.shut_down(until)).await);
    drop(ending);
}

/// The shutdown of an enclave. Dropped, it tells how that went: so it does where the finalizer is dropped, too,
/// since its budget was spent.
struct Ending<'a, C: HasTime> {
    cx: &'a Cx<C>,
    enclave: &'a Shared,
    opened_at: Time,
    /// Guests that were there when the drain was over.
    aborted: BTreeMap<u64, Entry>,
    unnamed: usize,
    threads: Threads,
    begun: Time,
}

impl<C: HasTime> Drop for Ending<'_, C> {
    fn drop(&mut self) {
        let Ending { cx, enclave, unnamed, .. } = *self;
        let threads = self.threads.count();
        let left = std::mem::take(&mut self.aborted).into_iter();
        let left = left.filter_map(|(key, Entry { kind, site, since })| {
            let remains = enclave.ledger.has(key);
            // A job that is gone has ended by itself.
            let ended = matches!(kind, Kind::Job(_)) && !remains;
            let quarantined = remains && !matches!(kind, Kind::Ticket(_));
            (!ended).then(|| Left { what: kind.name(), site, since, quarantined })
        });
        let left: Vec<Left> = left.collect();
        let end = match (threads, left.len() + unnamed) {
            (0, 0) => End::Drained,
            (0, dropped) => End::Aborted(dropped),
            (threads, _) => End::Quarantined(threads),
        };
        let shutdown = cx.now() - self.begun;
        let report = EnclaveReport { site: enclave.site, end, left, unnamed, shutdown };
        tell(cx, &report, threads, self.opened_at);
        enclave.set_report(report);
    }
}

/// Awaits `future` until the given time; not at all if that is past.
async fn before<C: HasTime>(cx: &Cx<C>, until: Time, future: impl Future<Output = ()>) {
    if until <= cx.now() {
        return;
    }
    let (mut future, mut alarm) = (pin!(future), cx.alarm(until));
    poll_fn(|task| match future.as_mut().poll(task) {
        Poll::Pending => Pin::new(&mut alarm).poll(task),
        ready => ready,
    })
    .await;
}

/// How long the shutdown may take.
fn limit<C: HasTime>(cx: &Cx<C>) -> Duration {
    match cx.budget().until() {
        Some(until) => {
            let left = until - cx.now();
            left - TELLING.min(left / 10)
        }
        None => NO_LIMIT,
    }
}

/// Enters into the region's report what did not end by itself.
fn tell<C>(cx: &Cx<C>, report: &EnclaveReport, threads: usize, opened_at: Time) {
    let kind = |quarantined| match quarantined {
        true => LeftoverKind::ForeignQuarantined,
        false => LeftoverKind::ForeignAborted,
    };
    for left in &report.left {
        cx.report_leftover(kind(left.quarantined), &left.what, left.site, left.since);
    }
    let quarantined = report.left.iter().filter(|left| left.quarantined).count();
    let unnamed = [
        (report.unnamed, "tasks that guests spawned", threads > 0),
        (threads.saturating_sub(quarantined), "threads of an enclave", true),
    ];
    for (count, what, quarantined) in unnamed.into_iter().filter(|(count, ..)| *count > 0) {
        cx.report_leftover(kind(quarantined), &format!("{count} {what}"), report.site, opened_at);
    }
}
