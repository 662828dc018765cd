//! The curve of a range test, as a chart for a file and as text for the terminal.

use gradlane::experiment::LrFind;
use gradlane::report::{AxisScale, Chart, ChartAxis, Series};

/// Width and height of the text.
const COLUMNS: usize = 64;
const LINES: usize = 11;

/// A rate with two significant digits.
pub fn rate(value: f64) -> String {
    let rounded: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    if (1e-3..1e3).contains(&rounded) { format!("{rounded}") } else { format!("{rounded:e}") }
}

/// The range of losses to show: from the lowest to somewhat above the first, since a diverging loss exceeds every scale.
fn shown(found: &LrFind) -> (f64, f64) {
    let defined = || found.loss.iter().flatten().copied();
    let (first, lowest) = (defined().next().unwrap_or(1.0), defined().fold(f64::INFINITY, f64::min));
    let room = (0.25 * (first - lowest)).max(0.05 * first.abs()).max(f64::MIN_POSITIVE);
    (lowest, first + room)
}

/// Index of the colour of the crosses where the loss is above the chart.
const ABOVE: usize = 0;
/// One in this many of these positions gets a cross, so that crosses do not overlap.
const EVERY: usize = 8;

/// The parts of the line below `top`, and the positions where it is above.
fn cut(line: &[(f64, f64)], top: f64) -> (Vec<(f64, f64)>, Vec<f64>) {
    let crossing = |a: (f64, f64), b: (f64, f64)| {
        let part = (top - a.1) / (b.1 - a.1);
        (a.0 * libm::pow(b.0 / a.0, part), top)
    };
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (at, point) in line.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| line[at]);
        let crosses =
            |other: &(f64, f64)| (other.1 > top) != (point.1 > top) && other.1.is_finite() && point.1.is_finite();
        kept.extend(before.filter(crosses).map(|before| crossing(before, *point)));
        kept.push(if point.1 > top { (point.0, f64::NAN) } else { *point });
    }
    let above = line.iter().filter(|point| point.1.is_nan() || point.1 > top).step_by(EVERY).map(|point| point.0);
    (kept, above.collect())
}

/// The median with the spread of the seeds, the recommended band shaded, and the recommended rate marked.
pub fn chart(found: &LrFind) -> Chart {
    let points = found.rates.iter().zip(&found.loss);
    let line: Vec<(f64, f64)> = points.map(|(rate, loss)| (*rate, loss.unwrap_or(f64::NAN))).collect();
    let (line, above) = cut(&line, shown(found).1);
    let spread = |(step, rate): (usize, &f64)| {
        let values: Vec<f64> = found.losses.iter().filter_map(|losses| losses.get(step).copied()).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (values.len() == found.losses.len()).then_some((*rate, low, high))
    };
    let seeds = found.sweep.seeds;
    let name = if seeds == 1 { "loss".to_owned() } else { format!("median loss of {seeds} seeds, and their spread") };
    let top = shown(found).1;
    let spreads = found.rates.iter().enumerate().filter_map(spread);
    let band = spreads.map(|(rate, low, high)| (rate, low.min(top), high.min(top))).collect();
    let mut series = vec![Series { name, line, band, ..Series::default() }];
    if !above.is_empty() {
        let name = "above the chart, or not a number".to_owned();
        series.push(Series { name, colour: ABOVE, off_scale: above, ..Series::default() });
    }
    if let Some(recommended) = found.recommended {
        let step = found.rates.iter().position(|r| *r >= recommended).unwrap_or(0);
        let marks = found.loss[step].iter().map(|loss| (recommended, *loss)).collect();
        series.push(Series {
            name: format!("recommended: {}", rate(recommended)),
            colour: 1,
            marks,
            ..Series::default()
        });
    }
    let description = match (found.recommended, found.band) {
        (Some(recommended), Some(band)) => format!(
            "The loss begins to fall at a learning rate of {} and is lowest at {}; recommended is {}.",
            rate(band.low),
            rate(band.high),
            rate(recommended)
        ),
        _ => "The loss falls at no learning rate of the range.".to_owned(),
    };
    Chart {
        id: "lr-find".to_owned(),
        title: "Learning-rate range test".to_owned(),
        description,
        x: ChartAxis::new("learning rate", AxisScale::Log),
        y: ChartAxis { ends: Some(shown(found)), ..ChartAxis::new("smoothed loss", AxisScale::Linear) },
        series,
        levels: Vec::new(),
        spans: found.band.iter().map(|band| (band.low, band.high)).collect(),
        span_name: found.band.map_or(String::new(), |band| format!("band: {} to {}", rate(band.low), rate(band.high))),
    }
}

/// The median as lines of text, with the band and the recommended rate below.
pub fn text(found: &LrFind) -> String {
    let (low, high) = shown(found);
    let steps = found.rates.len();
    let column_of = |step: usize| step * COLUMNS / steps;
    let mut cells = vec![[' '; COLUMNS]; LINES];
    for (step, loss) in found.loss.iter().enumerate() {
        let height = loss.map_or(1.0, |loss| ((loss - low) / (high - low)).clamp(0.0, 1.0));
        let line = ((1.0 - height) * (LINES - 1) as f64).round() as usize;
        cells[line][column_of(step)] = if loss.is_some_and(|loss| loss <= high) { '•' } else { '^' };
    }
    let mut below = [' '; COLUMNS];
    let step_of = |wanted: f64| found.rates.iter().position(|rate| *rate >= wanted * (1.0 - 1e-9)).unwrap_or(steps - 1);
    if let Some(band) = found.band {
        below[column_of(step_of(band.low))..=column_of(step_of(band.high))].fill('─');
    }
    if let Some(recommended) = found.recommended {
        below[column_of(step_of(recommended))] = '▲';
    }
    let mut text = String::new();
    for (number, line) in cells.iter().enumerate() {
        let label = match number {
            0 => format!("{high:.3}"),
            n if n == LINES - 1 => format!("{low:.3}"),
            _ => String::new(),
        };
        text += &format!("{label:>9} │{}\n", line.iter().collect::<String>().trim_end());
    }
    text += &format!("{:>9} │{}\n", "band", below.iter().collect::<String>().trim_end());
    let (first, last) = (rate(found.sweep.from), rate(found.sweep.to));
    let above =
        if cells[0].contains(&'^') { format!("{:>11}^ above the top, or not a number\n", "") } else { String::new() };
    text += &format!(
        "{:>9} └{}\n{:>11}{:<half$}{:>half$}\n",
        "loss",
        "─".repeat(COLUMNS),
        "",
        first,
        last,
        half = COLUMNS / 2
    );
    text + &above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_where_it_leaves_the_chart() {
        let (line, above) = cut(&[(1.0, 1.0), (100.0, 3.0), (1e3, 9.0), (1e4, 1.0)], 2.0);
        assert_eq!(above, [100.0]);
        assert_eq!((line[0], line[1]), ((1.0, 1.0), (10.0, 2.0)), "half the way on the logarithmic axis");
        assert!(line[2].1.is_nan() && line[3].1.is_nan());
        assert_eq!((line[4].1, line[5]), (2.0, (1e4, 1.0)));
    }
}
