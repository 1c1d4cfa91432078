//! Suppressions that suppress nothing.

// migrate-lint: allow(detached_spawn) once there was a spawn here
async fn work() {}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    work().await; // migrate-lint: allow(detached_spawn, forgotten_handle) and here
    // migrate-lint: allow(forgotten_handle, detached_spawn_finite) the last words of the program
    tokio::spawn(work());
}
