//! `?` in `try_with_permit` that does not go through `or_abort`.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.try_with_permit(cx, async |permit| {
        cx.yield_now().await?;
        Ok(permit.send(1))
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
