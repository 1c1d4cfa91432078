//! Pools and clients: values that keep connections, and so belong to one runtime, wherever they are used.

use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard};

use asupersync_core::caps::{HasSpawn, HasTime};
use asupersync_core::{Cx, Outcome, TaskFn};
use tokio::runtime::Handle;

use super::enclave::Enclave;
use super::ledger::lock;
use super::shared::{Belonging, closed};

type Ending<T> = Box<dyn FnOnce(Arc<T>) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A value that belongs to an enclave; from [`Enclave::owned`].
///
/// Every call runs inside of that enclave, whichever region it is made from: the connections that it opens
/// end with their owner, and not with the region that happened to be the first to call.
///
/// When its enclave drains, once no call is in flight, the value is ended and dropped, inside of it. From then
/// on calls are refused.
///
/// ```
/// use asupersync_compat::guest::{Enclave, Owned};
/// use asupersync_core::{Cx, Outcome};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
/// use tokio::sync::Mutex;
///
/// async fn echo(cx: &Cx, tokio: &Enclave) -> Outcome<u8> {
///     let (mut near, mut far) = tokio::io::duplex(16);
///     let peer = tokio.owned(Mutex::new(far));
///     let answers = peer.call(cx, async |far: &Mutex<DuplexStream>| {
///         let mut far = far.lock().await;
///         let byte = far.read_u8().await?;
///         far.write_u8(byte).await
///     });
///     let asks = tokio.run(cx, async move {
///         near.write_u8(7).await?;
///         near.read_u8().await
///     });
///     let (answered, asked) = futures_util::future::join(answers, asks).await;
///     answered??;
///     Ok(asked??)
/// }
/// # let runtime = asupersync_scheduler::Runtime::builder().build().unwrap();
/// # let byte = runtime.block_on(async |cx: &Cx| echo(cx, &Enclave::open(cx)?).await);
/// # assert_eq!(byte.unwrap(), 7);
/// ```
pub struct Owned<T: Send + Sync + 'static> {
    enclave: Enclave,
    slot: Arc<Slot<T>>,
}

impl<T: Send + Sync + 'static> Clone for Owned<T> {
    fn clone(&self) -> Self {
        Owned { enclave: self.enclave.clone(), slot: self.slot.clone() }
    }
}

/// Where the value is until it is released.
struct Slot<T>(Mutex<Content<T>>);

struct Content<T> {
    value: Option<Arc<T>>,
    ending: Option<Ending<T>>,
}

impl<T> Slot<T> {
    fn content(&self) -> MutexGuard<'_, Content<T>> {
        lock(&self.0)
    }
}

impl<T: Send + Sync + 'static> Owned<T> {
    pub(super) fn new(enclave: &Enclave, value: T) -> Self {
        let content = Content { value: Some(Arc::new(value)), ending: None };
        let slot = Arc::new(Slot(Mutex::new(content)));
        enclave.shared().adopt(slot.clone());
        Owned { enclave: enclave.clone(), slot }
    }

    /// Has `ending` run, inside, before the value is dropped: what its library calls `close`, say. The drain
    /// waits for it.
    pub fn ending<F>(self, ending: F) -> Self
    where
        F: TaskFn<Arc<T>, (), Fut: Send> + Send + 'static,
    {
        self.slot.content().ending = Some(Box::new(|value| Box::pin(async move { ending(value).await })));
        self
    }

    /// Runs `call` on the value, inside of its enclave, and waits for it, as [`Enclave::run`].
    ///
    /// # Errors
    /// As [`Enclave::run`]; `Cancelled` once the value is released.
    ///
    /// # Cancel safety
    /// As [`Enclave::run`].
    #[track_caller]
    pub fn call<'a, C, R, F>(
        &'a self,
        cx: &'a Cx<C>,
        call: F,
    ) -> impl Future<Output = Outcome<R>> + Send + use<'a, T, C, R, F>
    where
        C: HasSpawn + HasTime,
        R: Send + 'static,
        F: for<'b> TaskFn<&'b T, R, Fut: Send> + Send + 'static,
    {
        let site = Location::caller();
        async move {
            let value = self.slot.content().value.clone().ok_or_else(closed)?;
            let call = async move { call(&value).await };
            self.enclave.run_at(cx, site, call).await
        }
    }
}

impl<T: Send + Sync + 'static> Belonging for Slot<T> {
    fn is_gone(&self) -> bool {
        self.content().value.is_none()
    }

    fn release(&self, tokio: &Handle) {
        let (value, ending) = {
            let mut content = self.content();
            (content.value.take(), content.ending.take())
        };
        let Some(value) = value else { return };
        // migrate-lint: allow(detached_spawn_finite) the enclave's drain waits for it
        tokio.spawn(async move {
            if let Some(ending) = ending {
                ending(value).await;
            }
        });
    }
}
