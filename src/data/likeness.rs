//! Detects texts that look like numbers, times or dates in an unsupported form.

use super::cell::brief;
use super::date::{self, Dates, MONTHS};
use crate::option_text::quoted;
use crate::warning::are;
use crate::{Warning, WarningKind};

/// Upper limit of the different shapes of cells in such a column.
const SHAPES: usize = 3;
/// Share of the rows that must be dates for a warning about the others.
const HALF: f64 = 0.5;
/// Words before numbers, in lower case.
const CURRENCIES: [&str; 4] = ["rs", "usd", "eur", "gbp"];
/// Units and words after numbers, in lower case.
const UNITS: [&str; 36] = [
    "am", "pm", "kg", "g", "mg", "lb", "lbs", "oz", "t", "km", "m", "cm", "mm", "mi", "ft", "in", "l", "ml", "dl", "h",
    "hr", "hrs", "min", "s", "sec", "ms", "k", "mio", "bn", "rs", "usd", "eur", "gbp", "kb", "mb", "gb",
];

/// The warning about a text column whose cells look like numbers, times or dates. `levels` are its levels with their
/// numbers of rows.
pub(super) fn unread_form(name: &str, levels: &[(&str, usize)]) -> Option<Warning> {
    dates_with_others(name, levels).or_else(|| unknown_form(name, levels))
}

/// The warning about a column of dates with too many other cells.
fn dates_with_others(name: &str, levels: &[(&str, usize)]) -> Option<Warning> {
    let (Dates::Form(form), rows) = date::mostly(levels, HALF)? else { return None };
    let (other, _) = levels.iter().filter(|(level, _)| form.parse(level).is_none()).max_by_key(|(_, rows)| *rows)?;
    let others = levels.iter().map(|(_, rows)| rows).sum::<usize>() - rows;
    let other = brief(other);
    let message = format!(
        "column \"{name}\" is read as text: {rows} cells are dates, and {} none, such as \"{other}\"; {} makes it a missing value",
        are(others, "cell"),
        quoted("na", format_args!("+{other}"))
    );
    Some(Warning::new(WarningKind::NumbersWithUnits, message).column(name).count(others))
}

fn unknown_form(name: &str, levels: &[(&str, usize)]) -> Option<Warning> {
    let mut shapes: Vec<(String, usize)> = Vec::new();
    for (level, _) in levels {
        let shape = shape(level);
        match shapes.iter().position(|(known, _)| *known == shape) {
            Some(at) => shapes[at].1 += 1,
            None if shapes.len() > 4 * SHAPES => return None,
            None => shapes.push((shape, 1)),
        }
    }
    shapes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let (first, _) = shapes.iter().find(|(shape, _)| shape != PLAIN)?;
    let dated = levels.iter().filter(|(level, _)| resembles_date(level)).count();
    let likely = shapes.iter().filter(|(shape, _)| looks_like_a_value(shape));
    let likely = likely.take(SHAPES).map(|(_, count)| *count).sum::<usize>();
    // Beside `5kg`, `5` is one of them.
    let plain = shapes.iter().find(|(shape, _)| shape == PLAIN).map_or(0, |(_, count)| *count);
    let fitting = if likely > 1 && 4 * likely >= levels.len() { likely + plain } else { likely }.max(dated);
    if levels.len() <= 2 || 10 * fitting < 9 * levels.len() {
        return None;
    }
    let cell = brief(levels.iter().map(|(level, _)| level).find(|level| shape(level) == *first)?);
    let remedy = if is_date(first) || dated == fitting {
        if names_week(&cell) {
            format!("with the day of the week, {} reads them", quoted("dates", format_args!("{name}=%G-W%V-%u")))
        } else if has_foreign_words(&cell) {
            "months in English or as numbers would be read".to_owned()
        } else {
            format!("{} reads dates", quoted("dates", format_args!("{name}=FORMAT")))
        }
    } else {
        "numbers without signs, units and quotes would be read".to_owned()
    };
    let message = format!(
        "column \"{name}\" is read as text: its cells look like numbers, times or dates in a form that is not known (\"{cell}\"); {remedy}"
    );
    Some(Warning::new(WarningKind::NumbersWithUnits, message).column(name))
}

