//! The scheduler's queues: a stealable ring and the injector.
