//! Libraries with runtime traits of their own, on our sockets and clocks: no Tokio runtime is there.

mod dns;
mod quic;
mod tls;

use asupersync_core::{Cx, Outcome, TaskFn};
use asupersync_scheduler::Runtime;

fn on_native<F>(main: F)
where
    F: for<'a> TaskFn<&'a Cx, Outcome, Fut: Send> + Send + 'static,
{
    let runtime = Runtime::builder().workers(2).build().expect("a runtime");
    runtime.block_on(main).expect("it ends well");
}