/// Whether a text names a week, as `2021-W05`.
fn names_week(cell: &str) -> bool {
    cell.split_once(['W', 'w']).is_some_and(|(_, week)| week.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a date has words that no format reads: months in other languages than English.
fn has_foreign_words(cell: &str) -> bool {
    let is_month = |word: &str| MONTHS.iter().any(|month| month.starts_with(&word.to_lowercase()));
    cell.split(|c: char| !c.is_alphabetic()).any(|word| word.chars().count() > 2 && !is_month(word))
}

/// The shape of a text: `9` for each digit of a time or date, `0` for each number, `M` for the name of a month,
/// `٠` for a number in other digits.
fn shape(text: &str) -> String {
    let digit = |c: char| c.is_ascii_digit();
    let mut shape = String::new();
    let mut rest = text.trim();
    let parts_of_time = rest.contains(':') || rest.len() == 15;
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c: char| !digit(c) && (parts_of_time || !matches!(c, '.' | ','))).unwrap_or(rest.len());
        let word = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        match () {
            () if digit(c) && parts_of_time => shape.push_str(&"9".repeat(length)),
            () if digit(c) => shape.push('0'),
            () if word == 3 && MONTHS.iter().any(|month| rest[..word].eq_ignore_ascii_case(&month[..3])) => {
                shape.push('M')
            }
            () if is_other_digit(c) => {
                if !shape.ends_with(OTHER_DIGITS) {
                    shape.push(OTHER_DIGITS);
                }
            }
            () if word > 0 => shape.push_str(&rest[..word].to_lowercase()),
            () => shape.push(c),
        }
        rest = &rest[if digit(c) { length } else { word.max(c.len_utf8()) }..];
    }
    shape
}

fn looks_like_a_value(shape: &str) -> bool {
    is_duration(shape)
        || is_date(shape)
        || is_number_with_signs(shape)
        || has_exponent(shape)
        || has_other_digits(shape)
}

/// The shape of a number.
const PLAIN: &str = "0";
/// Stands for a number in digits of another script.
const OTHER_DIGITS: char = '٠';

fn is_other_digit(c: char) -> bool {
    c.is_numeric() && !c.is_ascii() && !c.is_alphabetic() && !"²³¹¼½¾".contains(c)
}

/// Digits of other scripts: `٤٥`, `４５`, and digits parted by an Arabic sign: `1٫5`.
fn has_other_digits(shape: &str) -> bool {
    let is_other = |c: char| c == OTHER_DIGITS || "٫٬".contains(c);
    shape.contains(is_other) && shape.chars().all(|c| is_other(c) || "0.,-−%，．".contains(c))
}

/// `35:15`, `100:05:00`.
fn is_duration(shape: &str) -> bool {
    let mut parts = shape.split(':');
    let nines = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte == b'9');
    parts.next().is_some_and(nines) && shape.contains(':') && parts.all(|part| part == "99")
}

/// `10/Jan/2020`, `Jan-20`, `20200101T000000`, `2020-01-01 10:00:00.000 +00:00`.
fn is_date(shape: &str) -> bool {
    let month = shape.matches('M').count() == 1
        && shape.contains(['0', '9'])
        && !shape.contains(|c: char| c.is_ascii_lowercase());
    month
        || shape == "99999999t999999"
        || shape.starts_with("9999-99-99 99:99")
        || shape.starts_with("9999-99-99t99:99")
}

/// Words in dates and times beside names of months, in lower case: halves of a day, days of the week, endings of ordinals.
const DATE_WORDS: [&str; 27] = [
    "年", "月", "日", "t", "z", "w", "am", "pm", "a", "p", "m", "st", "nd", "rd", "th", "mon", "tue", "wed", "thu",
    "fri", "sat", "sun", "tues", "thur", "thurs", "gmt", "utc",
];
/// Endings of the names of days of the week.
const DAY: &str = "day";
/// Names of months in German, French, Spanish, Italian, Portuguese and Dutch that English does not have.
const OTHER_MONTHS: &str = "mär mai okt dez janv févr avr juin juil août déc abr maart januar februar märz juni juli oktober \
    dezember janvier février mars avril juillet septembre octobre novembre décembre enero febrero marzo abril mayo junio julio agosto \
    septiembre octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre janeiro fevereiro \
    março maio junho julho setembro outubro novembro dezembro januari februari mei augustus ene dic gen ago";

