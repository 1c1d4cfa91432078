//! The native host: workers with three lanes, reactor, timer wheel.

pub mod policy;
pub mod timer;
