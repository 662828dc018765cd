//! Durations, and intervals between repeated actions.

use std::time::Duration;

use crate::fit::Every;

/// A duration: `90s`, `10m`, `2h`, or a number of seconds.
///
/// # Errors
/// What was expected, if the text is something else.
pub fn duration(text: &str) -> std::result::Result<Duration, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, text.as_bytes()[text.len() - 1]),
        None => (text, b's'),
    };
    let seconds = match unit {
        b'm' => 60.0,
        b'h' => 3600.0,
        _ => 1.0,
    };
    let length = number.parse::<f64>().ok().and_then(|n| Duration::try_from_secs_f64(n * seconds).ok());
    length.ok_or_else(|| format!("expected a time such as 90s, 10m or 2h, found \"{text}\""))
}

/// `500steps`, a duration, or `none`.
pub(super) fn every(text: &str) -> std::result::Result<Option<Every>, String> {
    let steps = text.strip_suffix("steps").and_then(|number| number.trim().parse::<u64>().ok()).filter(|n| *n > 0);
    match (text, steps) {
        ("none", _) => Ok(None),
        (_, Some(steps)) => Ok(Some(Every::Steps(steps))),
        _ => match duration(text) {
            Ok(time) => Ok(Some(Every::Seconds(time.as_secs_f64()))),
            Err(_) => Err(format!("expected 500steps, a time such as 30s or 10m, or none, found \"{text}\"")),
        },
    }
}