/// Whether a text is made like a date in a form that is not read: numbers, and words that dates have; a year of four digits or a
/// month's name, and two more numbers: `12/14/2019 10:20 a.m.`, `Fri 13 Dec 2019`, `2019/12/14T10:20`, `20191214 1020`, `2019-W50`.
fn resembles_date(text: &str) -> bool {
    let is_month = |word: &&str| {
        let begins = |month: &&str| word.len() >= 3 && month.starts_with(*word);
        MONTHS.iter().any(begins) || OTHER_MONTHS.split(' ').any(|month| month == *word)
    };
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let numbers: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()).collect();
    let is_known = |word: &&str| DATE_WORDS.contains(word) || word.ends_with(DAY) || is_month(word);
    let others = |c: char| !c.is_alphanumeric() && !" .,:/-+".contains(c);
    if !words.iter().all(is_known) || text.contains(others) {
        return false;
    }
    let is_year = |number: &&&str| number.len() == 4 && matches!(number.parse(), Ok(1800..=2199));
    let (years, months) = (numbers.iter().filter(is_year).count(), words.iter().filter(|word| is_month(word)).count());
    let small = numbers.iter().filter(|number| number.len() <= 2).count();
    let within = |number: Option<&str>, most: u8| {
        number.and_then(|n| n.parse().ok()).is_some_and(|n: u8| (1..=most).contains(&n))
    };
    let is_day = |day: &&&str| {
        let is_year = day.starts_with("19") || day.starts_with("20");
        day.len() == 8 && is_year && within(day.get(4..6), 12) && within(day.get(6..), 31)
    };
    let is_clock = |time: &&&str| matches!(time.len(), 4 | 6);
    let has_week = words == ["w"] && text.contains("-w");
    let has_zone = small == 2 && (matches!(words[..], ["z" | "utc" | "gmt"]) || words == ["年", "月", "日"]);
    match months {
        1 => years + small >= 2,
        0 if numbers.first().filter(is_day).is_some() => {
            numbers.len() == 2 && numbers.get(1).filter(is_clock).is_some()
        }
        0 => years == 1 && ((small >= 3 && text.contains(':')) || has_week || has_zone),
        _ => false,
    }
}

