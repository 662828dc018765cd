//! Room: nn.
