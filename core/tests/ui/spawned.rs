//! It is moved into a task.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        let _task = cx.spawn("elsewhere", async move |_| {
            let _done = permit.send(1);
        });
        std::future::pending().await
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
