//! Room: train.
