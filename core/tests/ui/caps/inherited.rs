//! A task has the set of the `Cx` that spawned it.
use asupersync::Cx;
use asupersync::caps::{Net, Spawn};
use std::time::Duration;

fn program(cx: &Cx<(Spawn, Net)>) {
    cx.spawn("task", async |cx| {
        cx.tcp_bind("127.0.0.1:0").await?;
        cx.sleep(Duration::ZERO).await?;
        Ok(())
    });
}

fn main() {
    let _ = program;
}
