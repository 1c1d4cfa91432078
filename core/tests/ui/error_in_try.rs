//! An error of one's own making in `try_with_permit`: `abort_with` is the way.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.try_with_permit(cx, async |permit| match cx.checkpoint() {
        Ok(()) => Ok(permit.send(1)),
        Err(cancelled) => Err(cancelled),
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
