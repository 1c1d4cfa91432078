//! An outline of hyper's server. Nothing here is compiled.

pub mod server {
    pub mod conn {
        pub mod http1 {
            pub struct Builder {}
            impl Builder {
                pub fn new() -> Builder {}
                pub fn half_close(&mut self, b: bool) -> &mut Builder {}
                pub fn header_read_timeout<T>(&mut self, t: T) -> &mut Builder {}
                pub fn keep_alive(&mut self, b: bool) -> &mut Builder {}
                pub fn max_buf_size(&mut self, n: usize) -> &mut Builder {}
                pub fn pipeline_flush(&mut self, b: bool) -> &mut Builder {}
                pub fn preserve_header_case(&mut self, b: bool) -> &mut Builder {}
                pub fn timer<T>(&mut self, t: T) -> &mut Builder {}
                pub fn title_case_headers(&mut self, b: bool) -> &mut Builder {}
                pub fn serve_connection<I, S>(&self, io: I, s: S) -> Connection {}
            }
            pub struct Connection {}
            impl Connection {
                pub fn graceful_shutdown(self) {}
                pub fn with_upgrades(self) -> Connection {}
            }
            impl std::future::Future for Connection {
                type Output = Result<(), ()>;
            }
        }
        pub mod http2 {
            pub struct Builder {}
            impl Builder {
                pub fn new<E>(e: E) -> Builder {}
                pub fn timer<T>(&mut self, t: T) -> &mut Builder {}
                pub fn serve_connection<I, S>(&self, io: I, s: S) -> Connection {}
            }
            pub struct Connection {}
            impl Connection {
                pub fn graceful_shutdown(self) {}
            }
            impl std::future::Future for Connection {
                type Output = Result<(), ()>;
            }
        }
    }
}
