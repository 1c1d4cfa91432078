//! Bridges between regions and the hyper, tower and Tokio ecosystem.
