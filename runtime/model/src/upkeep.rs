//! What becomes of stored records with time: histories are merged and cut, entities end, links to what is gone end.
//!
//! Each function changes a record in memory and tells whether there is anything to write; whoever calls it reads, and
//! writes on the condition that the record's revision is still the one that was read.

pub mod histories;
pub mod lifetime;
pub mod links;
