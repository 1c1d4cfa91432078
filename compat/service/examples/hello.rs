//! The service of `hello_plain.rs` in regions: it drains at SIGTERM, and each request has a region.
//!
//! What `cargo migrate-lint` says of it: nothing.

use axum::{Router, routing::get};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new().route("/", get(async || "hello\n"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    asupersync::compat::hosted::serve(listener, app).await
}
