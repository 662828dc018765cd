//! Optimizers side by side on the same problems, by one protocol.

pub mod records;
