//! The memory of kernels: lines of 16 floats, aligned to cache lines.

/// 16 floats on one cache line: one AVX-512 register, two of AVX2.
///
/// Activations are lines of 16 samples, weights lines of 16 outputs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub struct Line(pub [f32; 16]);

/// Floats in a [`Line`].
pub const LANES: usize = 16;

impl Line {
    /// All zero.
    pub const ZERO: Line = Line([0.0; LANES]);

    /// `x` in every lane.
    pub const fn splat(x: f32) -> Line {
        Line([x; LANES])
    }
}

/// A zeroed buffer of `lines` lines. Its pages are touched here, so training causes no page faults in it.
pub fn zeroed(lines: usize) -> Vec<Line> {
    let mut buffer = Vec::with_capacity(lines);
    buffer.resize(lines, Line::ZERO);
    buffer
}

/// Whether memory for this many floats can be allocated.
pub fn has_room(floats: usize) -> bool {
    let mut room: Vec<f32> = Vec::new();
    let enough = room.try_reserve_exact(floats).is_ok();
    enough && std::hint::black_box(&room).capacity() >= floats // looked at, or the compiler would leave it out
}

/// How many lines or panels hold `n` items, 16 each.
pub const fn panels(n: usize) -> usize {
    n.div_ceil(LANES)
}

/// Lines from one panel to the next, for panels of `rows` lines: `rows`, padded where panels would otherwise share few cache
/// sets. Strides that are powers of two alias in L1 and L2, so the stride of a large panel is 17 modulo 64 lines, that of a
/// very large one at least 128 modulo 2048.
pub const fn panel_stride(rows: usize) -> usize {
    if rows < 64 {
        return rows;
    }
    let mut stride = rows;
    while stride % 64 != 17 || (rows >= 1536 && stride % 2048 < 128) {
        stride += 1;
    }
    stride
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_hold_their_panels_and_do_not_alias() {
        for rows in [1, 5, 63, 64, 65, 257, 785, 1025, 1536, 2049, 4097] {
            let stride = panel_stride(rows);
            assert!(stride >= rows && stride < rows + 256, "{rows} rows: stride {stride}");
            assert!(rows < 64 || stride % 64 == 17, "{rows} rows: stride {stride}");
        }
        assert_eq!(panels(1), 1);
        assert_eq!(panels(16), 1);
        assert_eq!(panels(17), 2);
    }
}
