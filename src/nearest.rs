//! The known name that was probably meant by a wrong one.

/// The name that was probably meant: the same in other case, or the most similar one, if it differs by at most `1 + letters / 3` edits and by
/// fewer than `letters`. Otherwise the first one that starts with `name`, if `name` has at least three letters.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let letters = name.chars().count();
    let same = known.iter().copied().find(|known| known.eq_ignore_ascii_case(name));
    if same.is_some() {
        return same;
    }
    let slips = |known: &str| strsim::damerau_levenshtein(name, known);
    let best = known.iter().copied().min_by_key(|k| slips(k))?;
    let begun = || known.iter().copied().find(|k| letters > 2 && k.starts_with(name));
    if slips(best) < letters.min(2 + letters / 3) { Some(best) } else { begun() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_offered() {
        let known = ["sgd", "adam", "rmsprop", "schedulefree"];
        for (name, expected) in [
            ("adm", Some("adam")),
            ("ADAM", Some("adam")),
            ("sdg", Some("sgd")),
            ("rms_prop", Some("rmsprop")),
            ("schedule", Some("schedulefree")),
            ("nosuch", None),
            ("x", None),
            ("", None),
            ("conjugate_gradients", None),
        ] {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }
}
