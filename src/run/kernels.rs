//! The kernels that a run or a search was begun with, and may go on with.

use crate::option_text::setting;
use crate::{Error, Result};

/// Refuses to continue `what`, such as `run`, with kernels that give other bits than those it was begun with: `begun_fused` and
/// `now_fused` say whether those and these [fuse](crate::kernel::Isa::fuses) multiply-adds.
///
/// # Errors
/// [`Error::Mismatch`].
pub fn check_kernels(what: &str, begun_fused: bool, now_fused: bool) -> Result<()> {
    if begun_fused == now_fused {
        return Ok(());
    }
    let (with, remedy) = if begun_fused { ("avx2 or avx512", "auto") } else { ("portable", "portable") };
    let (with, remedy) = (setting("isa", with), setting("isa", remedy));
    Err(Error::Mismatch(format!("the {what} was begun with {with}, and others give other bits: try {remedy}")))
}
