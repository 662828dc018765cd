//! The description of a network, as in a TOML file.

use toml::{Table, Value};

use super::fields::{MOST_WIDTH, Sizes, at, wrong};
use super::network::{each, unfitted};
use super::text::{TENSORS, read_with};
use super::{AnyKind, Inner, Layer, Learning, Width};
use crate::nn::Activation;
use crate::spec::unknown;
use crate::{Error, Result};

/// The description of a network: a table whose `chain` lists the layers, and whose optional `learn` gives learning options
/// by kind of layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    table: Table,
}

impl Description {
    /// Checks that the table describes layers, independently of the numbers of inputs and outputs.
    ///
    /// # Errors
    /// [`Error::Usage`] with the path of the fault: an unknown kind or field, a wrong value, or a network without tensors.
    pub fn new(table: Table) -> Result<Description> {
        let description = Description { table };
        description.read(Sizes { inputs: 1, outputs: 1 }, None)?;
        Ok(description)
    }

    /// Reads a description from the text of a TOML file.
    ///
    /// # Errors
    /// [`Error::Usage`] with the line if the text is not TOML; otherwise as [`Description::new`].
    pub fn parse(text: &str) -> Result<Description> {
        let table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            Error::Usage(format!("line {line}: {}", e.message()))
        })?;
        Description::new(table)
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Whether a layer draws random numbers in training.
    pub fn is_random(&self) -> bool {
        self.any(|layer| layer.kind().needs(1, true).random)
    }

    /// Whether a layer reads codes.
    pub fn looks_up(&self) -> bool {
        self.any(|layer| matches!(layer.what, AnyKind::Lookup(_)))
    }

    fn any(&self, has: impl Fn(&Layer) -> bool) -> bool {
        let mut found = false;
        if let Ok(chain) = self.read(Sizes { inputs: 1, outputs: 1 }, None) {
            each(&chain, &mut |layer| found |= has(layer));
        }
        found
    }

    /// The layers of a network of these sizes. If layers still have to be fitted to the training rows, widths are not
    /// checked yet; [`check`] does that afterwards.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the last layer's width is not the number of outputs, if a layer is too wide or does not fit
    /// its inputs, or if a layer must be fitted and does not read the network's inputs; otherwise as [`Description::new`].
    pub fn layers(&self, sizes: Sizes) -> Result<Vec<Layer>> {
        let chain = self.read(sizes, Some(sizes.inputs))?;
        if unfitted(&chain, "chain", false).is_none() {
            check(&chain, sizes).map_err(Error::Mismatch)?;
        } else if let Some(at) = unfitted(&chain, "chain", true) {
            // Widths are unknown until the layers are fitted to the training rows; `check` is called then.
            return Err(Error::Mismatch(out_of_sight(&at)));
        }
        Ok(chain)
    }

    /// Reads the layers. `width` is the width of the first layer's input, if it is known.
    fn read(&self, sizes: Sizes, width: Option<usize>) -> Result<Vec<Layer>> {
        let mut fields = self.table.clone();
        let chain = fields.remove("chain").ok_or_else(|| wrong("chain", "expected a list of layers, found nothing"))?;
        let defaults = match fields.remove("learn") {
            None => Table::new(),
            Some(Value::Table(defaults)) => defaults,
            Some(other) => return Err(wrong("learn", format!("expected a table of kinds, found {other}"))),
        };
        if let Some(other) = fields.keys().next() {
            return Err(unknown("key", other, &["chain", "learn"]));
        }
        let kinds: Vec<&str> = AnyKind::NAMES.to_vec();
        if let Some(other) = defaults.keys().find(|kind| !kinds.contains(&kind.as_str())) {
            return at("learn", Err(unknown("kind", other, &kinds)));
        }
        for (kind, value) in &defaults {
            Learning::read(value, &format!("learn.{kind}"), &TENSORS)?;
        }
        let chain = read_with(&chain, (sizes, width), &defaults)?;
        check_members(&chain, "chain", MemberState::MayBegin).map_err(Error::Usage)?;
        match learns(&chain) {
            true => Ok(chain),
            false => Err(wrong("chain", "no layer learns anything: add a linear layer")),
        }
    }
}

