//! A closure on a thread of the enclave that may block.

use std::future::poll_fn;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use asupersync_core::NoCaps;
use asupersync_core::caps::{Effect, HasSpawn};
use asupersync_core::{Cx, Outcome, Time};

use super::call::Call;
use super::ledger::{Kind, Withdraw, lock};
use super::shared::{Guest, Shared, closed};

/// A job until it begins, with its entry in the ledger. Whoever takes it first, the thread that runs it or
/// whoever withdraws it, decides whether it runs; what it captured is gone with it either way.
struct Unbegun<F>(Mutex<Option<(F, Option<Guest>)>>);

impl<F: Send> Withdraw for Unbegun<F> {
    fn withdraw(&self) -> bool {
        let taken = lock(&self.0).take();
        taken.is_some()
    }
}

/// Withdraws the job when its waiter leaves.
struct Leaves<F: Send>(Arc<Unbegun<F>>);

impl<F: Send> Drop for Leaves<F> {
    fn drop(&mut self) {
        self.0.withdraw();
    }
}

/// Queues `job`, and waits for it: at Request it is withdrawn if it has not begun, and else it is waited for
/// until the drain budget is spent.
pub(super) async fn run<C, T>(
    shared: &Arc<Shared>,
    cx: &Cx<C>,
    site: &'static Location<'static>,
    since: Time,
    job: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T>
where
    C: HasSpawn,
    T: Send + 'static,
{
    cx.checkpoint()?;
    cx.check(Effect::Blocking)?;
    let tokio = shared.handle()?;
    let unbegun = Arc::new(Unbegun(Mutex::new(None)));
    let guest = shared.guest(Kind::Job(unbegun.clone()), site, since);
    let key = guest.key;
    *lock(&unbegun.0) = Some((job, Some(guest)));
    let (leaves, scope) = (Leaves(unbegun.clone()), cx.restrict::<NoCaps>().clone());
    let join = tokio.spawn_blocking(move || {
        // A request may have come that the waiter has not seen yet.
        let taken = if scope.is_cancelled() { None } else { lock(&unbegun.0).take() };
        taken.map(|(job, guest)| {
            let _guest = guest;
            job()
        })
    });
    let (mut call, mut request) = (Call::new(cx, shared, key, join), pin!(cx.cancelled()));
    let mut asked = false;
    let ended = cx.or_spent(poll_fn(|task| {
        if !asked && request.as_mut().poll(task).is_ready() {
            asked = true;
            if leaves.0.withdraw() {
                return Poll::Ready(Ok(None));
            }
        }
        Pin::new(&mut call).poll(task)
    }));
    match ended.await?? {
        Some(value) => Ok(value),
        None => Err(cx.checkpoint().err().unwrap_or_else(closed).into()),
    }
}
