//! The structure of a row, its conversion to the inputs of a network, and the parsing of rows.

use super::CSource;
use super::names::{comment, double, float, list, text};
use crate::data::normal::{CENTRE, Rational, SIDES, TAILS};
use crate::data::{Inputs, Keys, Places, Shape, parse_number};
use crate::export::plan::{ExportPlan, NumberSteps, PlannedColumn, RowKind, What};

/// The fields of `gradlane_row`.
pub(super) fn fields(plan: &ExportPlan<'_>, names: &[String]) -> String {
    if let RowKind::Images { shape, .. } = &plan.rows {
        return format!("    unsigned char image[{}]; /* bytes of an image of shape {shape:?} */\n", plan.inputs);
    }
    let field = |(column, name): (&PlannedColumn<'_>, &String)| {
        let (kind, what) = match &column.what {
            What::Number(number) => ("double ", number.counts.parsed().unwrap_or("a number")),
            What::Category(places) => match places.keys {
                Keys::Numbers(_) => ("double ", "a category given by its number"),
                Keys::Texts { .. } => ("const char *", "a category"),
            },
        };
        format!("    {kind}{name}; /* \"{}\": {what} */\n", comment(column.name))
    };
    plan.named(names).map(field).collect()
}

/// Adds the function `gl_inputs`.
pub(super) fn inputs(plan: &ExportPlan<'_>, names: &[String], source: &mut CSource) {
    let mut body = String::new();
    match &plan.rows {
        RowKind::Images { scale, .. } => {
            body += &format!(
                "    int at;\n    for (at = 0; at < {}; at++) x[at] = row->image[at] * {};\n",
                plan.inputs,
                float(*scale)
            );
        }
        RowKind::Columns(columns) => {
            let has = |wanted: fn(&What<'_>) -> bool| columns.iter().any(|column| wanted(&column.what));
            let texts = has(|what| matches!(what, What::Category(Places { keys: Keys::Texts { .. }, .. })));
            let numbers = has(|what| !matches!(what, What::Category(Places { keys: Keys::Texts { .. }, .. })));
            let categories = has(|what| matches!(what, What::Category(_)));
            body += if numbers { "    double v;\n" } else { "" };
            body += if has(|what| matches!(what, What::Number(_))) { "    double z;\n" } else { "" };
            body += if categories { "    int place;\n" } else { "" };
            body += if texts { "    const char *text;\n    size_t length;\n" } else { "" };
            for (number, (column, name)) in columns.iter().zip(names).enumerate() {
                body += &match &column.what {
                    What::Number(what) => of_number((column, name, number + 1), what, source),
                    What::Category(places) => of_category((column, name, number + 1), places, source),
                };
            }
        }
    }
    source.code += &format!(
        "\n/* The inputs of the network; 0, or the number of the column that cannot be used. */\n\
         static int gl_inputs(const gradlane_row *row, float *x)\n{{\n{body}    return 0;\n}}\n"
    );
}

/// The value of a column, NaN if the number stands for a missing value.
fn value(column: &PlannedColumn<'_>, name: &str) -> String {
    let markers = column.missing_numbers().into_iter();
    let markers = markers.map(|marker| format!("    if (v == {}) v = NAN;\n", double(marker)));
    format!("    v = row->{name};\n") + &markers.collect::<String>()
}

fn of_number(
    (column, name, number): (&PlannedColumn<'_>, &str, usize),
    what: &NumberSteps<'_>,
    source: &mut CSource,
) -> String {
    let at = column.at;
    let mut body = value(column, name);
    let wrong = column.number;
    body += &format!("    if (isinf(v)) return {wrong};\n");
    let (fill, center, scale) = (double(what.fill), double(what.center), double(what.scale));
    body += &format!("    z = ((isnan(v) ? {fill} : v) - ({center})) / {scale};\n");
    body += &match what.shape {
        Shape::Line => format!("    if (!(fabs(z) <= FLT_MAX)) return {wrong};\n    x[{at}] = (float)z;\n"),
        Shape::SmoothClip => {
            source.helpers.insert("gl_smooth_clip");
            format!("    x[{at}] = (float)gl_smooth_clip(z);\n")
        }
        Shape::Normal(quantiles) => {
            if source.helpers.insert("gl_normal") {
                source.tables += &ratios();
            }
            let (list_name, count) = (format!("gl_quantiles_{number}"), quantiles.len());
            source.tables += &format!("\nstatic const double {list_name}[{count}] = {{\n");
            source.tables += &(list(quantiles.iter().map(|q| double(*q))) + "};\n");
            format!("    x[{at}] = (float)gl_normal(z, {list_name}, {count});\n")
        }
    };
    for (cycle, period) in what.periods.iter().enumerate() {
        source.helpers.insert("gl_wave");
        body += &format!("    gl_wave(v / {}, x + {});\n", double(*period), at + 1 + 2 * cycle);
    }
    if what.indicator {
        body += &format!("    x[{}] = isnan(v) ? 1.0f : 0.0f;\n", at + 1 + 2 * what.periods.len());
    }
    body
}

/// The coefficients of the normal quantile.
fn ratios() -> String {
    let ratio = |(name, ratio): (&str, &Rational)| {
        let rows = ratio.iter().map(|terms| format!("{{\n{}}}", list(terms.iter().map(|term| double(*term)))));
        format!("\nstatic const double {name}[2][8] = {{{}}};\n", rows.collect::<Vec<_>>().join(", "))
    };
    [("gl_centre", &CENTRE), ("gl_sides", &SIDES), ("gl_tails", &TAILS)].into_iter().map(ratio).collect()
}

fn of_category(
    (column, name, number): (&PlannedColumn<'_>, &str, usize),
    places: &Places,
    source: &mut CSource,
) -> String {
    let mut body = match &places.keys {
        Keys::Numbers(numbers) => {
            let mut body = value(column, name);
            body += &place_of_number(numbers, number, "v", source);
            body + &format!("    if (isnan(v)) place = {};\n", places.missing)
        }
        Keys::Texts { exact, normal } => place_of_text((column, name, number), [exact, normal], places.missing, source),
    };
    body += &format!("    if (place < 0) place = {};\n", places.other);
    let at = column.at;
    body + &match &places.inputs {
        Inputs::Each(pairs) if pairs.is_empty() => String::new(),
        Inputs::Each(pairs) => {
            source.helpers.insert("gl_each");
            let rows = pairs.iter().map(|[without, with]| format!("{{{}, {}}}", float(*without), float(*with)));
            source.tables += &format!("\nstatic const float gl_inputs_{number}[{}][2] = {{\n", pairs.len());
            source.tables += &(list(rows) + "};\n");
            format!("    gl_each(gl_inputs_{number}, {}, place, x + {at});\n", pairs.len())
        }
        Inputs::One(values) => {
            source.tables += &format!("\nstatic const float gl_inputs_{number}[{}] = {{\n", values.len());
            source.tables += &(list(values.iter().map(|value| float(*value))) + "};\n");
            format!("    x[{at}] = gl_inputs_{number}[place];\n")
        }
    }
}

/// Looks up a text: first among levels and missing values as they are written, then in other spellings, then as a number.
/// `place` is −1 if it is not found.
fn place_of_text(
    (column, name, number): (&PlannedColumn<'_>, &str, usize),
    [exact, normal]: [&[(String, usize)]; 2],
    missing: usize,
    source: &mut CSource,
) -> String {
    fn entries(keys: &[(String, usize)]) -> Vec<(&str, usize)> {
        keys.iter().map(|(key, place)| (key.as_str(), *place)).collect()
    }
    source.helpers.extend(["gl_trim", "gl_find"]);
    source.longest = exact.iter().chain(normal).map(|(key, _)| key.len()).fold(source.longest, usize::max);
    let markers = column.missing.texts().iter().map(|marker| (marker.as_str(), missing));
    let known = entries(exact).into_iter().chain(markers).chain([("", missing)]).collect();
    let (list, count) = entry_list(("texts", number), known, source);
    let mut body = format!("    text = gl_trim(row->{name} == NULL ? \"\" : row->{name}, &length);\n");
    body += &format!("    place = gl_find({list}, {count}, text, length);\n");
    if !normal.is_empty() {
        source.helpers.insert("gl_find_normal");
        let (list, count) = entry_list(("normal", number), entries(normal), source);
        body += &format!("    if (place < 0) place = gl_find_normal({list}, {count}, text, length);\n");
    }
    body + &numbers_among(normal, (column, missing), number, source)
}

/// A sorted list of texts without duplicates; the first of equal ones counts.
fn entry_list((what, number): (&str, usize), mut entries: Vec<(&str, usize)>, source: &mut CSource) -> (String, usize) {
    entries.sort_by_key(|(key, _)| key.as_bytes());
    entries.dedup_by_key(|(key, _)| *key);
    let name = format!("gl_{what}_{number}");
    source.tables += &format!("\nstatic const gl_entry {name}[{}] = {{\n", entries.len());
    source.tables += &(list(entries.iter().map(|(key, place)| format!("{{{}, {place}}}", text(key)))) + "};\n");
    (name, entries.len())
}

/// Looks up a number; `place` is −1 if it is not found.
fn place_of_number(numbers: &[(f64, usize)], number: usize, value: &str, source: &mut CSource) -> String {
    if numbers.is_empty() {
        return "    place = -1;\n".to_owned();
    }
    source.helpers.insert("gl_place_of_number");
    let count = numbers.len();
    source.tables += &format!("\nstatic const double gl_numbers_{number}[{count}] = {{\n");
    source.tables += &(list(numbers.iter().map(|(value, _)| double(*value))) + "};\n");
    source.tables += &format!("\nstatic const int gl_places_{number}[{count}] = {{\n");
    source.tables += &(list(numbers.iter().map(|(_, place)| place.to_string())) + "};\n");
    format!("    place = gl_place_of_number(gl_numbers_{number}, gl_places_{number}, {count}, {value});\n")
}

/// Levels and missing values that are numbers, so that any spelling of the number matches.
fn numbers_among(
    normal: &[(String, usize)],
    (column, missing_at): (&PlannedColumn<'_>, usize),
    number: usize,
    source: &mut CSource,
) -> String {
    let value = |(key, place): &(String, usize)| Some((parse_number(key)?, *place));
    let markers = column.missing_numbers().into_iter().map(|marker| (marker, missing_at));
    let numbers: Vec<(f64, usize)> = markers.chain(normal.iter().filter_map(value)).collect();
    if numbers.is_empty() {
        return String::new();
    }
    source.helpers.insert("gl_number");
    let found = place_of_number(&numbers, number, "gl_number(text, length)", source);
    found.replacen("    place", "    if (place < 0) place", 1)
}

/// Statements that read the columns of a row from the cells of a line.
pub(super) fn reading(plan: &ExportPlan<'_>, names: &[String]) -> String {
    if let RowKind::Images { .. } = plan.rows {
        let inputs = plan.inputs;
        return format!(
            "        for (at = 0; at < {inputs}; at++) row.image[at] = (unsigned char)gl_cell_number(&rest);\n"
        );
    }
    let statement = |(column, name): (&PlannedColumn<'_>, &String)| {
        let is_text = matches!(&column.what, What::Category(Places { keys: Keys::Texts { .. }, .. }));
        format!("        row.{name} = gl_cell{}(&rest);\n", if is_text { "" } else { "_number" })
    };
    plan.named(names).map(statement).collect()
}