/// Whether a shape is a number, or two numbers around `±`, with at least one sign or unit. Units follow the number:
/// `5g`, but not `g5`.
fn is_number_with_signs(shape: &str) -> bool {
    let numbers = if shape.contains('±') { 2 } else { 1 };
    let Some((before, behind)) = shape.split_once('0').filter(|_| shape.matches('0').count() == numbers) else {
        return false;
    };
    let is_sign = |c: char| "'\"“”„‟=$€£¥<>≤≥~°±%‰()+-−－/. 0".contains(c);
    let words = |part: &str| -> Vec<String> {
        part.split(is_sign).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let money = shape.contains(['$', '€', '£', '¥']);
    let degrees = shape.contains('°');
    let is_unit = |word: &String| {
        UNITS.contains(&word.as_str())
            || (money && word.chars().count() == 1)
            || (degrees && ["c", "f"].contains(&word.as_str()))
    };
    let is_currency = |word: &String| CURRENCIES.contains(&word.as_str());
    words(before).iter().all(is_currency) && words(behind).iter().all(is_unit) && !is_plain(shape)
}

/// `1.5D+03`, `1.5 E+03`.
fn has_exponent(shape: &str) -> bool {
    let shape = shape.strip_prefix('-').unwrap_or(shape);
    matches!(shape, "0d+0" | "0d-0" | "0 e+0" | "0 e-0" | "0e +0" | "0e -0")
}

/// Whether a shape has only plain numbers, which other rules handle.
fn is_plain(shape: &str) -> bool {
    shape.chars().all(|c| matches!(c, '0' | '-' | '+' | '.' | '/' | ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(cells: &[&str]) -> Option<String> {
        let levels: Vec<(&str, usize)> = cells.iter().map(|cell| (*cell, 1)).collect();
        unread_form("x", &levels).map(|warning| warning.message)
    }

    #[test]
    fn numbers_times_and_dates_of_unknown_form_are_named() {
        for cells in [
            ["'0.6'", "'0.7'", "'1.25'"],
            ["=\"0.5\"", "=\"1.5\"", "=\"2\""],
            ["$1.2M", "$3M", "$2.25M"],
            ["Rs. 3", "Rs. 4", "Rs. 12"],
            ["<3", "<5", "<10"],
            ["3°", "4°", "12°"],
            ["5kg", "6kg", "12kg"],
            ["1.5±0.1", "2.5±0.2", "3±0.1"],
            ["35:15", "40:05", "12:30"],
            ["100:05:00", "20:15:30", "1:00:00"],
            ["10/Jan/2020", "11/Feb/2020", "12/Mar/2021"],
            ["20200101T000000", "20200102T000000", "20200103T120000"],
            ["2020-01-01 10:00:00.000 +00:00", "2020-01-02 10:00:00.000 +00:00", "2020-01-03 10:00:00.000 +00:00"],
            ["Jan-20", "Feb-20", "Mar-21"],
            ["12/14/2019 10:20 a.m.", "12/15/2019 4:20 p.m.", "12/16/2019 10:25 a.m."],
            ["Dec 14th, 2019", "Jan 1st, 2020", "May 22nd, 2020"],
            ["20191214 1020", "20191215 1130", "20191216 0945"],
            ["2019/12/14T10:20", "2019/12/15T10:20", "2019/12/16T10:20"],
            ["Fri 13 Dec 2019", "Sat 14 Dec 2019", "Mon 16 Dec 2019"],
            ["13. Dez 2019", "14. Mai 2019", "15. Okt 2020"],
            ["2019-W50", "2019-W51", "2020-W01"],
            ["1.5D+03", "2.5D+03", "1D-02"],
            ["1.5 E+03", "2.5 E+03", "1 E-02"],
            ["25°C", "26°C", "27.5°C"],
            ["“5”", "“6”", "“7.5”"],
        ] {
            assert!(said(&cells).is_some_and(|said| said.contains("look like")), "{cells:?}: {:?}", said(&cells));
        }
        for cells in [
            ["A12", "A13", "A14"],
            ["g1", "g2", "g12"],
            ["Merc 240", "Merc 280", "Merc 450"],
            ["20-30", "30-40", "40-50"],
            ["1-0", "2-1", "0-0"],
            ["red", "green", "blue"],
            ["3D", "2D", "4D"],
            ["2nd", "3rd", "4th"],
            ["1.2.3", "1.2.4", "2.0.1"],
            ["1/2", "1/3", "2/3"],
            ["Room 2019 4 1", "Room 2019 4 2", "Room 2019 4 3"],
            ["May", "June", "July"],
            ["2019-1", "2019-2", "2020-1"],
            ["Mark 5 12", "Mark 6 12", "Mark 7 12"],
            ["Decile 1 20", "Decile 2 20", "Decile 3 20"],
            ["T1", "T2", "T3"],
            ["a1", "p2", "m3"],
            ["5D3", "6D4", "7D5"],
            ["12 E3", "13 E4", "14 E5"],
            ["10.0.1903.1", "10.0.1909.2", "10.0.2004.1"],
            ["20230001 10", "20230001 20", "20230002 10"],
            ["+49 1990 12 34 56", "+49 1991 12 34 56", "+49 1992 12 34 57"],
            ["12-14 Main St", "20-22 Main St", "5-7 Main St"],
        ] {
            assert_eq!(said(&cells), None, "{cells:?}");
        }
    }

    #[test]
    fn dates_beside_many_other_cells_are_named() {
        let said = said(&["2020-01-01", "2020-02-01", "2020-03-01", "0000-00-00", "-"]).unwrap();
        assert!(said.contains("3 cells are dates") && said.contains("`na = \"+-\"`"), "{said}");
    }
}
