//! One process of the service: `replica plain|hosted|native ADDR [min_drain in ms]`. Listens, prints its
//! address, and serves until SIGTERM.

use std::time::Duration;
use std::{env, io};

use asupersync_service::Side;

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let side = Side::named(&args.next().expect("which side"));
    let addr = args.next().expect("an address");
    let min_drain = args.next().map_or(0, |millis| millis.parse().expect("milliseconds"));
    side.serve(&addr, 2, Duration::from_millis(min_drain))
}
