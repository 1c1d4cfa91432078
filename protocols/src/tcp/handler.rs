//! What may serve a connection, as a trait whose future can be asked to be `Send`.

/// What serves one connection: `async |cx, stream| ..`, cloned for each.
///
/// Implemented for every such closure; nobody implements it by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not serve connections",
    note = "write `async |cx: &Cx, stream: TcpStream| {{ .. }}`"
)]
pub trait Handler<A, B, T>: AsyncFnOnce(A, B) -> T + FnOnce(A, B) -> <Self as Handler<A, B, T>>::Fut {
    /// What the closure returns.
    type Fut: Future<Output = T>;
}

#[diagnostic::do_not_recommend]
impl<A, B, T, F, Fut> Handler<A, B, T> for F
where
    F: AsyncFnOnce(A, B) -> T + FnOnce(A, B) -> Fut,
    Fut: Future<Output = T>,
{
    type Fut = Fut;
}
