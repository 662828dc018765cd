//! Writes packs; see `data/pack.rs`.

use std::io::Write;

use super::{WriteFault, Written};
use crate::data::frame::Frame;
use crate::data::pack::{PackHeader, bytes_of, form_of};

pub(super) fn write(frame: &Frame, out: &mut dyn Write) -> Written {
    let form = |(name, cells)| form_of(name, cells).map_err(|message| WriteFault::column(name, message));
    let columns = frame.named().map(form).collect::<Result<_, WriteFault>>()?;
    let header = PackHeader { rows: frame.rows, named: frame.named, columns };
    let (bytes, tensors) = header.write().map_err(|message| WriteFault::Unfit(None, message))?;
    out.write_all(&bytes)?;
    for tensor in tensors {
        let element = header.columns[tensor.column].element;
        bytes_of(&frame.columns[tensor.column], tensor.part, element, &mut |bytes| out.write_all(bytes))?;
    }
    Ok(())
}
