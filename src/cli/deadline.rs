//! `--time-limit` while data are read, when nothing can be saved yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use gradlane::Error;

use super::exit;

/// Ends the program at a moment, unless reading is over by then. Reading may wait for a pipe, so a thread of its own watches.
pub struct Deadline(Arc<AtomicBool>);

impl Deadline {
    /// Begins to watch; never ends anything without a limit.
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
            // Without a thread the limit counts from the first step on.
            let _ = std::thread::Builder::new().spawn(watch);
        }
        Deadline(over)
    }

    /// Says that reading is over.
    pub fn reading_is_over(self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
