//! Room: optim.
