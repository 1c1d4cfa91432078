//! Whether a server wants new work, for probes and load balancers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a server takes new work: not before it serves, and no more once its shutdown began. Clones
/// tell the same.
///
/// It is what a readiness probe asks, and it fails first: a [`Server`](crate::hyper::Server) goes on
/// accepting for its [`min_drain`](crate::hyper::Server::min_drain) after this has turned, until those
/// who send work have noticed.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Not ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// New work is welcome.
    pub fn is_ready(&self) -> bool {
        // Tells a fact and guards nothing.
        self.0.load(Ordering::Relaxed)
    }

    /// For whoever serves by other means: says whether new work is welcome.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }
}
