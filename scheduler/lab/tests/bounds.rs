//! What an exploration says of itself that a bound ended, and what a run does.

use std::time::Duration;

use asupersync_core::{Cx, Outcome};
use asupersync_lab::explore::Sampling;
use asupersync_lab::model::Program;
use asupersync_lab::{Explore, Lab};

/// A writer and `n` readers: 2^n traces.
fn readers(n: usize) -> impl Fn(&mut Program) {
    move |p| {
        let x = p.var(0);
        p.task(async move |t| t.write(x, 1).await);
        for _ in 0..n {
            p.task(async move |t| _ = t.read(x).await);
        }
    }
}

/// `n` tasks that each add: n! traces.
fn adders(n: usize) -> impl Fn(&mut Program) {
    move |p| {
        let x = p.var(0);
        for _ in 0..n {
            p.task(async move |t| _ = t.fetch_add(x, 1).await);
        }
    }
}

#[test]
fn complete_is_said_only_where_nothing_is_left() {
    for explore in [Explore::optimal(), Explore::source()] {
        for most in [1, 7, 119] {
            let found = explore.clone().runs(most).model(adders(5));
            assert!(!found.complete && found.traces + found.blocked == most, "{found:?}");
            assert!(found.estimate.is_some(), "{found:?}");
        }
        for most in [120, 121] {
            let found = explore.clone().runs(most + found_in_vain(&explore)).model(adders(5));
            assert!(found.complete && found.traces == 120, "{found:?}");
            assert_eq!(found.estimate, None);
            assert!(found.to_string().ends_with(", complete"), "{found}");
        }
    }
    let sampled = Explore::sample(Sampling::Walk, 0, 1000).model(adders(2));
    assert!(!sampled.complete && sampled.estimate.is_none());
    let drawn = Explore::sample(Sampling::Walk, 0, 3).run(async |_: &Cx| -> Outcome { Ok(()) });
    assert_eq!(drawn.to_string(), "3 runs, not complete");
}

fn found_in_vain(explore: &Explore) -> u64 {
    explore.model(adders(5)).blocked
}

#[test]
fn the_estimate_is_of_the_right_size() {
    for (name, found, all) in [
        ("readers(10)", Explore::optimal().runs(100).model(readers(10)), 1024.0),
        ("adders(7)", Explore::optimal().runs(500).model(adders(7)), 5040.0),
    ] {
        println!("{name}: {found}");
        let estimate = found.estimate.expect("the bound was hit");
        assert!(estimate > all / 10.0 && estimate < all * 10.0, "{name}: {estimate}, not {all}");
        assert!(found.to_string().contains("by Knuth's estimate"), "{found}");
    }
}

/// One task goes on for ever, and another waits for it.
async fn spins(cx: &Cx) -> Outcome {
    let spinner = cx.spawn("spinner", async |cx: &Cx| -> Outcome {
        loop {
            cx.yield_now().await?;
        }
    });
    spinner.join().await
}

#[test]
fn a_task_that_goes_on_for_ever_ends_the_run_and_is_named() {
    let (outcome, report) = Lab::builder(0).steps(5000).build().run_with_report(spins);
    let told = outcome.unwrap_err().to_string();
    for part in [
        "more than 5000 steps",
        "`spinner`, spawned at scheduler/lab/tests/bounds.rs",
        "1000 of the last 1000",
    ] {
        assert!(told.contains(part), "no `{part}` in {told}");
    }
    let left: Vec<_> = report.leftovers.iter().map(|left| &*left.name).collect();
    assert!(left.contains(&"spinner"), "{report}");
    // Any number of them, if time goes on between.
    let outcome = Lab::builder(0).steps(5000).build().run(async |cx: &Cx| {
        for _ in 0..10 {
            for _ in 0..1000 {
                cx.yield_now().await?;
            }
            cx.sleep(Duration::from_secs(1)).await?;
        }
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}
