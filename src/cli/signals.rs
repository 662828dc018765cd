//! SIGHUP, SIGINT and SIGTERM.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gradlane::path_text::to_text;
use gradlane::run::Interrupt;
use gradlane::{Error, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator;

use super::message;
use super::shell::quoted_path;

/// Signals within this time count as one: a closing terminal, or a supervisor, may send several.
const AT_ONCE: Duration = Duration::from_millis(500);
/// The time for figures after the first signal.
const GRACE: Duration = Duration::from_millis(800);
/// The pause before the program looks again whether the model is saved.
const LOOK: Duration = Duration::from_millis(20);

/// Handles signals. While data are read, a signal ends the program with its exit code, since there is nothing to save. Once
/// training [holds](Signals::hold) it, the first signal asks the run to end after the current step and to save; figures that are not
/// there in time are left out. A later one ends the program, after a save that is in progress.
pub struct Signals {
    interrupt: Arc<Interrupt>,
    held: Arc<AtomicBool>,
}

impl Signals {
    /// From now on, a signal ends the program with its exit code.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses.
    pub fn catch() -> Result<Signals> {
        let signals = Signals { interrupt: Arc::default(), held: Arc::default() };
        // `nohup` ignores SIGHUP, and it must stay ignored.
        let hang_up = (!is_ignored(SIGHUP)).then_some(SIGHUP);
        let mut incoming = iterator::Signals::new([SIGINT, SIGTERM].into_iter().chain(hang_up))
            .map_err(|e| Error::io(Path::new("<signals>"), e))?;
        let (interrupt, held) = (Arc::clone(&signals.interrupt), Arc::clone(&signals.held));
        let heed = move || {
            let mut first: Option<Instant> = None;
            for number in incoming.forever() {
                let set = |interrupt: &Interrupt| {
                    let order = Ordering::SeqCst;
                    interrupt.number().compare_exchange(0, number as usize, order, order).is_ok()
                };
                let is_held = held.load(Ordering::SeqCst);
                if is_held && set(&interrupt) {
                    first = Some(Instant::now());
                    end_without_figures(Arc::clone(&interrupt), number);
                } else if is_held && first.is_some_and(|at| at.elapsed() < AT_ONCE) {
                    // The same signal once more.
                } else {
                    let _saved = interrupt.save();
                    gradlane::atomic::exit(128 + number);
                }
            }
        };
        // The system may refuse a thread.
        std::thread::Builder::new().spawn(heed).map_err(|e| Error::io(Path::new("<signals>"), e))?;
        Ok(signals)
    }

    /// From now on, the run checks the number of the signal (0 without one) and ends by itself.
    pub fn hold(self) -> Arc<Interrupt> {
        self.held.store(true, Ordering::SeqCst);
        self.interrupt
    }
}

/// Ends the program in time after the first signal, once its model is saved: the figures of a large network may take longer.
fn end_without_figures(interrupt: Arc<Interrupt>, number: i32) {
    let wait = move || {
        std::thread::sleep(GRACE);
        let (_saved, run) = loop {
            let guard = interrupt.save();
            if let Some(run) = interrupt.saved() {
                break (guard, quoted_path(&to_text(&run)));
            }
            drop(guard);
            std::thread::sleep(LOOK);
        };
        message::note(&format!(
            "the signal came before the figures: the model is saved; go on with: gradlane resume {run}"
        ));
        gradlane::atomic::exit(128 + number);
    };
    // Without the thread, the figures are waited for.
    let _ = std::thread::Builder::new().spawn(wait);
}

/// Makes a write beyond the limit on file sizes fail with an error, where SIGXFSZ would kill the program during it.
pub fn survive_limits() {
    // The flag is not used: a handler is enough for the write to return. Without one the signal keeps its effect.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}

/// Whether a signal was ignored when the program started, as Linux reports it.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
