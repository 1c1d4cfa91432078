//! An outline of axum. Nothing here is compiled.

pub fn serve<L, M>(listener: L, service: M) -> Serve {}
pub struct Serve {}
impl Serve {
    pub fn with_graceful_shutdown<F>(self, signal: F) -> Serve {}
    pub fn tcp_nodelay(self, b: bool) -> Serve {}
}
impl std::future::Future for Serve {
    type Output = std::io::Result<()>;
}
