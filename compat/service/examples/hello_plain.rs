//! A service on Tokio and axum. `hello.rs` is the same in regions.
//!
//! What `cargo migrate-lint` says of it: nothing.

use axum::{Router, routing::get};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new().route("/", get(async || "hello\n"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, app).await
}
