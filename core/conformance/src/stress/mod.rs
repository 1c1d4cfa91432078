//! Random region trees, by a seed: a round of bounded size, and what must hold when it is over.
//!
//! Actors spawn, open regions, beside them or within, leave them open, race, wait, lock, send, lend, defer, cancel each
//! other, and fail, panic, or panic when they are dropped; where the host allows, threads outside
//! request, spawn and drop too. All end when the body of main does, at the latest.
//!
//! After a round: no actor is alive, each finalizer has begun once, each lease has ended once, locks
//! are free and permits are back, and the report's account adds up. A round that loses a wake-up
//! hangs, so [`soak`] gives each a limit, and names the seed of one that fails.

mod actor;
mod meddler;
mod random;
mod soak;
mod world;

use std::panic;
use std::time::Duration;

use asupersync_core::region::Totals;
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Region};

use crate::probe::MS;
use crate::runner::{Capability, Runner, Settings};
use actor::act;
use meddler::Meddlers;
use random::Random;
use world::World;

pub use soak::soak;

/// What every panic here that is meant says.
const PURPOSE: &str = "on purpose";

/// Panics when it is dropped, unless somebody does already.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "{PURPOSE}");
    }
}

/// Has panics that are meant say nothing on stderr, for the whole process.
pub fn hush() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some(PURPOSE) {
            before(info);
        }
    }));
}

/// Runs the round of this seed; tells what was in it.
///
/// # Panics
/// If anything does not hold that must.
pub fn round(host: &dyn Runner, seed: u64) -> Totals {
    let mut random = Random::new(seed);
    let world = World::new();
    let threads = if host.has(Capability::ForeignThreads) { random.below(3) as usize } else { 0 };
    let meddlers = Meddlers::start(&world, threads);
    // Far above what a round needs: whoever has to be given up is stuck.
    let budget = Budget::timeout(Duration::from_secs(20));
    let inner = world.clone();
    // Short, for those who never end by themselves.
    let region =
        Region::builder("round").drain(Budget::timeout(MS(random.below(8)))).finalize(Budget::timeout(MS(4)));
    let body = async move |cx: &Cx| -> Outcome {
        for _ in 0..4 {
            let (actors, stream) = (inner.clone(), random.split());
            let actor = cx.spawn("actor", async move |cx: &Cx| act(cx, actors, stream, 4).await);
            inner.keep(&mut random, actor);
        }
        cx.sleep(MS(1 + random.below(4))).await?;
        match random.below(8) {
            0 => panic!("{PURPOSE}"),
            1 => Err(Failure::Err(Error::msg(PURPOSE))),
            _ => Ok(()),
        }
    };
    let main = async move |cx: &Cx| -> Outcome { region.open(cx, body).await };
    let ran = host.run(Settings { drain: budget, finalize: budget }, main);
    meddlers.stop(&world);
    world.check(&ran)
}
