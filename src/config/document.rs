//! Documents about configuration files: a JSON schema, and a commented file to start from.

use serde_json::{Value, json};

use super::key::{Key, OptionGroup};
use super::keys::keys;

/// A JSON schema of configuration files (draft 2020-12). `words` returns the known values of an option, which may have others.
pub fn json_schema(words: &dyn Fn(&str) -> Vec<String>) -> Value {
    let mut properties = serde_json::Map::new();
    let data = json!({"type": "string", "description": "File, folder, or - for standard input"});
    properties.insert("data".to_owned(), data);
    for key in keys() {
        properties.insert(key.name.to_owned(), of_key(key, words(key.name)));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of gradlane train",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn of_key(key: &Key, words: Vec<String>) -> Value {
    if key.value.is_none() {
        return json!({"type": "boolean", "description": key.help});
    }
    let types: &[&str] = if key.name == "network" { &["string", "object"] } else { &["string", "number", "array"] };
    let mut value = json!({"type": types, "description": key.help, "items": {"type": ["string", "number"]}});
    if !words.is_empty() {
        value["examples"] = words.into();
    }
    value
}

/// A file with every option as a comment below its help. A line that begins with `#` and a key can be uncommented.
pub fn commented_file() -> String {
    let mut text = "\
# Configuration of gradlane train. Every key is a flag with _ for -; flags and GRADLANE_* variables count more.
# Remove the # before a line to set it, and use the file with: gradlane train -c FILE.toml

# File, folder, or - for standard input
#data = \"table.csv\"
"
    .to_owned();
    let mut group: Option<OptionGroup> = None;
    for key in keys().filter(|key| key.name != "config") {
        if group != Some(key.group) {
            group = Some(key.group);
            text += &format!("\n# {}\n", key.group.title());
        }
        text += &format!("\n# {}\n#{} = {}\n", key.help, key.name, example(key));
    }
    text
}

/// The value shown after a key: its default if that is one word, otherwise the placeholder of the help.
fn example(key: &Key) -> String {
    let Some(placeholder) = key.value else { return "true".to_owned() };
    let shown = default(key).unwrap_or(placeholder);
    if shown.parse::<f64>().is_ok() { shown.to_owned() } else { Value::String(shown.to_owned()).to_string() }
}

/// The default in brackets at the end of the help, if it is one word; an explanation may follow it.
fn default(key: &Key) -> Option<&'static str> {
    let (_, rest) = key.help.rsplit_once('[')?;
    let word = rest.strip_suffix(']')?.split([':', ';']).next()?.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.,-".contains(c);
    // The brackets may instead say that the value is found out.
    (!word.is_empty() && word.chars().all(plain) && word != "found").then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SettingOrigin, Settings, TrainConfig};

    #[test]
    fn defaults_that_are_shown_are_taken() {
        for key in
            keys().filter(|key| key.value.is_some() && !["embed_above", "embed_levels", "dates"].contains(&key.name))
        {
            let Some(default) = default(key) else { continue };
            let mut settings = Settings::new();
            settings.set("data", "table.csv".into(), SettingOrigin::Flag);
            settings.set(key.name, default.into(), SettingOrigin::Flag);
            if let Err(e) = TrainConfig::new(settings) {
                panic!("{} = {default}: {e}", key.name);
            }
        }
        assert!(keys().filter_map(default).count() > 30);
    }

    #[test]
    fn the_start_is_toml_with_every_option() {
        let text = commented_file();
        assert!(text.parse::<toml::Table>().unwrap().is_empty(), "all is commented out");
        let uncommented: String = text
            .lines()
            .filter_map(|l| l.strip_prefix('#'))
            .filter(|l| !l.starts_with(' '))
            .map(|l| l.to_owned() + "\n")
            .collect();
        let table: toml::Table = uncommented.parse().unwrap();
        assert!(keys().all(|key| key.name == "config" || table.contains_key(key.name)));
    }
}
