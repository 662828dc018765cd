//! The pack of a source: the source itself, or a temporary pack made from it.

use std::env::temp_dir;

use super::file::PackFile;
use super::write::Packer;
use crate::data::format::format_of;
use crate::data::input::Input;
use crate::data::mapped::Mapped;
use crate::data::options::{Format, ReadOptions};
use crate::data::source::Source;
use crate::{Error, Result, Warning};

/// Notes and warnings about a source that was packed first.
pub(in crate::data) struct SourceRemarks {
    pub(in crate::data) notes: Vec<String>,
    pub(in crate::data) warnings: Vec<Warning>,
}

/// The source, if it is a pack, or else a pack made from it in the folder for temporary files. The temporary file has
/// no name, so the system frees its space when the program ends for any reason.
///
/// # Errors
/// Those of reading the source and writing a pack; [`Error::Option`] for images.
pub(in crate::data) fn pack_of(source: &Source, options: &ReadOptions) -> Result<(PackFile, Option<SourceRemarks>)> {
    let path = source.name();
    match Input::open(source)?.refuse_misfits(options)? {
        Input::Folder(_) => return Err(images(source)),
        Input::File(source, opened) if format_of(&source, &opened, options) == Format::Pack => {
            return Ok((PackFile::new(path, opened.into_mapped()?)?, None));
        }
        Input::File(source, opened) if format_of(&source, &opened, options) == Format::Idx => {
            return Err(images(&source));
        }
        Input::File(..) | Input::Parts(_) => {}
    }
    let packer = Packer::new(std::slice::from_ref(source), options)?;
    let folder = temp_dir();
    let failed = |e| Error::io(&folder, e);
    let mut file = tempfile::tempfile_in(&folder).map_err(failed)?;
    let bytes = packer.write_to(&folder, &mut file)?;
    let pack = PackFile::new(path, Mapped::file(&file).map_err(failed)?)?;
    let mut notes = packer.notes().to_vec();
    notes.push(format!(
        "pack: {} is packed first, {:.1} MB in {} while the run lasts (gradlane data pack keeps such a file, TMPDIR names the folder)",
        path.display(),
        bytes as f64 / 1e6,
        folder.display()
    ));
    Ok((pack, Some(SourceRemarks { notes, warnings: packer.warnings().to_vec() })))
}

fn images(source: &Source) -> Error {
    let path = source.name().display();
    let message = format!("it is for tables, and {path} holds images, which are read whole: leave it out");
    Error::Usage(message).of_value("shuffle", "blocks")
}
