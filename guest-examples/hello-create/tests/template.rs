//! This example is what `tenter new` writes.

#[test]
fn the_template_is_this_example() {
    let template = include_str!("../../../guest-sdk/rust/template/src/lib.rs");
    assert_eq!(template, include_str!("../src/lib.rs"), "copy src/lib.rs to guest-sdk/rust/template/src/lib.rs");
}

#[test]
fn the_template_builds_by_itself() {
    let manifest = include_str!("../../../guest-sdk/rust/template/Cargo.toml");
    assert!(manifest.contains("name = \"NAME\""), "`tenter new` replaces NAME");
    assert!(manifest.contains("path = \"vendor/tenter/guest-sdk/rust\""), "the SDK is unpacked there");
    assert!(manifest.contains("\n[workspace]\n"), "a module may lie inside another workspace's folder");
    assert!(!manifest.contains("workspace = true"), "there is no workspace to inherit from");
}
