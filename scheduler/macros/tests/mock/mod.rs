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

    fn run<T>(future: impl Future<Output = T>) -> T {
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
