//! Sets of capabilities, as types.
//!
//! A set says of each capability whether it has it: a trait with one bit-valued associated type for
//! each. A marker is the set that has only itself, a tuple of sets has what any of them has. Nobody
//! outside can make a set, so what a set has is what is written here.

use super::bit::{Bit, No, Yes};

mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

/// A set of capabilities: [`All`], [`NoCaps`], a marker such as [`Time`], or a tuple of sets, which
/// has what any of them has.
///
/// Order and repetition make no difference to what a set allows, but they make different types: one
/// is turned into another with [`restrict`](crate::Cx::restrict).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no set of capabilities",
    label = "give it the bound `CapSet`",
    note = "a set is `All`, `NoCaps`, a marker such as `caps::Net`, or a tuple of sets such as `(caps::Time, caps::Net)`"
)]
pub trait CapSet: Sealed + Send + Sync + 'static {
    /// Whether it has [`Spawn`].
    type Spawn: Bit;
    /// Whether it has [`Blocking`].
    type Blocking: Bit;
    /// Whether it has [`Time`].
    type Time: Bit;
    /// Whether it has [`Random`].
    type Random: Bit;
    /// Whether it has [`Net`].
    type Net: Bit;
    /// Whether it has [`Fs`].
    type Fs: Bit;
}

/// Every capability.
#[derive(Debug)]
pub enum All {}

/// No capability: such a `Cx` says only when to stop.
#[derive(Debug)]
pub enum NoCaps {}

macro_rules! set {
    ($set:ty: $($name:ident = $bit:ty),*) => {
        impl Sealed for $set {}
        impl CapSet for $set {
            $(type $name = $bit;)*
        }
    };
}

set!(All: Spawn = Yes, Blocking = Yes, Time = Yes, Random = Yes, Net = Yes, Fs = Yes);
set!(NoCaps: Spawn = No, Blocking = No, Time = No, Random = No, Net = No, Fs = No);
set!((): Spawn = No, Blocking = No, Time = No, Random = No, Net = No, Fs = No);

macro_rules! marker {
    ($(#[$doc:meta])* $name:ident: $($rest:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        set!($name: $($rest)*);
    };
}

marker!(
    /// To start tasks: [`spawn`](crate::Cx::spawn) and what is built on it.
    Spawn: Spawn = Yes, Blocking = No, Time = No, Random = No, Net = No, Fs = No
);
marker!(
    /// To run jobs on threads that may block: [`spawn_blocking`](crate::Cx::spawn_blocking), which
    /// wants [`Spawn`] too.
    Blocking: Spawn = No, Blocking = Yes, Time = No, Random = No, Net = No, Fs = No
);
marker!(
    /// To read the clock, and to wait for it.
    Time: Spawn = No, Blocking = No, Time = Yes, Random = No, Net = No, Fs = No
);
marker!(
    /// To draw random numbers.
    Random: Spawn = No, Blocking = No, Time = No, Random = Yes, Net = No, Fs = No
);
marker!(
    /// To open sockets. One that is open is a capability of its own.
    Net: Spawn = No, Blocking = No, Time = No, Random = No, Net = Yes, Fs = No
);
marker!(
    /// To open files and directories.
    Fs: Spawn = No, Blocking = No, Time = No, Random = No, Net = No, Fs = Yes
);

/// `A` or the rest of the tuple.
type Or<A, B> = <A as Bit>::Or<B>;

macro_rules! tuple {
    ($first:ident $($rest:ident)*) => {
        impl<$first: CapSet $(, $rest: CapSet)*> Sealed for ($first, $($rest,)*) {}
        impl<$first: CapSet $(, $rest: CapSet)*> CapSet for ($first, $($rest,)*) {
            type Spawn = Or<$first::Spawn, <($($rest,)*) as CapSet>::Spawn>;
            type Blocking = Or<$first::Blocking, <($($rest,)*) as CapSet>::Blocking>;
            type Time = Or<$first::Time, <($($rest,)*) as CapSet>::Time>;
            type Random = Or<$first::Random, <($($rest,)*) as CapSet>::Random>;
            type Net = Or<$first::Net, <($($rest,)*) as CapSet>::Net>;
            type Fs = Or<$first::Fs, <($($rest,)*) as CapSet>::Fs>;
        }
    };
}

tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
