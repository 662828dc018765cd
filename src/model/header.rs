//! Compares the header of a model's file with the network before memory is allocated for either.

use std::collections::{HashMap, HashSet};

use safetensors::tensor::{Metadata, TensorInfo};

use super::Architecture;
use super::parameters::saved_tensors;

/// The prefix of the names of the tensors of network `M` of an ensemble: `ensemble.M.`.
pub(super) fn prefix(member: usize, members: usize) -> String {
    if members > 1 { format!("ensemble.{member}.") } else { String::new() }
}

/// What is wrong with the tensors that a header names, in a sentence. `forms` has the architecture and the number of networks
/// of each form. The header is known to fit its file, so if this finds nothing, the networks are no larger than the file.
pub(super) fn contradiction(forms: &[(&Architecture, usize)], header: &Metadata) -> Option<String> {
    let found = header.tensors();
    let members: usize = forms.iter().map(|(_, members)| members).sum();
    if members > found.len() {
        return Some(format!("expected tensors of {members} networks, found {} tensors", found.len()));
    }
    let mut names: HashSet<String> = HashSet::new();
    let mut first = 0;
    for (architecture, count) in forms {
        let expected = saved_tensors(architecture);
        // The first missing tensor ends it, so this takes no more iterations than the file has tensors.
        for member in first..first + count {
            let prefix = prefix(member, members);
            for tensor in &expected {
                let name = format!("{prefix}{}", tensor.name);
                if let Some(wrong) = wrong_tensor(&name, &tensor.shape, &found) {
                    return Some(wrong);
                }
                names.insert(name);
            }
        }
        first += count;
    }
    let stray = found.keys().filter(|name| !names.contains(name.as_str())).min()?;
    Some(match members {
        1 => format!("tensor \"{stray}\" is not of this network"),
        _ => format!("tensor \"{stray}\" is not of one of the {members} networks"),
    })
}

fn wrong_tensor(name: &str, expected: &[usize], found: &HashMap<String, &TensorInfo>) -> Option<String> {
    match found.get(name) {
        None => Some(format!("tensor \"{name}\" of shape {expected:?} is missing")),
        Some(info) if info.shape != expected => {
            Some(format!("tensor \"{name}\": expected shape {expected:?}, found {:?}", info.shape))
        }
        Some(_) => None,
    }
}
