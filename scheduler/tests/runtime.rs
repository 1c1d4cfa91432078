//! A runtime as a value: it is its settings, so that its end is no matter where it runs.

use asupersync_core::{Cx, Outcome};
use asupersync_scheduler::Runtime;

#[test]
fn it_may_be_dropped_inside_a_task_of_its_own() {
    let runtime = Runtime::builder().workers(1).build().expect("a runtime");
    let (inside, other) = (runtime.clone(), Runtime::new().expect("a runtime"));
    let value = runtime.block_on(async move |cx: &Cx| -> Outcome<u8> {
        {
            let _dropped_here = (inside, other);
        }
        cx.spawn("after", async |_: &Cx| Ok(4)).join().await
    });
    assert_eq!(value.expect("it goes on"), 4);
    // And serves again.
    assert_eq!(runtime.block_on(async |_: &Cx| Ok(5)).expect("it goes on"), 5);
}
