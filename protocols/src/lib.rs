//! Cancel-correct protocol drivers over well-kept wire libraries.

#![forbid(unsafe_code)]
