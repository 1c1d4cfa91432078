//! Nothing leads from a smaller set to a greater one.
use asupersync::caps::{Fs, Net, Time};
use asupersync::{All, Cx, NoCaps};

fn takes_all(_: &Cx) {}

fn program(net: &Cx<(Time, Net)>, none: &Cx<NoCaps>) {
    net.restrict::<(Time, Fs)>();
    net.restrict::<All>();
    none.restrict::<Time>();
    takes_all(net.restrict());
    takes_all(net);
}

fn main() {
    let _ = program;
}
