//! What the header of a model's file claims, compared with the network before memory is taken for either.

use std::collections::{HashMap, HashSet};

use safetensors::tensor::{Metadata, TensorInfo};

use super::Architecture;
use super::parameters::saved_tensors;

/// What stands before the names of the tensors of network `M` of an ensemble: `ensemble.M.`.
pub(super) fn prefix(member: usize, members: usize) -> String {
    if members > 1 { format!("ensemble.{member}.") } else { String::new() }
}

/// What is wrong with the tensors that a header names for so many networks of one form, in a sentence. The header is known to fit its file,
/// so where this finds nothing, the networks are no larger than the file.
pub(super) fn contradiction((architecture, members): (&Architecture, usize), header: &Metadata) -> Option<String> {
    let found = header.tensors();
    if members > found.len() {
        return Some(format!("expected tensors of {members} networks, found {} tensors", found.len()));
    }
    let expected = saved_tensors(architecture);
    let of_member = |member: usize| {
        let prefix = prefix(member, members);
        expected.iter().find_map(|tensor| wrong_tensor(format!("{prefix}{}", tensor.name), &tensor.shape, &found))
    };
    // The first that is missing ends it, so this takes no more turns than the file has tensors.
    (0..members).find_map(of_member).or_else(|| {
        let names: HashSet<&str> = expected.iter().map(|tensor| tensor.name.as_str()).collect();
        let known = |name: &str| {
            let number = || name.split('.').nth(1)?.parse().ok().filter(|member| *member < members);
            let Some(member) = (if members > 1 { number() } else { Some(0) }) else { return false };
            let own = name.strip_prefix(&prefix(member, members));
            own.is_some_and(|own| names.contains(own))
        };
        let stray = || found.keys().filter(|name| !known(name)).min();
        let more = found.len() > members * expected.len();
        more.then(stray).flatten().map(|stray| match members {
            1 => format!("tensor \"{stray}\" is not of this network"),
            _ => format!("tensor \"{stray}\" is not of one of the {members} networks"),
        })
    })
}

fn wrong_tensor(name: String, expected: &[usize], found: &HashMap<String, &TensorInfo>) -> Option<String> {
    match found.get(&name) {
        None => Some(format!("tensor \"{name}\" of shape {expected:?} is missing")),
        Some(info) if info.shape != expected => {
            Some(format!("tensor \"{name}\": expected shape {expected:?}, found {:?}", info.shape))
        }
        Some(_) => None,
    }
}
