//! Rounds one after the other, for as long as wanted: none may hang or fail, and memory stays flat.
//!
//! | variable | what |
//! |---|---|
//! | `STRESS_SECONDS` | for how long; default 2 |
//! | `STRESS_SEED` | the seed of the first round, to have one again; default: from the clock |

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use asupersync_core::host::kept_bytes;
use asupersync_core::region::Totals;

use super::{hush, round};
use crate::runner::Runner;

/// No round takes that long; one that does hangs.
const HANGS: Duration = Duration::from_secs(60);
/// Rounds before memory is looked at: hooks, thread-locals and allocators have their own by then.
const WARM: u64 = 30;
/// How many more bytes may be alive after any number of rounds.
const SLACK: usize = 64 << 10;

/// Runs rounds, each on the host for its seed. `alive` tells how many bytes the process has allocated
/// and not given back.
///
/// # Panics
/// If a round fails or hangs, which it names by its seed, or leaves memory behind; if one in virtual
/// time is not the same again.
pub fn soak<R: Runner + Send + 'static>(host: impl Fn(u64) -> R, alive: impl Fn() -> usize) {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64 >> 10);
    let first = number("STRESS_SEED").unwrap_or(clock);
    // What tasks that are gone leave to those to come is no leak, and has bounds of its own.
    let alive = || alive().saturating_sub(kept_bytes());
    let (begin, time) = (Instant::now(), Duration::from_secs(number("STRESS_SECONDS").unwrap_or(2)));
    println!("STRESS_SEED={first}");
    hush();
    let (mut seed, mut sum, mut warm) = (first, Totals::default(), 0);
    let mut next_line = begin + Duration::from_secs(10);
    while seed < first + WARM || begin.elapsed() < time {
        let totals = timed(host(seed), seed);
        let again = host(seed);
        if again.is_virtual() && seed.is_multiple_of(8) {
            assert_eq!(totals, timed(again, seed), "STRESS_SEED={seed} gives two different rounds");
        }
        sum += &totals;
        seed += 1;
        let rounds = seed - first;
        if rounds <= WARM {
            warm = settled(&alive, 0);
            continue;
        }
        let now = settled(&alive, warm + SLACK);
        assert!(now <= warm + SLACK, "{} bytes more alive after STRESS_SEED={}", now - warm, seed - 1);
        if Instant::now() >= next_line {
            next_line += Duration::from_secs(10);
            tell(rounds, &sum, now, warm);
        }
    }
    tell(seed - first, &sum, settled(&alive, warm + SLACK), warm);
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// A round on a thread of its own, so that one that hangs is named.
fn timed(host: impl Runner + Send + 'static, seed: u64) -> Totals {
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| round(&host, seed)));
        tell.send(ended.is_ok()).ok();
        ended.ok()
    });
    match told.recv_timeout(HANGS) {
        Ok(true) => thread.join().ok().flatten().expect("it has ended well"),
        Ok(false) => panic!("failed with STRESS_SEED={seed}"),
        Err(_) => panic!("hangs with STRESS_SEED={seed}"),
    }
}

/// Bytes alive, once the threads of the last round have given back theirs, or after some seconds.
fn settled(alive: &impl Fn() -> usize, expected: usize) -> usize {
    let patience = Duration::from_millis(if expected == 0 { 20 } else { 5000 });
    let begin = Instant::now();
    while alive() > expected && begin.elapsed() < patience {
        // a wait, not a synchronisation: a thread gives back its own when it has ended
        thread::sleep(Duration::from_millis(1));
    }
    alive()
}

fn tell(rounds: u64, sum: &Totals, alive: usize, warm: usize) {
    println!(
        "{rounds} rounds: {} tasks ({} panicked, {} dropped) in {} regions, {} finalizers, {} obligations; \
         {alive} bytes alive, {warm} after {WARM} rounds",
        sum.tasks, sum.panicked, sum.dropped, sum.regions, sum.finalizers_registered, sum.obligations,
    );
}
