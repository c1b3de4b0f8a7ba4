//! The page of guarantees names tests; each must exist.

use std::path::Path;

#[test]
fn each_test_that_the_guarantees_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/guarantees.md")).unwrap();
    let mut named = 0;
    for (file, test) in page.split('`').filter_map(|word| word.split_once("::")) {
        let source = std::fs::read_to_string(root.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert!(source.contains(&format!("fn {test}(")), "{file} has no test {test}");
        named += 1;
    }
    assert!(named >= 25, "the page was read: {named} tests");
    for promise in ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10", "G11", "G12"] {
        assert!(page.contains(&format!("\n### {promise} ")), "{promise} is missing");
    }
}
