//! Structured concurrency and cancel-correctness for Rust services.
