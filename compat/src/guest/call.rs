//! A future that runs inside of the enclave, and the task of the host that waits for it.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use asupersync_core::caps::{Effect, HasSpawn};
use asupersync_core::{Cx, Failure, Outcome, Panic, Time};
use tokio::task::JoinHandle;

use super::ledger::Kind;
use super::shared::{Shared, closed};

/// The wait for a future or a job in the runtime. Dropped before that ended, it is aborted, and the region
/// of `cx` waits until it is gone.
pub(super) struct Call<'a, C: HasSpawn, T: Send + 'static> {
    cx: &'a Cx<C>,
    join: Option<JoinHandle<T>>,
    shared: Arc<Shared>,
    /// Its entry in the ledger.
    key: u64,
}

/// Starts `future` inside.
pub(super) fn start<'a, C, F>(
    shared: &Arc<Shared>,
    cx: &'a Cx<C>,
    site: &'static Location<'static>,
    since: Time,
    future: F,
) -> Outcome<Call<'a, C, F::Output>>
where
    C: HasSpawn,
    F: Future<Output: Send + 'static> + Send + 'static,
{
    cx.checkpoint()?;
    cx.check(Effect::Spawn)?;
    let tokio = shared.handle()?;
    let guest = shared.guest(Kind::Call, site, since);
    let key = guest.key;
    let join = tokio.spawn(async move {
        // Dropped last, after the future.
        let _guest = guest;
        future.await
    });
    Ok(Call::new(cx, shared, key, join))
}

impl<'a, C: HasSpawn, T: Send + 'static> Call<'a, C, T> {
    pub(super) fn new(cx: &'a Cx<C>, shared: &Arc<Shared>, key: u64, join: JoinHandle<T>) -> Self {
        Call { cx, join: Some(join), shared: shared.clone(), key }
    }

    /// Asks it to stop; it is dropped where it waits.
    pub(super) fn abort(&self) {
        self.join.iter().for_each(JoinHandle::abort);
    }
}

impl<C: HasSpawn, T: Send + 'static> Future for Call<'_, C, T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Outcome<T>> {
        let Some(join) = &mut self.join else { return Poll::Pending };
        let joined = ready!(Pin::new(join).poll(task));
        self.join = None;
        Poll::Ready(match joined {
            Ok(value) => Ok(value),
            Err(error) => Err(match error.try_into_panic() {
                Ok(payload) => Failure::Panicked(Panic::new(payload)),
                // The runtime was shut down, or the future aborted.
                Err(_) => self.cx.checkpoint().err().unwrap_or_else(closed).into(),
            }),
        })
    }
}

impl<C: HasSpawn, T: Send + 'static> Drop for Call<'_, C, T> {
    fn drop(&mut self) {
        let Some(join) = self.join.take().filter(|join| !join.is_finished()) else { return };
        if self.shared.is_draining() {
            self.shared.ledger.abort(self.key);
        }
        join.abort();
        // Refused once the drain budget is spent: then it is the enclave's finalizer that waits.
        drop(self.cx.in_flight().spawn_future("enclave call", async move { drop(join.await) }));
    }
}
