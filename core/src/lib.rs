//! The pure core: regions, the cancel protocol, Cx, channels and locks.
