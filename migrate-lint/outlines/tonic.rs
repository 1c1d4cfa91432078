//! An outline of tonic's server. Nothing here is compiled.

pub mod transport {
    pub struct Server {}
    impl Server {
        pub fn builder() -> Server {}
        pub fn accept_http1(self, b: bool) -> Server {}
        pub fn concurrency_limit_per_connection(self, n: usize) -> Server {}
        pub fn http2_keepalive_interval<T>(self, t: T) -> Server {}
        pub fn http2_keepalive_timeout<T>(self, t: T) -> Server {}
        pub fn initial_connection_window_size<T>(self, n: T) -> Server {}
        pub fn initial_stream_window_size<T>(self, n: T) -> Server {}
        pub fn layer<T>(self, t: T) -> Server {}
        pub fn max_concurrent_streams<T>(self, n: T) -> Server {}
        pub fn max_frame_size<T>(self, n: T) -> Server {}
        pub fn tcp_keepalive<T>(self, t: T) -> Server {}
        pub fn tcp_nodelay(self, b: bool) -> Server {}
        pub fn timeout<T>(self, t: T) -> Server {}
        pub fn tls_config<T>(self, t: T) -> Result<Server, Error> {}
        pub fn trace_fn<F>(self, f: F) -> Server {}
        pub fn add_service<S>(&mut self, s: S) -> Router {}
        pub fn add_optional_service<S>(&mut self, s: S) -> Router {}
        pub fn add_routes<S>(&mut self, s: S) -> Router {}
    }
    pub struct Error {}
    pub struct Router {}
    impl Router {
        pub fn add_service<S>(self, s: S) -> Router {}
        pub fn add_optional_service<S>(self, s: S) -> Router {}
        pub async fn serve<A>(self, a: A) -> Result<(), Error> {}
        pub async fn serve_with_shutdown<A, F>(self, a: A, f: F) -> Result<(), Error> {}
        pub async fn serve_with_incoming<I>(self, i: I) -> Result<(), Error> {}
        pub async fn serve_with_incoming_shutdown<I, F>(self, i: I, f: F) -> Result<(), Error> {}
    }
    pub mod server {
        pub use super::{Router, Server};
    }
}
