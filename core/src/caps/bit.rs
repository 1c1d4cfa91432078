//! Bits of a set, as types: what a set says of one capability.

/// [`Yes`] or [`No`].
pub trait Bit: 'static {
    /// `Yes` if either is.
    type Or<B: Bit>: Bit;
}

/// A bit that is [`Yes`].
pub trait IsYes: Bit {}

/// In the set.
#[derive(Debug)]
pub enum Yes {}

/// Not in the set.
#[derive(Debug)]
pub enum No {}

impl Bit for Yes {
    type Or<B: Bit> = Yes;
}

impl Bit for No {
    type Or<B: Bit> = B;
}

impl IsYes for Yes {}
