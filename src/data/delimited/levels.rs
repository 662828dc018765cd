//! The distinct texts of a column.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// The distinct texts of a column, in order of first appearance; each is kept once.
#[derive(Default)]
pub struct Levels {
    texts: Vec<String>,
    /// Hash and code of each text.
    index: HashTable<(u64, u32)>,
    hasher: DefaultHashBuilder,
}

impl Levels {
    /// The code of `text`, or the hash with which [`Levels::add`] makes it a level.
    pub fn find(&self, text: &str) -> Result<u32, u64> {
        let hash = self.hasher.hash_one(text);
        let level = self.index.find(hash, |&(known, code)| known == hash && self.texts[code as usize] == text);
        level.map(|&(_, code)| code).ok_or(hash)
    }

    /// Adds a text that is no level yet, and gives its code.
    pub fn add(&mut self, text: String, hash: u64) -> u32 {
        let code = self.texts.len() as u32;
        self.texts.push(text);
        self.index.insert_unique(hash, (hash, code), |&(known, _)| known);
        code
    }

    /// Adds what is new of `later`: the code of each of its texts here.
    pub fn append(&mut self, later: Self) -> Vec<u32> {
        let code = |text: String| self.find(&text).unwrap_or_else(|hash| self.add(text, hash));
        later.texts.into_iter().map(code).collect()
    }

    /// The texts, by code.
    pub fn into_texts(self) -> Vec<String> {
        self.texts
    }
}
