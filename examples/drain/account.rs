//! The accounts of one side: the child's report and the clients' log, joined by request id.
//!
//! *In flight at the signal* are the requests that end by themselves, whose clients stayed, and
//! that the service had been given and not yet answered when it noticed the signal: ids in its own
//! list. Each of them is *completed* if its client read a whole response with status 200, and
//! *lost* otherwise. A request that is not in the list, because its handler began a moment later,
//! but that began and was not answered, is added to both numbers as lost.
//!
//! A client that keeps its connection can write a request while the server closes it. If no
//! handler ever began on it, it was *turned away*, which is no loss: the connection closed before
//! any byte of a response, and a client may then send an idempotent request again (RFC 9110,
//! section 9.2.2; for a closing connection RFC 9112, section 9.3.1). Here all are GET.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::load::Log;
use crate::service::{DRAIN, FINALIZE, Route};
use crate::tally::Report;
use crate::wire::Fate;

/// How much later than its budget a process may be gone.
const GRACE: Duration = Duration::from_millis(250);

/// One column of the table, and one object of the JSON file.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Account {
    pub(crate) in_flight: usize,
    pub(crate) completed: usize,
    pub(crate) lost: usize,
    /// Answered after the signal was sent, and not in flight when it was noticed: a moment too
    /// short, or too late, to be in the list.
    pub(crate) answered_besides: usize,
    /// Never begun, so safe to send again.
    pub(crate) turned_away: usize,
    pub(crate) left_before: u64,
    pub(crate) left_after: u64,
    /// Handlers of requests that end by themselves, dropped while they worked.
    pub(crate) cut_mid_work: u64,
    pub(crate) finalizers_run: u64,
    pub(crate) finalizers_registered: u64,
    pub(crate) lifo_violations: u64,
    pub(crate) streams: usize,
    pub(crate) streams_ended: usize,
    /// The handler that never ends was dropped, and what it held given back.
    pub(crate) never_cut: bool,
    pub(crate) never_cleaned_up: bool,
    pub(crate) alive_tasks: u64,
    pub(crate) exit_ms: u128,
    pub(crate) budget_ms: u128,
}

impl Account {
    /// Joins what the child and the clients tell.
    pub(crate) fn new(report: &Report, log: &Log, exit: Duration) -> Self {
        let left: BTreeSet<u64> = log.left.iter().copied().collect();
        let fates: BTreeMap<u64, Fate> = log.seen.iter().map(|seen| (seen.id, seen.fate)).collect();
        let ends = |route: Route| matches!(route, Route::Short | Route::Work);
        let in_flight: BTreeSet<u64> = report
            .at_signal
            .iter()
            .filter(|(id, route)| ends(*route) && !left.contains(id))
            .map(|(id, _)| *id)
            .collect();
        let completed = in_flight.iter().filter(|id| fates.get(*id) == Some(&Fate::Complete)).count();

        let mut answered_besides = 0;
        let mut turned_away = 0;
        let mut lost_later = 0;
        let others = log.seen.iter().filter(|seen| ends(seen.route));
        for seen in others.filter(|seen| !in_flight.contains(&seen.id)) {
            match seen.fate {
                Fate::Complete => answered_besides += 1,
                Fate::CutBefore if !report.unfinished.contains(&seen.id) => turned_away += 1,
                _ => lost_later += 1,
            }
        }

        let streams = log.seen.iter().filter(|seen| seen.route == Route::Events);
        let all = report.sum(|_| true);
        let never = report.sum(|route| route == Route::Never);
        Self {
            in_flight: in_flight.len() + lost_later,
            completed,
            lost: in_flight.len() - completed + lost_later,
            answered_besides,
            turned_away,
            left_before: left.len() as u64 - log.left_after,
            left_after: log.left_after,
            cut_mid_work: report.sum(Route::ends).cut,
            finalizers_run: all.cleanups_run,
            finalizers_registered: all.cleanups_registered,
            lifo_violations: report.lifo_violations,
            streams: streams.clone().count(),
            streams_ended: streams.filter(|seen| seen.fate == Fate::Complete).count(),
            never_cut: never.cut > 0,
            never_cleaned_up: never.cleanups_run == never.cleanups_registered,
            alive_tasks: report.alive_tasks,
            exit_ms: exit.as_millis(),
            budget_ms: (DRAIN + FINALIZE).as_millis(),
        }
    }

    /// The promises that this side did not hold, in words; none is what a side should have.
    pub(crate) fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut check = |holds: bool, otherwise: String| {
            if !holds {
                broken.push(otherwise);
            }
        };
        // Else the rest would hold for nothing.
        check(self.in_flight > 0 && self.finalizers_registered > 0, "nothing was in flight".to_owned());
        check(self.lost == 0, format!("{} requests in flight were lost", self.lost));
        check(self.alive_tasks == 0, format!("{} tasks were still alive", self.alive_tasks));
        let (run, registered) = (self.finalizers_run, self.finalizers_registered);
        check(run == registered, format!("{run} of {registered} cleanups ran"));
        let violations = self.lifo_violations;
        check(violations == 0, format!("{violations} cleanups ran out of order"));
        let limit = self.budget_ms + GRACE.as_millis();
        check(self.exit_ms <= limit, format!("exit took {} of {limit} ms", self.exit_ms));
        broken
    }
}
