//! The attribute macros main and test.
