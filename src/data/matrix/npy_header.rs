//! The header of a NumPy array: a Python dictionary with type, order and shape.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use super::element::{ArrayElement, ElementKind, Tick};

/// The content of the header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NpyHeader {
    pub(super) element: ArrayElement,
    pub(super) by_column: bool,
    pub(super) shape: Vec<usize>,
    /// Number of bytes up to the end of the header.
    pub(super) length: usize,
}

/// Signature of an array file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";
/// Upper limit of the header's length.
pub(super) const LONGEST: usize = 1 << 16;

/// Parses the header at the start of `bytes`.
///
/// # Errors
/// A description of what is wrong or not supported.
pub(super) fn parse(bytes: &[u8]) -> Result<NpyHeader, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("expected an array of NumPy (it begins with \\x93NUMPY)")?;
    let cut = "the header is cut short";
    let (version, rest) = rest.split_at_checked(2).ok_or(cut)?;
    let width = match version[0] {
        1 => 2,
        2 | 3 => 4,
        other => return Err(format!("expected version 1, 2 or 3 of the format, found {other}")),
    };
    let (length, rest) = rest.split_at_checked(width).ok_or(cut)?;
    let length = length.iter().rev().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
    let text = rest.get(..length).ok_or(cut)?;
    let text = std::str::from_utf8(text).map_err(|_| "the header is no text")?;
    let mut header = NpyHeader {
        element: ArrayElement { kind: ElementKind::Boolean, big_endian: false },
        by_column: false,
        shape: Vec::new(),
        length: MAGIC.len() + 2 + width + length,
    };
    let wrong = || {
        format!("expected a header such as {{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)}}, found {text}")
    };
    header.element = element(field(text, "descr").ok_or_else(wrong)?)?;
    header.by_column = match field(text, "fortran_order").ok_or_else(wrong)? {
        order if order.starts_with("True") => true,
        order if order.starts_with("False") => false,
        _ => return Err(wrong()),
    };
    header.shape = field(text, "shape").and_then(shape).ok_or_else(wrong)?;
    Ok(header)
}

/// The text after `'name':`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let quoted = [format!("'{name}'"), format!("\"{name}\"")];
    let found = quoted.iter().find_map(|key| text.split_once(key.as_str()))?;
    found.1.trim_start().strip_prefix(':').map(str::trim_start)
}

fn shape(text: &str) -> Option<Vec<usize>> {
    let (inner, _) = text.strip_prefix('(')?.split_once(')')?;
    let sizes = inner.split(',').map(str::trim).filter(|size| !size.is_empty());
    // Python 2 wrote long numbers with an L.
    sizes.map(|size| size.trim_end_matches('L').parse().ok()).collect()
}

fn element(text: &str) -> Result<ArrayElement, String> {
    let quote = text.chars().next().filter(|c| "'\"".contains(*c));
    let Some(quote) = quote else {
        return Err(
            "the array has fields (a structured type): write a CSV or Parquet file, or an array for each field"
                .to_owned(),
        );
    };
    let name = text[1..].split(quote).next().unwrap_or_default();
    let refused = |why: &str| Err(format!("elements of type {name} are {why}"));
    let (order, rest) = match name.chars().next() {
        Some('<' | '>' | '|' | '=') => name.split_at(1),
        _ => ("|", name),
    };
    let (code, size) = rest.split_at(rest.chars().next().map_or(0, char::len_utf8));
    let count = || size.parse::<usize>().ok();
    let kind = match (code, count()) {
        ("b" | "?", Some(1) | None) => ElementKind::Boolean,
        ("i", Some(size @ (1 | 2 | 4 | 8))) => ElementKind::Signed(size),
        ("u", Some(size @ (1 | 2 | 4 | 8))) => ElementKind::Unsigned(size),
        ("f", Some(size @ (2 | 4 | 8))) => ElementKind::Float(size),
        ("S" | "a", Some(size)) if size > 0 => ElementKind::Bytes(size),
        ("U", Some(size)) if size > 0 => ElementKind::Characters(size),
        ("M", _) => match tick(size) {
            Some(tick) => ElementKind::Date(tick),
            None => return refused("dates in a unit that is not read: use days or seconds (astype('M8[s]'))"),
        },
        ("O", _) => {
            return refused(
                "Python objects, which only Python can read: convert them to numbers or text (astype(float), astype(str))",
            );
        }
        ("c", _) => return refused("complex numbers: write real and imaginary parts as columns"),
        ("f" | "g", _) => return refused("wider than a double: convert them (astype('f8'))"),
        ("V", _) => return refused("raw bytes: convert them to numbers or text"),
        ("m", _) => return refused("spans of time: convert them to numbers (astype('i8'))"),
        _ => return refused("not known"),
    };
    Ok(ArrayElement { kind, big_endian: order == ">" })
}

/// The unit from a text such as `8[ms]`.
fn tick(size: &str) -> Option<Tick> {
    Some(match size.strip_prefix("8[")?.strip_suffix(']')? {
        "D" => Tick::Day,
        "h" => Tick::Seconds(3600),
        "m" => Tick::Seconds(60),
        "s" => Tick::Seconds(1),
        "ms" => Tick::Fraction(1_000),
        "us" => Tick::Fraction(1_000_000),
        "ns" => Tick::Fraction(1_000_000_000),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<NpyHeader, String> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        parse(&bytes)
    }

    #[test]
    fn headers_are_read() {
        let found = header("{'descr': '>f4', 'fortran_order': True, 'shape': (3, 4), }   \n").unwrap();
        assert_eq!(found.element, ArrayElement { kind: ElementKind::Float(4), big_endian: true });
        assert_eq!((found.by_column, found.shape.as_slice()), (true, &[3, 4][..]));
        assert_eq!(header("{'descr': '|b1', 'fortran_order': False, 'shape': (5L,)}").unwrap().shape, [5]);
        assert!(header("{'descr': '<i8', 'fortran_order': False, 'shape': ()}").unwrap().shape.is_empty());
        assert_eq!(
            header("{'shape': (1,), 'descr': '<M8[ns]', 'fortran_order': False}").unwrap().element.kind,
            ElementKind::Date(Tick::Fraction(1_000_000_000))
        );
    }

    #[test]
    fn what_is_not_read_says_why() {
        for (descr, why) in [
            ("'|O'", "Python objects"),
            ("'<c16'", "complex"),
            ("'<f16'", "wider than a double"),
            ("[('a', '<f8')]", "structured"),
            ("'<M8[Y]'", "a unit that is not read"),
            ("'<U0'", "not known"),
            ("'é8'", "not known"),
        ] {
            let error = header(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}")).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(header("{'descr': '<f8'}").unwrap_err().contains("expected a header"));
        assert!(parse(b"\x93NUMPY\x01\0\xff\xff{").unwrap_err().contains("cut short"));
    }
}
