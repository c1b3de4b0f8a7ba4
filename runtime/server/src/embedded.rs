//! Files of this repository that the binary carries, so that it works where there is no checkout. The tables are
//! written by `build.rs`.

/// Path relative to its folder, with `/`, and content.
pub(crate) type File = (&'static str, &'static [u8]);

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
