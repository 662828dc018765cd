//! A hash of the data of a run or a search, which detects a continuation with other data.

use sha2::{Digest, Sha256};

use crate::data::{Dataset, Features, Prepared, Targets};

/// SHA-256 over everything that a network sees of the parts: inputs, targets, weights, and the names of the classes.
pub fn fingerprint(prepared: &Prepared) -> String {
    let parts = [Some(&prepared.train), prepared.val.as_ref(), prepared.test.as_ref()];
    fingerprint_of(parts, prepared.preprocessing.class_names())
}

/// The same for the training, validation and test parts, and the names of the classes.
pub fn fingerprint_of(parts: [Option<&Dataset>; 3], classes: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update([u8::from(part.is_some())]);
        if let Some(data) = part {
            add(&mut hash, data);
        }
    }
    for class in classes {
        hash.update((class.len() as u64).to_le_bytes());
        hash.update(class);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn add(hash: &mut Sha256, data: &Dataset) {
    hash.update((data.rows() as u64).to_le_bytes());
    match &data.features {
        Features::F32 { values, .. } => hash.update(bytemuck::cast_slice::<f32, u8>(values)),
        Features::U8 { values, .. } => hash.update(values),
        Features::Blocks(blocks) => {
            let rows: Vec<u32> = (0..blocks.rows() as u32).collect();
            for rows in rows.chunks(blocks.window()) {
                hash.update(bytemuck::cast_slice::<f32, u8>(&blocks.gather(rows)));
            }
        }
    }
    match &data.targets {
        Targets::Classes { labels, .. } => hash.update(bytemuck::cast_slice::<u32, u8>(labels)),
        Targets::Values { values, .. } => hash.update(bytemuck::cast_slice::<f32, u8>(values)),
    }
    (0..data.rows() as u32).for_each(|row| hash.update(data.weight(row).to_le_bytes()));
}
