//! A registered source: deregistered when dropped.

use std::io;
use std::sync::Arc;

use mio::Interest;
use mio::event::Source as MioSource;

use super::readiness::Readiness;
use crate::driver::Driver;

/// A system source, its readiness, and the reactor that knows it.
pub(crate) struct Source<S: MioSource> {
    source: S,
    key: usize,
    driver: Arc<Driver>,
    pub(crate) readiness: Arc<Readiness>,
}

impl<S: MioSource> Source<S> {
    pub(crate) fn new(driver: &Arc<Driver>, mut source: S, interest: Interest) -> io::Result<Self> {
        let (key, readiness) = driver.reactor.register(&mut source, interest)?;
        Ok(Source { source, key, driver: driver.clone(), readiness })
    }

    pub(crate) fn driver(&self) -> &Arc<Driver> {
        &self.driver
    }

    pub(crate) fn get(&self) -> &S {
        &self.source
    }
}

impl<S: MioSource> Drop for Source<S> {
    fn drop(&mut self) {
        self.driver.reactor.deregister(&mut self.source, self.key);
    }
}