/// Whether any layer of a chain has tensors.
fn learns(chain: &[Layer]) -> bool {
    let mut learns = false;
    each(chain, &mut |layer| learns |= !layer.tensors(Width::of(1), Activation::Identity).is_empty());
    learns
}

/// Checks that members and widths of a chain fit each other and a network of these sizes.
///
/// # Errors
/// A sentence with the path of the layer.
pub fn check(chain: &[Layer], sizes: Sizes) -> std::result::Result<(), String> {
    check_members(chain, "chain", MemberState::MayBegin)?;
    let width = check_widths(chain, sizes.inputs, "chain")?;
    if width == sizes.outputs {
        return Ok(());
    }
    let (last, outputs) = (chain.len().saturating_sub(1), sizes.outputs);
    Err(format!(
        "chain[{last}]: the last layer gives {width} features, and the data need {outputs} outputs: \
         end with {{ kind = \"linear\", outputs = \"outputs\" }}"
    ))
}

/// The message for a layer that must be fitted but does not read the network's inputs.
fn out_of_sight(at: &str) -> String {
    let why = "the layer is fitted to the network's inputs, and does not read them";
    format!("{at}: {why}: put it first, or give its inputs and bins")
}

/// Checks that all layers are fitted to the training rows.
///
/// # Errors
/// A sentence with the path of the first layer that is not.
pub fn check_fitted(chain: &[Layer]) -> std::result::Result<(), String> {
    match unfitted(chain, "chain", false) {
        Some(at) => Err(format!("{at}: expected a layer that was fitted to training rows, found one that was not")),
        None => Ok(()),
    }
}

/// The state of members in a chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MemberState {
    /// They may begin: this is the outermost chain.
    MayBegin,
    /// They have not begun and may not begin: the chain is within a layer.
    None,
    /// They have begun.
    Begun,
}

/// Checks that members begin at most once, in the outermost chain, and that per-member layers come after that.
fn check_members(chain: &[Layer], path: &str, mut members: MemberState) -> std::result::Result<(), String> {
    for (n, layer) in chain.iter().enumerate() {
        let at = format!("{path}[{n}]");
        match (layer.kind().expands().is_some(), members) {
            (true, MemberState::MayBegin) => members = MemberState::Begun,
            (true, _) => return Err(format!("{at}: members begin once, in the outermost list: leave this layer out")),
            (false, _) => {}
        }
        if layer.kind().is_per_member() && members != MemberState::Begun {
            let expand = "{ kind = \"expand\", members = 32 }";
            return Err(format!("{at}: there are no members here: put {expand} before it, in the outermost list"));
        }
        let within = if members == MemberState::Begun { members } else { MemberState::None };
        match layer.kind().inner() {
            Inner::None => {}
            Inner::Around(inner) => check_members(inner, &format!("{at}.chain"), within)?,
            Inner::Beside(chains) => {
                for (m, inner) in chains.iter().enumerate() {
                    check_members(inner, &format!("{at}.branches[{m}]"), within)?;
                }
            }
        }
    }
    Ok(())
}

/// Checks the widths within a chain, and returns the width of its output.
fn check_widths(chain: &[Layer], inputs: usize, path: &str) -> std::result::Result<usize, String> {
    let mut width = inputs;
    for (n, layer) in chain.iter().enumerate() {
        match layer.kind().inner() {
            Inner::None => {}
            Inner::Around(inner) => _ = check_widths(inner, width, &format!("{path}[{n}].chain"))?,
            Inner::Beside(chains) => {
                for (m, inner) in chains.iter().enumerate() {
                    check_widths(inner, width, &format!("{path}[{n}].branches[{m}]"))?;
                }
            }
        }
        if let Some(misfit) = layer.kind().misfit(width) {
            return Err(format!("{path}[{n}]: {misfit}"));
        }
        width = layer.kind().outputs(width);
        if width > MOST_WIDTH {
            return Err(format!("{path}[{n}]: {width} features are more than the {MOST_WIDTH} that a layer may have"));
        }
    }
    Ok(width)
}
