//! Suppressions that suppress nothing.

async fn work() {}

#[tokio::main]
async fn main() {
    work().await;
    // migrate-lint: allow(detached_spawn_finite) the last words of the program
    tokio::spawn(work());
}
