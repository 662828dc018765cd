//! The network: its architecture, its flat parameters, its file.

mod architecture;
mod layout;
mod parameters;

pub use architecture::Architecture;
pub use layout::{Layout, Role, Slot, Tensor};
pub use parameters::{NamedTensor, Parameters};
