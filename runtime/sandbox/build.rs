//! Builds the hostile guest that the integration tests call; they find it through `TENTER_VILLAIN`.

fn main() {
    for (package, path) in tenter_guest_build::build(&["tenter-villain"]) {
        if package == "tenter-villain" {
            println!("cargo::rustc-env=TENTER_VILLAIN={}", path.display());
        }
    }
}
