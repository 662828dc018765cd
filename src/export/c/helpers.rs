//! C functions that a model may need, from `helpers.c`. Only those that it needs are written.

use std::collections::BTreeSet;

/// Each function begins with a line `//= name: the functions that it calls`, and comes before its callers.
const HELPERS: &str = include_str!("helpers.c");
const MARK: &str = "//= ";

struct Helper {
    name: &'static str,
    calls: Vec<&'static str>,
    text: &'static str,
}

fn helpers() -> Vec<Helper> {
    let helper = |section: &'static str| {
        let (head, text) = section.split_once('\n')?;
        let (name, calls) = head.split_once(':')?;
        Some(Helper { name, calls: calls.split_whitespace().collect(), text: text.trim_end() })
    };
    HELPERS.split(MARK).filter_map(helper).collect()
}

/// The texts of some functions and of those that they call, each before its callers.
pub(super) fn texts(names: &BTreeSet<&'static str>) -> String {
    let (helpers, mut wanted) = (helpers(), names.clone());
    for helper in helpers.iter().rev() {
        if wanted.contains(helper.name) {
            wanted.extend(&helper.calls);
        }
    }
    helpers.iter().filter(|helper| wanted.contains(helper.name)).map(|helper| format!("\n{}\n", helper.text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_stand_after_those_that_they_call() {
        let helpers = helpers();
        assert!(helpers.len() > 20);
        for (at, helper) in helpers.iter().enumerate() {
            assert!(helper.text.contains(helper.name), "{}", helper.name);
            for call in &helper.calls {
                assert!(helpers[..at].iter().any(|other| other.name == *call), "{} calls {call}", helper.name);
            }
        }
        let text = texts(&BTreeSet::from(["gl_find_normal"]));
        assert!(["gl_entry;", "int gl_find(", "int gl_is_blank("].iter().all(|part| text.contains(part)), "{text}");
        assert!(!text.contains("gl_softmax"));
    }
}
