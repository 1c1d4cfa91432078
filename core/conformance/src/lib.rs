//! The conformance suite: what every host must do, as cases that run unchanged on each.
//!
//! A host implements [`Runner`] and runs [`THEMES`]. A case is a plain function that panics when
//! the contract is broken; what it needs of the host beyond the contract is named in
//! [`Case::needs`]. No case waits for time to pass by itself: where it must, it sleeps on the
//! host's clock, so that a host with virtual time runs the suite at once. The few cases that
//! assert an upper bound in real time say `bounded` in their name.
//!
//! | module | what |
//! |---|---|
//! | [`runner`] | the seam to a host |
//! | [`attack`] | cancelling a future at every await |
//! | [`probe`] | drop counters, victims and other instruments |
//! | [`table`] | the failure table: what may go wrong, and the cases that try it |
//! | [`stress`] | random region trees |
//! | `recorder` | a subscriber of `tracing` that keeps what spans do |
//! | the others | the cases, one theme each |

#![forbid(unsafe_code)]

pub mod attack;
pub mod probe;
mod recorder;
pub mod runner;

pub mod attacked_io;
pub mod attacked_owners;
pub mod attacked_services;
pub mod attacked_waits;
pub mod blocking;
pub mod budgets;
pub mod capabilities;
pub mod channels;
pub mod closing;
pub mod combinators;
pub mod dumps;
pub mod failures;
pub mod finalizer_budgets;
pub mod finalizers;
pub mod foreign;
pub mod inlines;
pub mod joins;
pub mod lazies;
pub mod leftovers;
pub mod life;
pub mod local_closing;
pub mod locals;
pub mod locks;
pub mod misuse;
pub mod objects;
pub mod obligations;
pub mod orphans;
pub mod producers;
pub mod promises;
pub mod protocol;
pub mod reasons;
pub mod reports;
pub mod scale;
pub mod scopes;
pub mod selects;
pub mod spans;
pub mod sporks;
pub mod stress;
pub mod stuck;
pub mod table;
pub mod task_spans;
pub mod tcp;
pub mod tcp_errors;
pub mod turns;
pub mod udp;
pub mod waits;
pub mod wakers;

pub use runner::{Capability, Case, Ran, Runner, Settings};

/// A group of cases.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Its name.
    pub name: &'static str,
    /// Its cases.
    pub cases: &'static [Case],
}

macro_rules! themes {
    ($($theme:ident)*) => {
        /// Every case there is.
        pub const THEMES: &[Theme] =
            &[$(Theme { name: stringify!($theme), cases: $theme::CASES }),*];
    };
}

themes! {
    life orphans closing failures finalizers finalizer_budgets reports leftovers dumps waits scale
    sporks inlines lazies promises locals local_closing protocol scopes budgets turns combinators selects joins wakers reasons
    channels producers locks obligations blocking foreign misuse stuck tcp tcp_errors udp
    capabilities objects spans task_spans
    attacked_waits attacked_owners attacked_services attacked_io
}

/// Lists cases: `cases![name, name needs (Capability)]`.
macro_rules! cases {
    ($($name:ident $(needs ($($need:ident),*))?),* $(,)?) => {
        /// The cases of this theme.
        pub const CASES: &[$crate::Case] = &[$($crate::Case {
            name: stringify!($name),
            needs: &[$($($crate::Capability::$need),*)?],
            run: $name,
        }),*];
    };
}
use cases;
