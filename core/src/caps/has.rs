//! What a set has, as bounds: `C: HasTime` on a method or a function; and which set is part of which.
//!
//! A bound on one capability is all that generic code needs: there, `B` is part of `C` if `C` is bound
//! to have each member of `B`. The reason for a refusal is found behind that, so the compiler is kept
//! from recommending the implementations, and says what the bound itself says.

use super::bit::{IsYes, No, Yes};
use super::set::CapSet;

/// The bound on a capability, and the step of [`SubsetOf`] that is about it.
macro_rules! has {
    ($(#[$attr:meta])* $has:ident, $bit:ident, $within:ident) => {
        $(#[$attr])*
        pub trait $has: CapSet {}

        #[diagnostic::do_not_recommend]
        impl<C: CapSet<$bit: IsYes>> $has for C {}

        /// A set with this bit may be part of the set `C`.
        pub trait $within<C> {}
        impl<C> $within<C> for No {}
        impl<C: $has> $within<C> for Yes {}
    };
}

has!(
    /// A set that has [`caps::Spawn`](super::Spawn). To start tasks.
    #[diagnostic::on_unimplemented(
        message = "this `Cx` may not spawn tasks: `{Self}` lacks `caps::Spawn`",
        label = "needs `caps::Spawn`",
        note = "a generic function asks for it with `C: HasSpawn`, any other names it, as in `Cx<(caps::Spawn, ..)>`",
        note = "no set is ever widened: take the `Cx` that this one was restricted from"
    )]
    HasSpawn, Spawn, SpawnWithin
);

has!(
    /// A set that has [`caps::Blocking`](super::Blocking). To run jobs on threads that may block.
    #[diagnostic::on_unimplemented(
        message = "this `Cx` may not run jobs that block: `{Self}` lacks `caps::Blocking`",
        label = "needs `caps::Blocking`",
        note = "a generic function asks for it with `C: HasBlocking`, any other names it, as in `Cx<(caps::Blocking, ..)>`",
        note = "no set is ever widened: take the `Cx` that this one was restricted from"
    )]
    HasBlocking, Blocking, BlockingWithin
);

has!(
    /// A set that has [`caps::Time`](super::Time). To read the clock, and to wait for it.
    #[diagnostic::on_unimplemented(
        message = "this `Cx` may not read the clock or wait for it: `{Self}` lacks `caps::Time`",
        label = "needs `caps::Time`",
        note = "a generic function asks for it with `C: HasTime`, any other names it, as in `Cx<(caps::Time, ..)>`",
        note = "no set is ever widened: take the `Cx` that this one was restricted from"
    )]
    HasTime, Time, TimeWithin
);

has!(
    /// A set that has [`caps::Random`](super::Random). To draw random numbers.
    #[diagnostic::on_unimplemented(
        message = "this `Cx` may not draw random numbers: `{Self}` lacks `caps::Random`",
        label = "needs `caps::Random`",
        note = "a generic function asks for it with `C: HasRandom`, any other names it, as in `Cx<(caps::Random, ..)>`",
        note = "no set is ever widened: take the `Cx` that this one was restricted from"
    )]
    HasRandom, Random, RandomWithin
);

has!(
    /// A set that has [`caps::Net`](super::Net). To open sockets.
    #[diagnostic::on_unimplemented(
        message = "this `Cx` may not open sockets: `{Self}` lacks `caps::Net`",
        label = "needs `caps::Net`",
        note = "a generic function asks for it with `C: HasNet`, any other names it, as in `Cx<(caps::Net, ..)>`",
        note = "no set is ever widened: take the `Cx` that this one was restricted from"
    )]
    HasNet, Net, NetWithin
);

has!(
    /// A set that has [`caps::Fs`](super::Fs). To open files and directories.
    #[diagnostic::on_unimplemented(
        message = "this `Cx` may not open files: `{Self}` lacks `caps::Fs`",
        label = "needs `caps::Fs`",
        note = "a generic function asks for it with `C: HasFs`, any other names it, as in `Cx<(caps::Fs, ..)>`",
        note = "no set is ever widened: take the `Cx` that this one was restricted from"
    )]
    HasFs, Fs, FsWithin
);

/// A set that is part of `C`, so that a [`Cx<C>`](crate::Cx) can be [restricted](crate::Cx::restrict)
/// to it.
#[diagnostic::on_unimplemented(
    message = "`{C}` cannot be restricted to `{Self}`, which has more",
    label = "`{Self}` is not part of `{C}`",
    note = "`restrict` only takes away; in a generic function, `C` has what it is bound to: `C: HasTime + HasNet`"
)]
pub trait SubsetOf<C>: CapSet {}

#[diagnostic::do_not_recommend]
impl<B, C> SubsetOf<C> for B where
    B: CapSet<
            Spawn: SpawnWithin<C>,
            Blocking: BlockingWithin<C>,
            Time: TimeWithin<C>,
            Random: RandomWithin<C>,
            Net: NetWithin<C>,
            Fs: FsWithin<C>,
        >
{
}
