//! One arm of a match forgets it.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| match cx.checkpoint() {
        Ok(()) => permit.send(1),
        Err(_) => {}
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
