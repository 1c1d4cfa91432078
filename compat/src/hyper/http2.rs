//! Options of HTTP/2, and hyper's builder made of them.

use std::time::Duration;

use asupersync_core::caps::HasTime;
use hyper::server::conn::http2::Builder;

use crate::rt::{Executor, Timer};

/// What a server says of HTTP/2.
#[derive(Clone)]
pub(super) struct Http2 {
    pub(super) max_concurrent_streams: u32,
    /// A PING goes out so long after the last frame, and must be answered within the second.
    pub(super) keep_alive: Option<(Duration, Duration)>,
}

impl Default for Http2 {
    fn default() -> Self {
        let keep_alive = Some((Duration::from_secs(30), Duration::from_secs(20)));
        Http2 { max_concurrent_streams: 200, keep_alive }
    }
}

impl Http2 {
    pub(super) fn builder<C: HasTime>(&self, executor: Executor<C>, timer: Timer<C>) -> Builder<Executor<C>> {
        let mut builder = Builder::new(executor);
        builder.timer(timer).max_concurrent_streams(self.max_concurrent_streams);
        if let Some((interval, timeout)) = self.keep_alive {
            builder.keep_alive_interval(interval).keep_alive_timeout(timeout);
        }
        builder
    }
}
