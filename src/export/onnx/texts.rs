//! Places of texts. ONNX compares whole texts, so all spellings that count as a level are listed.

use std::collections::BTreeMap;

use super::nodes::{AttributeValue, Name, OnnxNodes};
use crate::data::{Keys, MissingMarkers, Places};

/// The place of each text, `[rows, 1]` whole numbers.
pub(super) fn place_of_text(of: &Places, missing: &MissingMarkers, name: &Name, nodes: &mut OnnxNodes) -> Name {
    let (texts, places): (Vec<String>, Vec<i64>) = spellings(of, missing).into_iter().unzip();
    let attributes = vec![
        ("keys_strings", AttributeValue::Texts(texts)),
        ("values_int64s", AttributeValue::Integers(places)),
        ("default_int64", AttributeValue::Integer(of.other as i64)),
    ];
    nodes.ml_op("LabelEncoder", &[name], attributes)
}

/// Every listed text with its place: missing values, levels as training wrote them, and their other spellings in lower case, in
/// upper case, and with an initial capital.
fn spellings(of: &Places, missing: &MissingMarkers) -> BTreeMap<String, i64> {
    let Keys::Texts { exact, normal } = &of.keys else { return BTreeMap::new() };
    let markers = std::iter::once(String::new()).chain(missing.texts().iter().cloned());
    let mut places: BTreeMap<String, i64> = markers.map(|marker| (marker, of.missing as i64)).collect();
    let place_of = of.of_texts();
    for (level, _) in exact.iter().chain(normal) {
        let lower = level.to_lowercase();
        let mut letters = lower.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        let capital = first + letters.as_str();
        for text in [level.clone(), lower, level.to_uppercase(), capital] {
            if !missing.matches(&text) {
                let place = place_of(&text) as i64;
                places.entry(text).or_insert(place);
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Inputs;

    #[test]
    fn spellings_of_one_level_are_listed_and_those_of_two_are_not_mixed() {
        let texts = |pairs: &[(&str, usize)]| pairs.iter().map(|(text, place)| ((*text).to_owned(), *place)).collect();
        let keys = Keys::Texts { exact: texts(&[("true", 0), ("No", 1), ("NO", 2)]), normal: texts(&[("true", 0)]) };
        let places = Places { keys, other: 3, missing: 4, count: 5, inputs: Inputs::Each(vec![[0.0, 1.0]; 5]) };
        let found = spellings(&places, &MissingMarkers::from(vec!["NA".to_owned()]));
        let found: Vec<(&str, i64)> = found.iter().map(|(text, place)| (text.as_str(), *place)).collect();
        let expected = [("", 4), ("NA", 4), ("NO", 2), ("No", 1), ("TRUE", 0), ("True", 0), ("no", 3), ("true", 0)];
        assert_eq!(found, expected);
    }
}
