//! SIGINT and SIGTERM.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gradlane::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// What a signal does: it ends the program with its exit code while data are read and there is nothing to save; once training
/// [holds](Signals::hold) it, the first asks the run to end after the step at hand and to save, and the second ends the program.
pub struct Signals {
    number: Arc<AtomicUsize>,
    at_once: Arc<AtomicBool>,
}

impl Signals {
    /// From now on a signal ends the program with its exit code.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses.
    pub fn catch() -> Result<Signals> {
        let signals = Signals { number: Arc::default(), at_once: Arc::new(AtomicBool::new(true)) };
        for number in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(number, 128 + number, Arc::clone(&signals.at_once))
                .and_then(|_| flag::register(number, Arc::clone(&signals.at_once)))
                .and_then(|_| flag::register_usize(number, Arc::clone(&signals.number), number as usize))
                .map_err(|e| Error::io(Path::new("<signals>"), e))?;
        }
        Ok(signals)
    }

    /// From now on a run looks at the number of the signal, 0 without one, and ends by itself.
    pub fn hold(self) -> Arc<AtomicUsize> {
        self.at_once.store(false, Ordering::SeqCst);
        self.number
    }
}
