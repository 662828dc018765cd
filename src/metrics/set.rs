//! The figures of one evaluation.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::MetricName;

/// The figures of one evaluation, in the order of [`MetricName`]; an undefined one is `None`, and `null` in JSON.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricSet(Vec<(MetricName, Option<f64>)>);

impl MetricSet {
    /// Adds or replaces a figure; one that is not finite is undefined.
    pub fn set(&mut self, name: MetricName, value: f64) {
        let value = value.is_finite().then_some(value);
        match self.0.binary_search_by_key(&name, |(n, _)| *n) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// The figure, if it is present and defined.
    pub fn get(&self, name: MetricName) -> Option<f64> {
        let at = self.0.binary_search_by_key(&name, |(n, _)| *n).ok()?;
        self.0[at].1
    }

    /// Whether the figure is present, defined or not.
    pub fn contains(&self, name: MetricName) -> bool {
        self.0.binary_search_by_key(&name, |(n, _)| *n).is_ok()
    }

    /// The figures in order.
    pub fn iter(&self) -> impl Iterator<Item = (MetricName, Option<f64>)> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<(MetricName, f64)> for MetricSet {
    fn from_iter<I: IntoIterator<Item = (MetricName, f64)>>(figures: I) -> Self {
        let mut set = MetricSet::default();
        figures.into_iter().for_each(|(name, value)| set.set(name, value));
        set
    }
}

impl Serialize for MetricSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for MetricSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Figures;
        impl<'de> Visitor<'de> for Figures {
            type Value = MetricSet;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of metrics")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MetricSet, A::Error> {
                let mut set = MetricSet::default();
                while let Some((name, value)) = map.next_entry::<MetricName, Option<f64>>()? {
                    set.set(name, value.unwrap_or(f64::NAN));
                }
                Ok(set)
            }
        }
        deserializer.deserialize_map(Figures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MetricName::*;

    #[test]
    fn figures_are_ordered_and_survive_json() {
        let mut set: MetricSet = [(Auroc, f64::NAN), (Accuracy, 0.5)].into_iter().collect();
        set.set(Loss, 0.1);
        set.set(Accuracy, 0.75);
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"{"loss":0.1,"accuracy":0.75,"auroc":null}"#);
        assert_eq!(serde_json::from_str::<MetricSet>(&json).unwrap(), set);
        assert_eq!((set.get(Accuracy), set.get(Auroc), set.get(Mcc)), (Some(0.75), None, None));
        assert!(set.contains(Auroc) && !set.contains(Mcc));
    }
}
