//! Names, texts and numbers in C syntax.

use std::collections::{HashMap, HashSet};

/// Words that C, its headers or common compilers reserve.
const TAKEN: &str = "auto break case char const continue default do double else enum extern float for goto if inline int long \
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while \
_Bool _Complex _Imaginary asm typeof bool true false nullptr constexpr static_assert thread_local alignas alignof class delete \
namespace new operator private protected public template this throw try catch virtual using friend export explicit mutable \
and and_eq bitand bitor compl not not_eq or or_eq xor xor_eq typeid typename const_cast static_cast dynamic_cast \
reinterpret_cast wchar_t char8_t char16_t char32_t concept requires consteval constinit decltype noexcept co_await co_return \
co_yield NULL NAN INFINITY HUGE_VAL HUGE_VALF HUGE_VALL EOF BUFSIZ RAND_MAX CHAR_BIT INT_MAX INT_MIN LONG_MAX LONG_MIN \
FLT_MAX FLT_MIN FLT_EPSILON DBL_MAX DBL_MIN DBL_EPSILON M_PI M_E DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS \
errno stdin stdout stderr assert linux unix i386 near far min max EXIT_SUCCESS EXIT_FAILURE";
/// Number of characters that every compiler compares in a name, less room for a number.
const LONGEST: usize = 50;

/// Names of fields for columns of any name: letters, digits and `_`. No two columns share a name; a repeated column gets one of
/// its own.
pub(super) fn fields<'a>(columns: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken: HashSet<String> = TAKEN.split_whitespace().map(str::to_owned).collect();
    let mut known: HashMap<&str, String> = HashMap::new();
    let mut field = |column: &'a str| {
        if let Some(name) = known.get(column) {
            return name.clone();
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let mut name: String = column.chars().map(plain).take(LONGEST).collect();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            name.insert_str(0, if name.starts_with('_') || name.is_empty() { "c" } else { "c_" });
        }
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let unique = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name));
        let unique = unique.expect("some number is free");
        taken.insert(unique.clone());
        known.insert(column, unique.clone());
        unique
    };
    columns.map(&mut field).collect()
}

/// A string literal, as bytes of UTF-8.
pub(super) fn text(text: &str) -> String {
    let byte = |b: u8| match b {
        b'"' | b'\\' => format!("\\{}", b as char),
        b' '..=b'~' if b != b'?' => (b as char).to_string(),
        b => format!("\\{b:03o}"),
    };
    format!("\"{}\"", text.bytes().map(byte).collect::<String>())
}

/// A text in a comment, on one line.
pub(super) fn comment(text: &str) -> String {
    let shown = |c: char| c.is_alphanumeric() || matches!(c, ' '..='~');
    let line: String = text.chars().map(|c| if shown(c) { c } else { '.' }).take(200).collect();
    line.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").replace('\\', "/")
}

/// A double.
pub(super) fn double(value: f64) -> String {
    if value.is_finite() { format!("{value:?}") } else { format!("{}HUGE_VAL", if value < 0.0 { "-" } else { "" }) }
}

/// A 32-bit float.
pub(super) fn float(value: f32) -> String {
    if value.is_finite() { format!("{value:?}f") } else { format!("{}HUGE_VALF", if value < 0.0 { "-" } else { "" }) }
}

/// Items of a list, several on each line.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for item in items {
        if line.len() + item.len() > 110 {
            lines.push_str(&format!("    {}\n", line.trim_end()));
            line.clear();
        }
        line.push_str(&item);
        line.push_str(", ");
    }
    let last = line.trim_end().trim_end_matches(',');
    lines + "    " + last + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_c_names_and_no_two_are_alike() {
        let columns = ["age", "2nd", "class", "a b", "a_b", "größe", "", "_x", "NAN", "a.b", "a b"];
        let expected = ["age", "c_2nd", "class_2", "a_b", "a_b_2", "gr__e", "c", "c_x", "NAN_2", "a_b_3", "a_b"];
        assert_eq!(fields(columns.into_iter()), expected, "the last column is there twice");
        let long = "x".repeat(300);
        assert!(fields([long.as_str(), &long].into_iter()).iter().all(|name| name.len() < 60));
    }

    #[test]
    fn texts_and_comments_end_where_they_should() {
        assert_eq!(text("a\"b\\?\n é"), r#""a\"b\\\077\012 \303\251""#);
        assert_eq!(comment("a */ b ??/ \\\n\u{202e}"), "a * / b ? ?/ /..");
        assert_eq!([float(0.1), float(1e30), float(f32::INFINITY)], ["0.1f", "1e30f", "HUGE_VALF"]);
        assert_eq!(double(-4000.0), "-4000.0");
    }
}
