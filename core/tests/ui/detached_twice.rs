//! A detached permit is sent twice.
use asupersync::channel::mpsc;
use asupersync::obligation::Detached;

fn twice(permit: Detached<mpsc::Room<u8>>) {
    let _first = permit.send(1);
    let _second = permit.send(2);
}

fn main() {
    let _ = twice;
}
