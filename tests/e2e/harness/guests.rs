//! Components for tests, built when the first test asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

type Built = BTreeMap<String, Arc<[u8]>>;

/// The component of a package of this workspace.
pub(crate) fn component(package: &str) -> Arc<[u8]> {
    static BUILT: Mutex<Built> = Mutex::new(Built::new());
    // A build that failed fails each test that needs the package, in its own words.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bytes) = built.get(package) {
        return bytes.clone();
    }
    let path = tenter_guest_build::at_test(package);
    let bytes: Arc<[u8]> = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).into();
    built.insert(package.to_owned(), bytes.clone());
    bytes
}

/// The component of an example, such as `label`.
pub(crate) fn example(name: &str) -> Arc<[u8]> {
    component(&format!("example-{name}"))
}
