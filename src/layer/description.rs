//! The description of a network, as a file of its own has it.

use toml::{Table, Value};

use super::fit::unfitted;
use super::network::each;
use super::text::{MOST_WIDTH, Sizes, TENSORS, at, read_with, wrong};
use super::{AnyKind, Inner, Layer, Learning, Width};
use crate::nn::Activation;
use crate::spec::unknown;
use crate::{Error, Result};

/// The description of a network: a table whose `chain` lists its layers, and whose `learn` says how those of a kind learn.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    table: Table,
}

impl Description {
    /// Takes a table whose layers can be read, whatever the inputs and outputs.
    ///
    /// # Errors
    /// [`Error::Usage`] with the path of what is wrong: unknown kinds and fields, wrong values, nothing to learn.
    pub fn new(table: Table) -> Result<Description> {
        let description = Description { table };
        description.read(Sizes { inputs: 1, outputs: 1 }, None)?;
        Ok(description)
    }

    /// Reads a description from the text of a TOML file.
    ///
    /// # Errors
    /// [`Error::Usage`] with the line where the text is no TOML, else as [`Description::new`].
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

    /// Whether some layer draws random numbers in training.
    pub fn is_random(&self) -> bool {
        let mut random = false;
        if let Ok(chain) = self.read(Sizes { inputs: 1, outputs: 1 }, None) {
            each(&chain, &mut |layer| random |= layer.kind().needs(1, true).random);
        }
        random
    }

    /// The layers of a network of these sizes.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the last layer gives another number than there are outputs, or a layer is too wide.
    pub fn layers(&self, sizes: Sizes) -> Result<Vec<Layer>> {
        let chain = self.read(sizes, Some(sizes.inputs))?;
        if unfitted(&chain, "chain", false).is_none() {
            check(&chain, sizes).map_err(Error::Mismatch)?;
        } else if let Some(at) = unfitted(&chain, "chain", true) {
            // Widths are known once the others have looked at the training rows: `check` comes then.
            return Err(Error::Mismatch(out_of_sight(&at)));
        }
        Ok(chain)
    }

    /// The layers, where `width` features enter the first, if that is known already.
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
        check_members(&chain, "chain", Members::MayBegin).map_err(Error::Usage)?;
        match learns(&chain) {
            true => Ok(chain),
            false => Err(wrong("chain", "no layer learns anything: add a linear layer")),
        }
    }
}

/// Whether a chain has tensors.
fn learns(chain: &[Layer]) -> bool {
    let mut learns = false;
    each(chain, &mut |layer| learns |= !layer.tensors(Width::of(1), Activation::Identity).is_empty());
    learns
}

/// What does not fit in a chain of layers for a network of these sizes.
///
/// # Errors
/// A sentence with the path of the layer.
pub fn check(chain: &[Layer], sizes: Sizes) -> std::result::Result<(), String> {
    check_members(chain, "chain", Members::MayBegin)?;
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

/// A layer that is to find something out about inputs that it does not read.
fn out_of_sight(at: &str) -> String {
    let why = "the layer is fitted to the network's inputs, and does not read them";
    format!("{at}: {why}: put it first, or give its inputs and bins")
}

/// Whether all layers have found out what they want to know of the training rows.
///
/// # Errors
/// A sentence with the path of one that has not.
pub fn check_fitted(chain: &[Layer]) -> std::result::Result<(), String> {
    match unfitted(chain, "chain", false) {
        Some(at) => Err(format!("{at}: expected a layer that was fitted to training rows, found one that was not")),
        None => Ok(()),
    }
}

/// Whether members may begin in a chain, and whether they have begun.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Members {
    /// They may begin: the outermost chain.
    MayBegin,
    /// The chain is within a layer, before they begin.
    None,
    /// They are there.
    Begun,
}

/// Members begin once at most, in the outermost chain, and layers that belong to them come after.
fn check_members(chain: &[Layer], path: &str, mut members: Members) -> std::result::Result<(), String> {
    for (n, layer) in chain.iter().enumerate() {
        let at = format!("{path}[{n}]");
        match (layer.kind().expands().is_some(), members) {
            (true, Members::MayBegin) => members = Members::Begun,
            (true, _) => return Err(format!("{at}: members begin once, in the outermost list: leave this layer out")),
            (false, _) => {}
        }
        if layer.kind().is_per_member() && members != Members::Begun {
            let expand = "{ kind = \"expand\", members = 32 }";
            return Err(format!("{at}: there are no members here: put {expand} before it, in the outermost list"));
        }
        let within = if members == Members::Begun { members } else { Members::None };
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

/// Width of what leaves a chain.
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
