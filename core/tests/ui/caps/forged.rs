//! A set of one's own, and the cast behind `restrict`.
use asupersync::caps::{CapSet, HasTime, Time};
use asupersync::{All, Cx};

struct Mine;
impl CapSet for Mine {
    type Spawn = <All as CapSet>::Spawn;
    type Blocking = <All as CapSet>::Blocking;
    type Time = <All as CapSet>::Time;
    type Random = <All as CapSet>::Random;
    type Net = <All as CapSet>::Net;
    type Fs = <All as CapSet>::Fs;
}
impl HasTime for Mine {}

fn program(cx: &Cx<Time>) {
    let _: &Cx = cx.retag();
    let _: &Cx<(Mine, Time)> = cx.restrict();
}

fn main() {
    let _ = program;
}
