//! The network: its architecture, its flat parameters, its file.

mod architecture;
mod begin;
pub(crate) mod decision;
mod describe;
pub mod file;
mod form;
mod header;
pub mod inputs;
mod joined;
mod layout;
mod parameters;
pub mod recipe;

pub use architecture::Architecture;
pub use decision::{Calibration, Decision, Residuals, RowsOf, Threshold};
pub use describe::{FormDescription, LayerDescription, LayerLine, ModelDescription, NetworkDescription};
pub use file::{Card, Model};
pub use form::NetworkForm;
pub use layout::{Layout, Slot, Tensor};
pub use parameters::{NamedTensor, Parameters, TensorName};
