//! A stand-in for the runtime's entry module, just enough to run what the macros expand to.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

/// The context of a body; tells it what the expansion asked for.
#[derive(Debug)]
pub struct Cx {
    pub workers: Option<usize>,
}

pub mod __rt {
    use super::Cx;
    use std::{
        pin::pin,
        process::Termination,
        task::{Context, Poll, Waker},
    };

    #[derive(Debug)]
    pub struct Config {
        workers: Option<usize>,
    }

    impl Config {
        pub fn workers(self, workers: usize) -> Self {
            Self { workers: Some(workers) }
        }
    }

    pub fn config() -> Config {
        Config { workers: None }
    }

    pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("the mock polls once"),
        }
    }

    pub fn main<T: Termination>(config: Config, body: impl AsyncFnOnce(&Cx) -> T) -> T {
        let cx = Cx { workers: config.workers };
        run(body(&cx))
    }

    pub fn main0<T: Termination>(_: Config, body: impl AsyncFnOnce() -> T) -> T {
        run(body())
    }

    pub fn test<T: Termination>(config: Config, body: impl AsyncFnOnce(&Cx) -> T) {
        main(config, body);
    }

    pub fn test0<T: Termination>(_: Config, body: impl AsyncFnOnce() -> T) {
        run(body());
    }
}

pub mod lab {
    /// How a lab test is explored, in the words of the expansion.
    #[derive(Debug, PartialEq)]
    pub enum Explore {
        Optimal { runs: Option<u64> },
        Sample { sampling: explore::Sampling, seed: u64, runs: u64 },
    }

    impl Explore {
        pub fn optimal() -> Self {
            Explore::Optimal { runs: None }
        }

        pub fn runs(self, most: u64) -> Self {
            assert_eq!(self, Explore::optimal());
            Explore::Optimal { runs: Some(most) }
        }

        pub fn sample(sampling: explore::Sampling, seed: u64, runs: u64) -> Self {
            Explore::Sample { sampling, seed, runs }
        }
    }

    pub mod explore {
        #[derive(Debug, PartialEq)]
        pub enum Sampling {
            Walk,
            PartialOrder,
            Priorities { depth: usize },
        }
    }

    pub mod entry {
        use super::Explore;

        /// Gives the body what it would be explored by.
        pub fn test(explore: Explore, body: impl AsyncFnOnce(&Explore)) {
            super::super::__rt::run(body(&explore));
        }

        pub fn test0(_: Explore, body: impl AsyncFnOnce()) {
            super::super::__rt::run(body());
        }
    }
}
