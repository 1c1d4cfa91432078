//! Suppressions that suppress nothing.

async fn work() {}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    work().await;
    // migrate-lint: allow(detached_spawn_finite) the last words of the program
    tokio::spawn(work());
}
