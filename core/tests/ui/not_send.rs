//! The body holds what is not `Send` while it waits.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        let local = std::rc::Rc::new(1);
        cx.yield_now().await.ok();
        permit.send(*local)
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
