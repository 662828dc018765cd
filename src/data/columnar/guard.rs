//! Converts panics of the `parquet` crate, which some damaged files cause, to errors.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use parquet::errors::{ParquetError, Result};

thread_local! {
    /// Whether this thread is in a guarded call.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Calls into the `parquet` crate. A panic becomes an error and prints nothing. After an error, values that the call
/// modifies must not be used.
///
/// # Errors
/// Those of the call, and one for a panic.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                usual(panic);
            }
        }));
    });
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(false);
    result.unwrap_or_else(|_| Err(ParquetError::General("a page or the metadata contradict themselves".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let error = guarded::<()>(|| panic!("a broken page")).unwrap_err();
        assert!(error.to_string().contains("contradict themselves"), "{error}");
        assert_eq!(guarded(|| Ok(1)).unwrap(), 1);
    }
}
