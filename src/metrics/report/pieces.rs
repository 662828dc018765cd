//! Work on many rows, shared out to the threads of the pool; sums do not depend on the number of threads.

use std::ops::Range;

use rayon::prelude::*;

/// Rows of a piece.
const PIECE: usize = 4096;

/// The results of `work` for each piece of `rows` rows with `width` outputs, in order. A small amount of work stays on the
/// calling thread, since small networks that train side by side would wait for each other in the pool.
pub fn by_pieces<T: Send>(rows: usize, width: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let piece = |number: usize| number * PIECE..((number + 1) * PIECE).min(rows);
    let pieces = rows.div_ceil(PIECE);
    if is_little(rows, width) {
        (0..pieces).map(|number| work(piece(number))).collect()
    } else {
        (0..pieces).into_par_iter().map(|number| work(piece(number))).collect()
    }
}

/// The same for columns; `start` makes a memory for each thread.
pub fn by_columns<T: Send, M>(
    (rows, columns): (usize, usize),
    start: impl Fn() -> M + Sync + Send,
    work: impl Fn(&mut M, usize) -> T + Sync + Send,
) -> Vec<T> {
    if is_little(rows, columns) {
        let mut memory = start();
        return (0..columns).map(|column| work(&mut memory, column)).collect();
    }
    (0..columns).into_par_iter().map_init(start, work).collect()
}

fn is_little(rows: usize, width: usize) -> bool {
    rows * width <= 4 * PIECE
}
