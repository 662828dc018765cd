//! The weights as an archive of NumPy arrays, one for each tensor.

use std::io::{self, Write};

use zip::write::{SimpleFileOptions, ZipWriter};

use crate::data::write_header;
use crate::model::Model;

/// Writes every tensor as 32-bit floats under its name in the model's file.
pub(super) fn write(model: &Model, out: &mut dyn Write) -> io::Result<()> {
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).large_file(true);
    let mut archive = ZipWriter::new_stream(out);
    for tensor in model.tensors() {
        archive.start_file(format!("{}.npy", tensor.name), options)?;
        let sizes: String = tensor.shape.iter().map(|size| format!("{size},")).collect();
        write_header("<f4", &format!("({sizes})"), &mut archive)?;
        let bytes: Vec<u8> = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        archive.write_all(&bytes)?;
    }
    archive.finish()?;
    Ok(())
}
