//! Number of rows from which on the mean of a level says more than chance.

use super::table::MISSING;
use super::targets::Targets;

/// Number of rows at which the mean of a level and the mean of all rows count equally: Bühlmann 1967,
/// <https://doi.org/10.1017/S0515036100008989>. With the variance `w` of targets within levels and the variance `b`
/// between the true means of levels, the mean of `n` rows has weight `n / (n + w / b)`. The number is `w / b`, or
/// infinite if levels do not differ by more than chance.
///
/// `w` and `b` are those of the one-way analysis of variance: `w = SSW / (N − L)` and
/// `b = (SSB − (L − 1) w) / (N − Σ n² / N)` for `N` rows with `L` levels, summed over the columns of the targets. A
/// class is a column of zeros and ones. `codes` are the levels of the rows of `targets`; rows without a level are left out.
pub(super) fn rows_needed(codes: &[u32], targets: &Targets) -> f64 {
    let mut order: Vec<u32> = (0..codes.len() as u32).filter(|row| codes[*row as usize] != MISSING).collect();
    let of_row = |row: u32| (codes[row as usize], class_of(targets, row));
    order.sort_unstable_by_key(|row| of_row(*row));
    let levels = || order.chunk_by(|a, b| codes[*a as usize] == codes[*b as usize]);
    let (rows, count) = (order.len() as f64, levels().count() as f64);
    let squares: f64 = levels().map(|level| (level.len() * level.len()) as f64).sum();
    let (of_rows, of_levels, of_all) = match targets {
        Targets::Classes { classes, .. } => {
            let mut all = vec![0.0; *classes];
            let mut of_levels = 0.0;
            for level in levels() {
                for class in level.chunk_by(|a, b| of_row(*a) == of_row(*b)) {
                    of_levels += (class.len() * class.len()) as f64 / level.len() as f64;
                    all[class_of(targets, class[0]) as usize] += class.len() as f64;
                }
            }
            (rows, of_levels, all.iter().map(|n| n * n).sum::<f64>() / rows)
        }
        Targets::Values { values, cols, .. } => {
            let value = |row: u32, col: usize| f64::from(values[row as usize * cols + col]);
            let sum = |rows: &[u32], col: usize| rows.iter().map(|row| value(*row, col)).sum::<f64>();
            let part = |rows: &[u32], col: usize| sum(rows, col) * sum(rows, col) / rows.len() as f64;
            let each = |of: &dyn Fn(usize) -> f64| (0..*cols).map(of).sum::<f64>();
            let squared = |col: usize| order.iter().map(|row| value(*row, col) * value(*row, col)).sum::<f64>();
            let of_levels = |col: usize| levels().map(|level| part(level, col)).sum::<f64>();
            (each(&squared), each(&of_levels), each(&|col| part(&order, col)))
        }
    };
    if count < 2.0 || rows <= count {
        return f64::INFINITY;
    }
    let within = (of_rows - of_levels).max(0.0) / (rows - count);
    let between = (of_levels - of_all - (count - 1.0) * within) / (rows - squares / rows);
    if between > 0.0 { within / between } else { f64::INFINITY }
}

/// The class of a row; 0 if targets are numbers.
fn class_of(targets: &Targets, row: u32) -> u32 {
    match targets {
        Targets::Classes { labels, .. } => labels[row as usize],
        Targets::Values { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, stream};
    use rand::RngExt;

    /// Level means with variance `between`, and noise with variance 1 around them; both uniformly distributed.
    fn normal(between: f64, rows: usize, levels: u32) -> (Vec<u32>, Targets) {
        let mut rng = stream(11, Purpose::Synthetic, levels.into(), 0);
        let mut uniform = || (rng.random::<f64>() - 0.5) * 12f64.sqrt();
        let means: Vec<f64> = (0..levels).map(|_| between.sqrt() * uniform()).collect();
        let codes: Vec<u32> = (0..rows as u32).map(|row| row * 7919 % levels).collect();
        let values = codes.iter().map(|code| (means[*code as usize] + uniform()) as f32).collect();
        (codes, Targets::Values { values, units: None, cols: 1 })
    }

    #[test]
    fn the_rows_needed_are_the_quotient_of_the_variances() {
        for between in [0.05, 1.0, 9.0] {
            let (codes, targets) = normal(between, 20_000, 500);
            let found = rows_needed(&codes, &targets) * between;
            assert!((found - 1.0).abs() < 0.2, "{between}: {found}");
        }
        let (codes, targets) = normal(0.0, 20_000, 500);
        assert!(rows_needed(&codes, &targets) > 300.0, "levels that do not differ");
    }

    /// By hand: levels of 2 and 2 rows, the targets 0, 1 and 4, 5: SSW 1, SSB 16, w = 0.5, b = (16 − 0.5) / (4 − 2) = 7.75.
    #[test]
    fn figures_of_a_small_table() {
        let codes = [3, 8, 3, MISSING, 8];
        let targets = Targets::Values { values: vec![0.0, 5.0, 1.0, 99.0, 4.0], units: None, cols: 1 };
        assert!((rows_needed(&codes, &targets) - 0.5 / 7.75).abs() < 1e-12);
        // As two columns of zeros and ones: SSW = 2 · ½, SSB = 2 · ¼, w = 0.5, b = (0.5 − 0.5) / 2.
        let labels = Targets::Classes { labels: vec![0, 1, 1, 0, 1], classes: 2 };
        assert_eq!(rows_needed(&codes, &labels), f64::INFINITY);
        // The levels determine the classes.
        let labels = Targets::Classes { labels: vec![0, 1, 0, 0, 1], classes: 2 };
        assert_eq!(rows_needed(&codes, &labels), 0.0);
        assert_eq!(rows_needed(&[1, 2, 3], &Targets::Classes { labels: vec![0, 1, 0], classes: 2 }), f64::INFINITY);
    }
}
