//! Builds the guests that the integration tests call; they find them through these variables.

fn main() {
    let guests = [("tenter-villain", "TENTER_VILLAIN"), ("test-every-kind", "TENTER_EVERY_KIND")];
    let built = tenter_guest_build::build(&guests.map(|(package, _)| package));
    for (package, variable) in guests {
        if let Some(path) = built.get(package) {
            println!("cargo::rustc-env={variable}={}", path.display());
        }
    }
}
