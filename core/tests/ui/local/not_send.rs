//! A child holds what is not `Send` while it waits: its opener's task may move to another thread.
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx) -> Outcome {
    cx.local(async |_, scope| {
        scope.spawn("child", async |cx| {
            let local = std::rc::Rc::new(1);
            cx.yield_now().await?;
            Ok(*local)
        });
        Ok(())
    })
    .await
}

fn main() {
    let _ = program;
}
