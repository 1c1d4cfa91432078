//! `?` leaves without the receipt; `try_with_permit` is for that.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        cx.yield_now().await?;
        permit.send(1)
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
