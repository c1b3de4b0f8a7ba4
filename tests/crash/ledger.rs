//! The ledger: a file to which the load adds a line before it sends a request and a line after it knows what became of
//! it. Requests are named by the number of their first value; each holds the values of the numbers that follow.
//!
//! The process that writes it is never killed, so nothing is flushed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

/// What is known of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was sent. Whether the server got it is not known.
    Sent,
    /// The connection, over which requests had been answered, broke before the answer: the request was in flight when
    /// the server ended.
    Broken,
    /// The connection broke before it brought any answer, so that perhaps nobody had taken it.
    Unheard,
    /// The server said yes.
    Answered,
    /// The server said no.
    Refused,
}

impl Fate {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Sent, "sent"),
        (Self::Broken, "broken"),
        (Self::Unheard, "unheard"),
        (Self::Answered, "answered"),
        (Self::Refused, "refused"),
    ];
}

/// A request: its values and what became of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) size: u64,
    pub(crate) fate: Fate,
}

/// A ledger open for writing. A line is one write to a file open for appending, so threads and processes share it.
pub(crate) struct Ledger(File);

impl Ledger {
    pub(crate) fn open(path: &Path) -> Self {
        Self(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    pub(crate) fn write(&self, first: u64, size: u64, fate: Fate) {
        let name = Fate::ALL.iter().find(|(f, _)| *f == fate).map(|(_, name)| name).unwrap();
        (&self.0).write_all(format!("{first} {size} {name}\n").as_bytes()).unwrap();
    }
}

/// Reads a ledger: by the number of the first value.
pub(crate) fn read(path: &Path) -> BTreeMap<u64, Entry> {
    let mut entries = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_else(|| panic!("ledger: {line:?}"));
        let (first, size) = (word().parse().unwrap(), word().parse().unwrap());
        let name = word();
        let fate = Fate::ALL.iter().find(|(_, n)| *n == name).map(|(f, _)| *f).unwrap();
        let known = entries.insert(first, Entry { size, fate });
        let before: Option<Fate> = known.map(|e: Entry| e.fate);
        assert_eq!(before, (fate != Fate::Sent).then_some(Fate::Sent), "request {first}: {fate:?} after {before:?}");
    }
    entries
}
