//! The receipt of another kind, for a permit.
use asupersync::channel::{delivery, mpsc};
use asupersync::obligation::Done;

async fn body<'p, 'j>(permit: mpsc::HeldPermit<'p, u8>, job: delivery::HeldDelivery<'j, u8>) -> Done<'p> {
    let _kept = permit;
    job.ack()
}

fn main() {
    let _ = body;
}
