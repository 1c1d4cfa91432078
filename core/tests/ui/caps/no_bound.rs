//! A generic function uses what it did not ask for.
use asupersync::caps::{HasNet, HasTime, Spawn, Time};
use asupersync::{Cx, Outcome, Region};
use std::time::Duration;

async fn waits<C: HasNet>(cx: &Cx<C>) -> Outcome {
    Ok(cx.sleep(Duration::ZERO).await?)
}

async fn calls<C: HasNet>(cx: &Cx<C>) -> Outcome {
    needs_time(cx).await
}

async fn needs_time<C: HasTime>(cx: &Cx<C>) -> Outcome {
    Ok(cx.sleep(Duration::ZERO).await?)
}

async fn restricts<C: HasTime>(cx: &Cx<C>) {
    cx.restrict::<(Spawn, Time)>();
}

async fn opens<C>(cx: &Cx<C>) -> Outcome {
    Region::open(cx, "r", async |_| Ok(())).await
}

fn main() {
    let _ = (waits::<asupersync::All>, calls::<asupersync::All>);
    let _ = (restricts::<asupersync::All>, opens::<asupersync::All>);
}
