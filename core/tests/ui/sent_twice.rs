//! It is sent twice.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        let _first = permit.send(1);
        permit.send(2)
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
