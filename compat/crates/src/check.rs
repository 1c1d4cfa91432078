//! One row: its three regions, and what is left after each.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use asupersync_compat::guest::{Builder, End};
use asupersync_core::{Budget, Cx, Outcome, Region};
use tokio::sync::{Notify, oneshot};

use crate::pace::{Pace, Place, When, plain};
use crate::{BoxError, Has};

/// No operation takes that long; one that does hangs.
const HANGS: Duration = Duration::from_secs(30);
/// What is in flight may take that long.
const DRAIN: Duration = Duration::from_secs(10);
/// What is stuck is given that long.
const STUCK: Duration = Duration::from_millis(50);
/// What does not return is given that long.
const FINALIZE: Duration = Duration::from_millis(300);

/// How long the system may take to see a thread off.
const GONE: Duration = Duration::from_secs(2);
/// How long a thread that is quarantined may go on, in the rows that have one.
const QUARANTINE: Duration = Duration::from_secs(10);

type Operation = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// A crate, and an operation of it.
pub struct Row {
    /// The crate's name, and what of it.
    pub name: &'static str,
    /// What is done with it, and how it is brought in.
    pub how: &'static str,
    /// What is known to happen.
    pub expected: Expected,
    /// It runs without the enclave.
    pub native: bool,
    /// The operation.
    pub run: Box<dyn Fn(Place) -> Operation + Send + Sync>,
}

/// What is known of a crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Everything is as it should be.
    Whole,
    /// What never ends cannot be stopped; it is told of as quarantined.
    Quarantined,
}

impl Row {
    /// A row of which everything is expected.
    pub fn new<F>(
        name: &'static str,
        how: &'static str,
        run: impl Fn(Place) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Row {
            name,
            how,
            expected: Expected::Whole,
            native: false,
            run: Box::new(move |place| Box::pin(run(place))),
        }
    }

    /// A row whose operation is a task of the region itself, and ends as one.
    #[must_use]
    pub fn native(mut self) -> Self {
        self.native = true;
        self
    }

    /// A row of which that is expected.
    #[must_use]
    pub fn expect(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }
}

/// What became of a row with one flavour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Yes, or why not; in the order of the table's columns.
    pub columns: [Result<(), String>; 4],
}

impl Checked {
    /// It is as expected.
    pub fn is(&self, expected: Expected) -> bool {
        let [works, drained, cancelled, contained] = self.columns.each_ref().map(|column| column.is_ok());
        works
            && drained
            && match expected {
                Expected::Whole => cancelled && contained,
                Expected::Quarantined => !cancelled && !contained,
            }
    }
}

/// Runs the three regions of a row.
///
/// # Cancel safety
/// Its regions are closed.
pub async fn check(cx: &Cx, row: &Arc<Row>, enclaves: &Builder) -> Checked {
    let (mut left, mut columns, first) = (Vec::new(), Vec::new(), Has::now());
    for when in [When::Now, When::AfterRequest, When::Never] {
        let before = Has::now();
        let verdict = region(cx, row, enclaves, when).await;
        let more = cx.run_blocking("count", move || Ok(Has::more_than(before, GONE))).await;
        match more {
            Ok(more) if more.is_nothing() => {}
            Ok(more) => left.push(format!("{more} after {when:?}")),
            Err(failure) => left.push(failure.to_string()),
        }
        columns.push(verdict);
    }
    if !left.is_empty() {
        // Or it would be counted with the next.
        drop(cx.run_blocking("settle", move || Ok(Has::more_than(first, QUARANTINE))).await);
    }
    columns.push(if left.is_empty() { Ok(()) } else { Err(left.join("; ")) });
    let columns = columns.try_into().unwrap_or_else(|_| unreachable!("four were pushed"));
    Checked { columns }
}

async fn region(cx: &Cx, row: &Arc<Row>, enclaves: &Builder, when: When) -> Result<(), String> {
    let drain = if when == When::Never { STUCK } else { DRAIN };
    let native = row.native;
    let region = Region::builder(row.name)
        .budget(Budget::timeout(HANGS))
        .drain(Budget::timeout(drain))
        .finalize(Budget::timeout(FINALIZE));
    let (begun, (tell, mut told)) = (Arc::new(Notify::new()), oneshot::channel());
    let (row, enclaves, begins) = (row.clone(), enclaves.clone(), begun.clone());
    let body = async move |cx: &Cx| {
        let tokio = enclaves.open(cx)?;
        let pace = Pace { when, request: tokio.token(), begun: begins };
        let inside = tokio.clone();
        let operation = cx.spawn("operation", async move |cx: &Cx| {
            let place = Place { cx: cx.clone(), tokio: inside, pace };
            let _ = tell.send((row.run)(place).await);
        });
        if when == When::Now {
            operation.join().await?;
        } else {
            let begins = Box::pin(cx.or_cancel(begun.notified()));
            // One that fails before its middle ends as well.
            futures::future::select(begins, Box::pin(operation.join())).await;
        }
        Outcome::Ok(tokio)
    };
    let (tokio, report) = region.open_with_report(cx, body).await;
    let end = plain(tokio).map_err(|error| error.to_string())?.report().map(|report| report.end);
    let said = told.try_recv();
    let ended_by_force = match native {
        true => end == Some(End::Drained),
        false => matches!(end, Some(End::Aborted(1..))),
    };
    let fine = match when {
        When::Now | When::AfterRequest => matches!(said, Ok(Ok(()))) && end == Some(End::Drained),
        // Whoever waited for it was told, or dropped as well.
        When::Never => !matches!(said, Ok(Ok(()))) && ended_by_force,
    };
    if fine {
        return Ok(());
    }
    Err(match (said, end) {
        (_, Some(End::Quarantined(threads))) => format!("{threads} threads quarantined"),
        (Ok(Err(error)), _) => format!("failed: {error}"),
        (said, end) => format!("{said:?}, {end:?}; {report}"),
    })
}
