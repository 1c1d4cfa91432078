//! The receipt of the inner permit is given for the outer.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    let other = tx.clone();
    tx.with_permit(cx, async |outer| {
        let mut receipt = None;
        other
            .with_permit(cx, async |inner| {
                receipt = Some(inner.send(1));
                outer.send(2)
            })
            .await
            .unwrap();
        receipt.unwrap()
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
