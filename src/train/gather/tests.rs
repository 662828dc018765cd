//! Gathering against plain loops: every small width, full and partial panels, numbers and bytes.

use super::*;

const ROWS: usize = 50;

/// Row numbers of a panel: scattered, one of them twice.
fn panel_rows(count: usize) -> Vec<u32> {
    (0..count as u32).map(|i| if i == 7 { 3 } else { (i * 37 + 3) % ROWS as u32 }).collect()
}

fn check(features: &Features, value: impl Fn(usize) -> f32) {
    let cols = features.cols();
    for isa in Isa::available() {
        for count in 0..=LANES {
            let rows = panel_rows(count);
            let mut panel = vec![Line::splat(f32::NAN); cols];
            gather_inputs(isa, features, &rows, &mut panel);
            for (col, line) in panel.iter().enumerate() {
                for (lane, got) in line.0.iter().enumerate() {
                    let expected = rows.get(lane).map_or(0.0, |row| value(*row as usize * cols + col));
                    assert_eq!(*got, expected, "{} {cols} columns, {count} rows: [{lane}][{col}]", isa.name());
                }
            }
        }
    }
}

#[test]
fn numbers_are_gathered_as_they_are() {
    for cols in 1..=40 {
        let values: Vec<f32> = (0..ROWS * cols).map(|i| i as f32 - 100.25).collect();
        check(&Features::F32 { values: values.clone(), cols }, |i| values[i]);
    }
}

#[test]
fn bytes_are_gathered_times_their_scale() {
    let scale = 1.0 / 255.0;
    for cols in 1..=40 {
        let values: Vec<u8> = (0..ROWS * cols).map(|i| (i * 31 % 256) as u8).collect();
        check(&Features::U8 { values: values.clone(), cols, scale }, |i| f32::from(values[i]) * scale);
    }
}

#[test]
fn targets_of_missing_rows_are_zero() {
    for count in 0..=LANES {
        let rows = panel_rows(count);
        let labels: Vec<u32> = (0..ROWS as u32).map(|row| row % 7 + 1).collect();
        let classes = Targets::Classes { labels: labels.clone(), classes: 8 };
        let mut label = Line::splat(f32::NAN);
        gather_targets(&classes, &rows, &mut label, &mut []);
        let numbers: Vec<f32> = (0..ROWS * 3).map(|i| i as f32 + 0.5).collect();
        let mut values = [Line::splat(f32::NAN); 3];
        let three = Targets::Values { values: numbers.clone(), units: None, cols: 3 };
        gather_targets(&three, &rows, &mut Line::splat(0.0), &mut values);
        for lane in 0..LANES {
            let row = rows.get(lane).map(|row| *row as usize);
            assert_eq!(label.0[lane], row.map_or(0.0, |row| labels[row] as f32));
            for (col, line) in values.iter().enumerate() {
                assert_eq!(line.0[lane], row.map_or(0.0, |row| numbers[row * 3 + col]));
            }
        }
    }
}
