//! Libraries with runtime traits of their own, on our sockets and clocks: no Tokio runtime is there.

mod quic;
