//! The closure ends without a word about its permit.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |permit| {
        let _kept = &permit;
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
