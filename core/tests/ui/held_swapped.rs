//! Two nested permits change places.
use asupersync::channel::mpsc;
use asupersync::{Cx, Outcome};

async fn program(cx: &Cx, tx: mpsc::Sender<u8>) -> Outcome {
    let other = tx.clone();
    tx.with_permit(cx, async |mut outer| {
        let swapped = other.with_permit(cx, async |mut inner| {
            std::mem::swap(&mut outer, &mut inner);
            inner.abort()
        });
        swapped.await.unwrap();
        outer.abort()
    })
    .await?;
    Ok(())
}

fn main() {
    let _ = program;
}
