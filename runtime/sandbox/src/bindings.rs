//! The one `bindgen!` of the host, over the world `everything`.
//!
//! A component is never instantiated as that whole world: most export one or two families. Each family's
//! `exports::…::GuestIndices` probes and type-checks its own interface, see [`crate::component`].

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::semicolon_if_nothing_returned,
    clippy::uninlined_format_args,
    clippy::unwrap_used,
    clippy::use_self,
    reason = "generated code"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "everything",
    imports: { default: trappable },
    additional_derives: [PartialEq],
});
