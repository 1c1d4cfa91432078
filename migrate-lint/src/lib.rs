//! Finds unscoped task spawns and their kin in Tokio code.
