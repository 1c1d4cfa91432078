//! A receipt is made up.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    tx.with_permit(cx, async |_permit| asupersync::obligation::Done {
        value: (),
        brand: std::marker::PhantomData,
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
