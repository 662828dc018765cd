//! Number of folds, and number of networks to train.

use super::reader::Reader;
use crate::data::FoldCount;
use crate::option_text::{option, setting};
use crate::{Error, Result};

/// The folds of `--cv`, which exclude a separate validation part.
pub(super) fn folds(reader: &Reader) -> Result<Option<FoldCount>> {
    let asked = reader.text("cv").filter(|text| text != "none");
    let named = |e: Error| reader.wrong("cv", &e.to_string());
    let folds = asked.map(|text| text.parse::<FoldCount>().map_err(named)).transpose()?;
    match reader.text("valid") {
        Some(valid) if folds.is_some() && valid != "none" => {
            let message = format!("the folds are the validation parts: leave out {}", setting("valid", valid));
            Err(reader.wrong("cv", &message))
        }
        _ => Ok(folds),
    }
}

/// Whether `--on-divergence` asks for another attempt, which only a run of one network can make.
pub(super) fn retry(reader: &Reader, of_folds: bool) -> Result<bool> {
    let several = of_folds || reader.count("ensemble", 1, &[])?.is_some_and(|n| n > 1);
    match reader.text("on_divergence").as_deref() {
        None | Some("stop") => Ok(false),
        Some("retry") if several => {
            let (ensemble, cv) = (option("ensemble"), option("cv"));
            let message = format!("retry needs a single network: remove {ensemble} and {cv}, or use stop");
            Err(reader.wrong("on_divergence", &message))
        }
        Some("retry") => Ok(true),
        Some(other) => Err(reader.wrong("on_divergence", &format!("expected stop or retry, found \"{other}\""))),
    }
}

/// The number of networks of `--ensemble`; with folds it is the number of folds.
pub(super) fn members(reader: &Reader, cv: Option<FoldCount>) -> Result<usize> {
    let Some(members) = reader.count("ensemble", 1, &[])?.map(|n| n as usize).filter(|n| *n > 1) else { return Ok(1) };
    if let Some(folds) = cv.map(FoldCount::all).filter(|folds| *folds != members) {
        let (cv, ensemble) = (option("cv"), setting("ensemble", folds));
        let message = format!("with {cv} the networks are those of the {folds} folds: give {ensemble}");
        return Err(reader.wrong("ensemble", &message));
    }
    Ok(members)
}
