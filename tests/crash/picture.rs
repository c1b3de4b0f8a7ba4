//! All that matters of what a server left, as facts with names: two servers that did the same work leave the same facts.
//!
//! Left out is what belongs to the way and not to the work: when a record was written and how often, ids of tasks and
//! runs, repeats of ids that were known.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use tenter_model::record::History;
use tenter_model::{ModuleName, Timestamp};
use tenter_store::{Reader, Share};

use crate::place::Place;

/// More than any test has.
const ALL: u32 = 100_000;

/// Facts by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture(pub(crate) BTreeMap<String, String>);

impl Picture {
    /// Of a server that has ended. The queues must be empty and the books in order.
    pub(crate) fn of(place: &Place) -> Self {
        assert_eq!(place.waiting().0, 0, "tasks wait");
        let reader = place.open_store().reader().unwrap();
        let mut facts = BTreeMap::new();
        for etype in reader.stored_types().unwrap() {
            for document in reader.snapshots(&etype, None, None, ALL).unwrap() {
                let fact = format!("{} partial={} {:?}", document.time, document.partial, document.view.values);
                facts.insert(format!("document {}", document.view.entity), fact);
            }
            for (eid, record) in reader.records(&etype, Share::ALL, None, ALL).unwrap().items {
                for (attr, history) in &record.attributes {
                    let fact = match history {
                        History::Plain { value, .. } => format!("{value:?}"),
                        other => format!("{other:?}"),
                    };
                    facts.insert(format!("record {etype}/{eid} {attr}"), fact);
                }
                let tokens: Vec<_> = record.ttl.keys().collect();
                facts.insert(format!("record {etype}/{eid} tokens"), format!("{tokens:?}"));
            }
        }
        for run in reader.runs(None, ALL).unwrap() {
            facts.insert(format!("run {}", run.number), format!("{} {} {:?}", run.time, run.state.name(), run.counts));
        }
        counts(&reader, &mut facts);
        facts.insert("archive".to_owned(), format!("{:?}", archive(place)));
        Self(facts)
    }

    /// The facts that differ, with both sides; some of them.
    pub(crate) fn difference(&self, other: &Self) -> Vec<String> {
        let names: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let told = |fact: Option<&String>| fact.map_or("nothing".to_owned(), |f| f.chars().take(300).collect());
        let odd = names.into_iter().filter(|name| self.0.get(*name) != other.0.get(*name));
        odd.take(10).map(|n| format!("{n}: {} instead of {}", told(self.0.get(n)), told(other.0.get(n)))).collect()
    }

    /// Without the facts of these names.
    pub(crate) fn without(mut self, is_left_out: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| !is_left_out(name));
        self
    }
}

/// Tasks and datapoints, and what the module counted.
fn counts(reader: &Reader, facts: &mut BTreeMap<String, String>) {
    let c = reader.counters().unwrap();
    let tasks = format!("accepted {} applied {} denied {} dead {}", c.accepted, c.applied, c.denied, c.dead);
    facts.insert("tasks".to_owned(), tasks);
    let points = format!("log {} derived {} archived {}", c.raw_points, c.derived_points, c.archived_points);
    facts.insert("datapoints".to_owned(), points);
    facts.insert("entities".to_owned(), format!("created {} removed {}", c.created, c.removed));
    let module = ModuleName::new("every").unwrap();
    for key in reader.state_keys(&module, "", None, ALL, Timestamp(0)).unwrap() {
        let (value, _) = reader.state_get(&module, &key, Timestamp(0)).unwrap().unwrap();
        facts.insert(format!("state {key}"), String::from_utf8(value).unwrap());
    }
}

/// The lines of the archive, each once: a death between writing a file and emptying the log repeats some.
fn archive(place: &Place) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for file in std::fs::read_dir(place.path().join("archive")).into_iter().flatten().map(Result::unwrap) {
        if file.path().extension().is_some_and(|extension| extension == "gz") {
            let mut text = String::new();
            let file = std::fs::File::open(file.path()).unwrap();
            flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
            lines.extend(text.lines().map(str::to_owned));
        }
    }
    lines
}

/// A comparison that sees nothing would make every death pass.
#[test]
fn each_difference_is_seen() {
    let picture = |facts: &[(&str, &str)]| {
        Picture(facts.iter().map(|(name, fact)| ((*name).to_owned(), (*fact).to_owned())).collect())
    };
    let whole = picture(&[("a", "1"), ("b", "2")]);
    assert_eq!(whole.difference(&whole), Vec::<String>::new());
    assert_eq!(picture(&[("a", "1")]).difference(&whole), ["b: nothing instead of 2"]);
    assert_eq!(picture(&[("a", "1"), ("b", "3"), ("c", "4")]).difference(&whole).len(), 2);
}
