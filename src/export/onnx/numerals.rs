//! Numbers such as `1.234,50 €` in text cells, read with operators of texts.

use super::nodes::{Name, OnnxNodes};
use super::words::{ReadCell, literal};
use crate::data::{NO_DECIMALS, NumberForm};

/// The most groups of thousands that are read, beside the first.
const MOST_GROUPS: usize = 8;
/// Blanks before a number, and after it.
const BLANKS: &str = r"[ \t\x{a0}\x{202f}\x{2009}]{0,2}";
/// Blanks that a number may have: around it, within brackets, after its signs.
const MOST_BLANKS: usize = 8;
/// One blank, or none.
const BLANK: &str = r"[ \x{a0}\x{202f}\x{2009}]?";
/// A minus sign, or a plus sign.
const SIGN: &str = "[-+−–‒]";
/// A plus sign, or nothing.
const PLUS: &str = r"(?:\+[ \x{a0}\x{202f}\x{2009}]?)?";
/// A minus sign behind a number.
const BEHIND: &str = r"[ \x{a0}\x{202f}\x{2009}]?[-−–‒]";

/// Reads the cells of a column of numbers in another notation. `missing` says which are missing.
pub(super) fn read(form: NumberForm, cell: &Name, missing: &Name, nodes: &mut OnnxNodes) -> ReadCell {
    let is_so = nodes.matches(cell, &pattern(form));
    let mut text = nodes.only(&is_so, cell, "0");
    for dash in NO_DECIMALS {
        text = nodes.without(&text, &format!("{}{dash}", point(form)), 1);
    }
    let (bracketed, minus) = (nodes.matches(&text, r".*\(.*"), nodes.matches(&text, "[^eE]*[-−–‒].*"));
    let negative = nodes.op("Xor", &[&bracketed, &minus]);
    let parts = nodes.parts(&text, "E", 2);
    let small = nodes.texts(&["e".to_owned()]);
    let text = nodes.concatenated(&[parts[0].clone(), small, parts[1].clone()]);
    // Without an exponent the text ends with an `e` now, with a small one it has two.
    let parts = nodes.parts(&text, "e", 2);
    let digits = digits(form, &parts[0], nodes);
    let power = nodes.or_if_empty(&parts[1], "0");
    let e = nodes.texts(&["e".to_owned()]);
    let text = nodes.concatenated(&[digits, e, power]);
    let value = nodes.number(&text, "0");
    let minus = nodes.op("Neg", &[&value]);
    let value = nodes.choose(&negative, &minus, &value);
    let nan = nodes.double(f64::NAN);
    let other = nodes.op("Or", &[missing, &is_so]);
    ReadCell { value: nodes.choose(missing, &nan, &value), unreadable: nodes.op("Not", &[&other]) }
}

/// The digits before an exponent, with a decimal point and nothing else.
fn digits(form: NumberForm, text: &Name, nodes: &mut OnnxNodes) -> Name {
    let mut text = text.clone();
    let once = form.sign.into_iter().chain(['(', ')', '-', '−', '–', '‒', '+']);
    for taken in once {
        text = nodes.without(&text, &taken.to_string(), 1);
    }
    let separators = form.separators();
    for blank in [' ', '\t', '\u{a0}', '\u{202f}', '\u{2009}'] {
        if !separators.contains(&blank) {
            text = nodes.without(&text, &blank.to_string(), MOST_BLANKS);
        }
    }
    for separator in separators {
        text = nodes.without(&text, &separator.to_string(), MOST_BLANKS + MOST_GROUPS);
    }
    if form.decimal_comma {
        let parts = nodes.parts(&text, ",", 2);
        let point = nodes.texts(&[".".to_owned()]);
        text = nodes.concatenated(&[parts[0].clone(), point, parts[1].clone()]);
    }
    text
}

fn point(form: NumberForm) -> char {
    if form.decimal_comma { ',' } else { '.' }
}

/// A regular expression of the cells in this notation.
fn pattern(form: NumberForm) -> String {
    let point = literal(&point(form).to_string());
    let number = |digit: &str| format!("(?:{digit}+(?:{point}{digit}*)?|{point}{digit}+)(?:[eE][-+]?[0-9]{{1,2}})?");
    let dashes = format!("{point}(?:{})", NO_DECIMALS.join("|"));
    let grouped = form.thousands.map(|_| {
        let separators: String = form.separators().iter().map(|c| literal(&c.to_string())).collect();
        let (separator, most) = (format!("[{separators}]"), MOST_GROUPS - 1);
        format!(
            "|(?:[1-9][0-9]{{0,2}}(?:{separator}[0-9]{{3}}){{1,{most}}}\
             |[1-9][0-9]?(?:{separator}[0-9]{{2}}){{1,{most}}}{separator}[0-9]{{3}})(?:{dashes}|{point}[0-9]*)?"
        )
    });
    let any = format!("(?:[0-9]+{dashes}|{}{})", number("[0-9]"), grouped.unwrap_or_default());
    let zero = number("0");
    let minus = format!("(?:{SIGN}{BLANK})?");
    let Some(sign) = form.sign else {
        let (number, in_brackets) = (format!("{minus}{any}|{any}{BEHIND}"), format!("{PLUS}{any}"));
        return format!(r"{BLANKS}(?:{number}|\({BLANK}{in_brackets}{BLANK}\)){BLANKS}");
    };
    let lacking = if matches!(sign, '%' | '‰') { &zero } else { &any };
    let sign = literal(&sign.to_string());
    let before = format!("{sign}{BLANK}");
    // The number after `first`, a sign or nothing, or with the sign behind its currency, which `between` matches.
    let number = |first: &str, between: &str| {
        format!("{first}{lacking}|{first}{before}{any}|{before}{between}{any}|{first}{any}{BLANK}{sign}")
    };
    let bare = number(&minus, &format!("{SIGN}{BLANK}"));
    let behind = format!("(?:{before}{any}|{lacking}|{any}{BLANK}{sign}){BEHIND}|{any}{BEHIND}{BLANK}{sign}");
    let in_brackets = number(PLUS, PLUS);
    let outer = format!(r"{PLUS}{before}\({BLANK}{any}{BLANK}\)");
    format!(r"{BLANKS}(?:{bare}|{behind}|\({BLANK}(?:{in_brackets}){BLANK}\)|{outer}){BLANKS}")
}
