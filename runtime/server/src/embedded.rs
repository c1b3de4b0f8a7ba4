//! Files of this repository that the binary carries, so that it works where there is no checkout. The tables are
//! written by `build.rs`.

use tenter_toolchain::Language;

/// Path relative to its folder, with `/`, and content.
pub(crate) type File = (&'static str, &'static [u8]);

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The SDK in a folder of `guest-sdk`.
pub(crate) fn sdk(folder: &str) -> &'static [File] {
    SDKS.iter().find(|(name, _)| *name == folder).map_or(&[], |(_, files)| files)
}

/// The template of a language, if there is one.
pub(crate) fn template(language: Language) -> Option<&'static [File]> {
    TEMPLATES.iter().find(|(name, _)| Language::find(name) == Some(language)).map(|(_, files)| *files)
}
