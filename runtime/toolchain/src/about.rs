//! What a component says of how it was built: a section of its own in the file, which changes nothing of what it does.
//!
//! It is a help for people, not evidence: whoever builds a component can write what they like into it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wasm_encoder::{ComponentSection as _, CustomSection, Encode as _};

use crate::error::{BuildError, Kind, Result};

/// Name of the section.
pub const SECTION: &str = "tenter:build";
/// Version of the contract that components are built against.
pub(crate) const CONTRACT: &str = "0.1.0";

/// How a component was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The module's name at that time.
    pub name: String,
    /// What it is written in.
    pub language: String,
    /// Version of this program, whose SDK it has.
    pub tenter: String,
    /// The contract.
    pub contract: String,
    /// Tools and their versions.
    pub tools: BTreeMap<String, String>,
}

impl About {
    /// Adds itself to a component.
    ///
    /// # Errors
    /// Never in practice: text always becomes JSON.
    pub fn add_to(&self, component: &mut Vec<u8>) -> Result<()> {
        let text = serde_json::to_vec(self)
            .map_err(|e| BuildError::new(Kind::Machine, format!("cannot describe the build: {e}")))?;
        let section = CustomSection { name: Cow::Borrowed(SECTION), data: Cow::Owned(text) };
        component.push(section.id());
        section.encode(component);
        Ok(())
    }

    /// What a component says, if it says anything. Reads the outermost sections alone.
    #[must_use]
    pub fn of(component: &[u8]) -> Option<Self> {
        let mut rest = component.get(8..)?;
        while let Some((&id, after)) = rest.split_first() {
            let (size, after) = number(after)?;
            let (section, next) = after.split_at_checked(size)?;
            if id == 0 {
                let (length, named) = number(section)?;
                let (name, data) = named.split_at_checked(length)?;
                if name == SECTION.as_bytes() {
                    return serde_json::from_slice(data).ok();
                }
            }
            rest = next;
        }
        None
    }
}

/// A number as WebAssembly writes it, and what follows.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (i, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, bytes.get(i + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_read_again() {
        let about = About {
            name: "m".into(),
            language: "go".into(),
            tenter: "0.1.0".into(),
            contract: CONTRACT.into(),
            tools: [("go".to_owned(), "1.2".repeat(80))].into(),
        };
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        assert_eq!(About::of(&component), None);
        About { name: "other".into(), ..about.clone() }.add_to(&mut component).unwrap();
        let other = component.len();
        about.add_to(&mut component).unwrap();
        assert_eq!(About::of(&component).unwrap().name, "other");
        component.drain(8..other);
        assert_eq!(About::of(&component), Some(about));
        for end in 0..component.len() {
            assert_eq!(About::of(&component[..end]), None, "cut at {end}");
        }
    }
}
