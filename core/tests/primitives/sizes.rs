//! Futures of what runs a body hold it once: bodies are within bodies, and each copy would double.

use asupersync_core::{Budget, Cx, Outcome, Region, Time};

use crate::hand::World;

const BODY: usize = 10_000;

/// Holds so much across a wait.
async fn large(cx: &Cx) -> Outcome {
    let held = [1_u8; BODY];
    cx.yield_now().await?;
    assert_eq!(held.iter().map(|one| usize::from(*one)).sum::<usize>(), BODY);
    Ok(())
}

#[test]
fn a_body_is_held_once() {
    let world = World::new();
    let cx = &world.cx();
    let sizes = [
        ("open", size_of_val(&Region::open(cx, "r", large)), 1),
        (
            "open in open",
            size_of_val(&Region::open(cx, "r", async |cx: &Cx| Region::open(cx, "r", large).await)),
            1,
        ),
        ("finish", size_of_val(&cx.finish(large)), 1),
        ("deadline", size_of_val(&cx.deadline(Time::MAX, large)), 1),
        ("timeout", size_of_val(&cx.timeout(std::time::Duration::MAX, large)), 1),
        ("shield", size_of_val(&cx.shield(Budget::UNLIMITED, large)), 1),
        ("race", size_of_val(&cx.race(large, large)), 2),
        ("select", size_of_val(&cx.select(large, large)), 2),
        ("join", size_of_val(&cx.join(large, large)), 2),
        ("join_outcomes", size_of_val(&cx.join_outcomes(large, large)), 2),
        ("join_all", size_of_val(&cx.join_all([1; 9], async |cx: &Cx, _| large(cx).await)), 0),
        ("local", size_of_val(&cx.local(async |cx: &Cx, _| large(cx).await)), 0),
    ];
    for (name, size, bodies) in sizes {
        assert!(size < bodies * BODY + BODY / 2, "{name} has {size} bytes for {bodies} of {BODY}");
    }
}
