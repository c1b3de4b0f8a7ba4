//! The law 1:1:1:1: the table of hook kinds and the WIT contract say the same, in the same order.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::path::Path;

use tenter_model::hook::{Family, TABLE};
use wit_parser::{Interface, Resolve, TypeDefKind, World, WorldItem};

struct Contract {
    resolve: Resolve,
    package: wit_parser::PackageId,
}

impl Contract {
    fn read() -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(&dir).unwrap();
        Self { resolve, package }
    }

    fn interface(&self, name: &str) -> &Interface {
        let id = self.resolve.packages[self.package].interfaces.get(name);
        &self.resolve.interfaces[*id.unwrap_or_else(|| panic!("no interface {name}"))]
    }

    fn worlds(&self) -> impl Iterator<Item = &World> {
        self.resolve.packages[self.package].worlds.values().map(|id| &self.resolve.worlds[*id])
    }

    /// Names of the interfaces that a world exports.
    fn exports(&self, world: &World) -> Vec<&str> {
        let name = |item: &WorldItem| match item {
            WorldItem::Interface { id, .. } => self.resolve.interfaces[*id].name.as_deref(),
            _ => None,
        };
        world.exports.values().filter_map(name).collect()
    }
}

fn kinds(family: Family) -> Vec<&'static str> {
    TABLE.iter().filter(|row| row.family == family).map(|row| row.name).collect()
}

#[test]
fn functions_are_the_rows_of_the_table() {
    let contract = Contract::read();
    for family in Family::ALL {
        let interface = contract.interface(family.interface());
        let functions: Vec<&str> =
            interface.functions.keys().map(String::as_str).filter(|name| *name != "subscriptions").collect();
        assert_eq!(functions, kinds(family), "functions of {}", family.interface());
        assert!(interface.functions.contains_key("subscriptions"), "{} has no subscriptions", family.interface());
    }
}

#[test]
fn moments_are_the_rows_of_the_table() {
    let contract = Contract::read();
    for family in Family::ALL {
        let interface = contract.interface(family.interface());
        let moment = &contract.resolve.types[*interface.types.get("moment").unwrap()];
        let TypeDefKind::Variant(variant) = &moment.kind else { panic!("moment of {family} is no variant") };
        let cases: Vec<&str> = variant.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(cases, kinds(family), "moments of {}", family.interface());
    }
}

#[test]
fn every_interface_says_what_it_is_for() {
    let contract = Contract::read();
    for (name, id) in &contract.resolve.packages[contract.package].interfaces {
        let docs = contract.resolve.interfaces[*id].docs.contents.as_deref().unwrap_or_default();
        assert!(!docs.trim().is_empty(), "interface {name} has no documentation");
    }
}

#[test]
fn every_hook_says_when_what_and_what_then() {
    let contract = Contract::read();
    for family in Family::ALL {
        for (name, function) in &contract.interface(family.interface()).functions {
            let docs = function.docs.contents.as_deref().unwrap_or_default();
            let places: Vec<Option<usize>> =
                ["**When**", "**Sees**", "**Returns**", "**On failure**"].iter().map(|word| docs.find(word)).collect();
            assert!(places.iter().all(Option::is_some), "{family}.{name} lacks one of its four sentences: {docs}");
            assert!(places.is_sorted(), "{family}.{name} has its four sentences in another order");
        }
    }
}

#[test]
fn no_other_interface_lists_kinds() {
    let contract = Contract::read();
    let families: Vec<&str> = Family::ALL.iter().map(|f| f.interface()).collect();
    for id in contract.resolve.packages[contract.package].interfaces.values() {
        let interface = &contract.resolve.interfaces[*id];
        let name = interface.name.as_deref().unwrap_or_default();
        if families.contains(&name) {
            continue;
        }
        for (type_name, id) in &interface.types {
            let names: Vec<&str> = match &contract.resolve.types[*id].kind {
                TypeDefKind::Variant(v) => v.cases.iter().map(|c| c.name.as_str()).collect(),
                TypeDefKind::Enum(e) => e.cases.iter().map(|c| c.name.as_str()).collect(),
                TypeDefKind::Flags(f) => f.flags.iter().map(|f| f.name.as_str()).collect(),
                _ => continue,
            };
            let listed: Vec<&&str> = names.iter().filter(|n| TABLE.iter().any(|row| row.name == **n)).collect();
            assert!(listed.len() < 2, "{name}.{type_name} lists kinds of hooks: {listed:?}");
        }
    }
}

#[test]
fn each_world_exports_one_family_at_most() {
    let contract = Contract::read();
    let mut seen = Vec::new();
    for world in contract.worlds() {
        let families: Vec<&str> = contract
            .exports(world)
            .into_iter()
            .filter(|name| Family::ALL.iter().any(|family| family.interface() == *name))
            .collect();
        // What the host binds, and no guest targets.
        if world.name == "everything" {
            assert_eq!(families.len(), Family::ALL.len(), "the host's world lacks a family");
            continue;
        }
        assert!(families.len() <= 1, "world {} exports {families:?}", world.name);
        seen.extend(families.into_iter().map(str::to_owned));
    }
    seen.sort();
    let mut all: Vec<&str> = Family::ALL.iter().map(|f| f.interface()).collect();
    all.sort_unstable();
    assert_eq!(seen, all, "each family has one world of its own");
}
