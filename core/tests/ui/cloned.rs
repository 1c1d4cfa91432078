//! A receipt is copied.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        let done = permit.send(1);
        done.clone()
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
