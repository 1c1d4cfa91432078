//! Cancel-correct protocol drivers over well-kept wire libraries.
//!
//! | module | what |
//! |---|---|
//! | [`tcp`] | a server whose connections are regions |
//! | [`lines`] | messages that end with a newline, over TCP |

#![forbid(unsafe_code)]

pub mod lines;
pub mod tcp;
