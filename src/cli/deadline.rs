//! `--time-limit` while data are read, when there is nothing to save yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use gradlane::Error;

use super::exit;

/// Ends the program at a given time, unless reading is finished by then. Reading may block on a pipe, so a separate thread
/// watches.
pub struct Deadline(Arc<AtomicBool>);

impl Deadline {
    /// Starts to watch; without a limit it never ends the program.
    pub fn watch(end: Option<Instant>) -> Deadline {
        let over = Arc::new(AtomicBool::new(false));
        if let Some(end) = end {
            let over = Arc::clone(&over);
            let watch = move || {
                std::thread::sleep(end.saturating_duration_since(Instant::now()));
                if !over.load(Ordering::SeqCst) {
                    let message = "the time was up while the data were read: allow more with --time-limit";
                    exit::at_once(&Error::NoStep(message.to_owned()));
                }
            };
            // Without a thread, the limit is checked only from the first step.
            let _ = std::thread::Builder::new().spawn(watch);
        }
        Deadline(over)
    }

    /// Reports that reading is finished.
    pub fn reading_is_over(self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
