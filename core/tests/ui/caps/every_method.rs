//! Each method with an effect asks for its capability.
use asupersync::{Cx, NoCaps, Time};
use std::time::Duration;

fn program(cx: &Cx<NoCaps>) {
    cx.spawn("task", async |_| {});
    cx.spawn_future("future", async {});
    cx.spork("region", async |_| {});
    cx.spawn_blocking("job", || {});
    cx.now();
    cx.sleep(Duration::ZERO);
    cx.sleep_until(Time::ZERO);
    cx.alarm(Time::ZERO);
    cx.timeout(Duration::ZERO, async |_| {});
    cx.deadline(Time::ZERO, async |_| {});
    cx.clock();
    cx.interval(Duration::ZERO);
    cx.random();
    cx.fs();
    cx.net();
    cx.tcp_bind("127.0.0.1:0");
    cx.tcp_connect("127.0.0.1:1");
}

fn main() {
    let _ = program;
}
