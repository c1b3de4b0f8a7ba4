//! Names and configurations at random, mostly almost right: names that are taken are those of the rule and nothing else,
//! and a configuration is answered soon, with each error at a place that exists.
//!
//! `TENTER_EXTENT=full` makes more, `TENTER_SEED` repeats a run. Graphs of hooks are in `snapshot/plan.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use regex::Regex;
use tenter_model::config::{self, ConfigFile, ConfigProblem, Loaded};
use tenter_model::{AttrName, EntityId, EntityType, ModuleName, SubscriptionId};

/// A configuration takes no longer, however it is written. Much more than is needed, since the machine may be busy.
const BOUND: Duration = Duration::from_secs(5);
/// Longest text of an error, in bytes: some words around values that are cut.
const MAX_WORDS: usize = 4096;

fn asked(key: &str) -> Option<String> {
    std::env::vars_os().find(|(k, _)| k == key).map(|(_, v)| v.to_string_lossy().into_owned())
}

/// Runs a property over so many cases, or over so many with `TENTER_EXTENT=full`. The seed is printed.
fn runner(few: u32, full: u32) -> TestRunner {
    let new = || RandomState::new().hash_one(0);
    let seed = asked("TENTER_SEED").map_or_else(new, |text| text.parse().expect("TENTER_SEED is a number"));
    println!("TENTER_SEED={seed}");
    let cases = if asked("TENTER_EXTENT").is_some_and(|extent| extent == "full") { full } else { few };
    TestRunner::new(Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(seed), ..Config::default() })
}

fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        20 => "[a-z0-9_-]{1,6}",
        1 => "[A-Z.:]{1,3}",
        1 => select(vec!["/", "\\", "..", ".", " ", "\0", "\n", "é", "%2e", "~", "\u{202e}", "\u{7f}", "\u{85}"]).prop_map(str::to_owned),
        1 => (60usize..200).prop_map(|n| "a".repeat(n)),
        1 => (500usize..520).prop_map(|n| "1".repeat(n)),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

#[test]
fn names_are_those_of_the_rule() {
    // What each name is checked against is written a second time here, as a pattern.
    let identifier = Regex::new("^[a-zA-Z_][a-zA-Z0-9_-]{0,127}$").unwrap();
    let etype = Regex::new("^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,127}$").unwrap();
    let module = Regex::new("^[a-z][a-z0-9_-]{0,62}$").unwrap();
    let subscription = Regex::new("^[a-z0-9][a-z0-9_.:-]{0,63}$").unwrap();
    let eid = |text: &str| (1..=512).contains(&text.len()) && !text.chars().any(char::is_control);
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    let folder = Path::new("/data/modules");
    runner(2_000, 200_000)
        .run(&name(), |text| {
            prop_assert_eq!(EntityType::new(&text).is_ok(), etype.is_match(&text));
            prop_assert_eq!(AttrName::new(&text).is_ok(), identifier.is_match(&text));
            prop_assert_eq!(SubscriptionId::new(&text).is_ok(), subscription.is_match(&text));
            prop_assert_eq!(EntityId::new(&text).is_ok(), eid(&text));
            let given = ModuleName::new(&text);
            prop_assert_eq!(given.is_ok(), module.is_match(&text));
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<ModuleName>(&json).ok(), given.clone().ok());
            match given {
                Ok(name) => {
                    // As a file it lies in its folder and nowhere else.
                    let file = folder.join(format!("{name}.yml"));
                    prop_assert_eq!(file.parent(), Some(folder));
                    prop_assert_eq!(name.as_str(), text);
                    taken.set(taken.get() + 1);
                }
                Err(error) => {
                    let words = error.to_string();
                    prop_assert!(!words.chars().any(char::is_control), "{words:?}");
                    prop_assert!(words.len() < 1000);
                    refused.set(refused.get() + 1);
                }
            }
            Ok(())
        })
        .unwrap();
    println!("{} names were taken, {} refused", taken.get(), refused.get());
    assert!(taken.get() > 100 && refused.get() > 100);
}

/// The demonstration's configuration.
fn demonstration() -> Vec<ConfigFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/demo/site");
    let mut files = Vec::new();
    for folder in ["", "db_entities/", "modules/"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if name.ends_with(".yml") {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                files.push(ConfigFile { path: format!("{folder}{name}"), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

#[derive(Debug, Clone)]
enum Edit {
    /// Another word in the place of one.
    Word(Index, String),
    /// A word from anywhere in the place of one.
    Borrow(Index, Index),
    RemoveLine(Index),
    RepeatLine(Index, Index),
    Indent(Index, usize),
    Insert(Index, char),
    /// Anchors that repeat each other, so often in each of so many.
    Bomb(Index, usize, usize),
    /// Lists in lists.
    Deep(Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    let odd = prop_oneof![
        6 => select(vec![
            "~", "", "[]", "{}", "[[1]]", "{a: 1}", "*x", "&x 1", "<<: *x", "!!int 7", "!!binary aa==", ".inf", ".nan", "-1", "0", "1e999",
            "99999999999999999999", "'*'", "\"\\0\"", "\"\\u202e\"", "link<ip>", "link<ip;mirror=x>", "link<nope>", "dict<a:int,a:int>",
            "array<array<int>>", "category<int;>", "set<", "1d", "-1d", "9999999999d", "yes", "012", "|\n x", "? [a]", "---", "%TAG",
        ]).prop_map(str::to_owned),
        1 => (1usize..5000).prop_map(|n| "x".repeat(n)),
        1 => "\\PC{0,20}",
    ];
    prop_oneof![
        5 => (at(), odd).prop_map(|(at, word)| Edit::Word(at, word)),
        5 => (at(), at()).prop_map(|(at, from)| Edit::Borrow(at, from)),
        2 => at().prop_map(Edit::RemoveLine),
        2 => (at(), at()).prop_map(|(from, to)| Edit::RepeatLine(from, to)),
        2 => (at(), 0usize..9).prop_map(|(at, by)| Edit::Indent(at, by)),
        2 => (at(), any::<char>()).prop_map(|(at, c)| Edit::Insert(at, c)),
        1 => (at(), 1usize..30, 1usize..30).prop_map(|(at, width, depth)| Edit::Bomb(at, width, depth)),
        1 => (at(), 1usize..5000).prop_map(|(at, depth)| Edit::Deep(at, depth)),
    ]
}

/// Where words begin and end, by what separates them in these files.
fn words(text: &str) -> Vec<(usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || "_<>;=*/.-".contains(c);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| is_word(*c)) {
        match found.last_mut() {
            Some((_, end)) if *end == at => *end = at + c.len_utf8(),
            _ => found.push((at, at + c.len_utf8())),
        }
    }
    found
}

fn edited(text: &str, edit: &Edit, all: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let replaced = |at: &Index, with: &str| {
        let words = words(text);
        if words.is_empty() {
            return with.to_owned();
        }
        let (start, end) = words[at.index(words.len())];
        format!("{}{with}{}", &text[..start], &text[end..])
    };
    if lines.is_empty() {
        lines.push(String::new());
    }
    let count = lines.len();
    match edit {
        Edit::Word(at, with) => return replaced(at, with),
        Edit::Borrow(at, from) => {
            let words = words(all);
            let (start, end) = words[from.index(words.len())];
            return replaced(at, &all[start..end]);
        }
        Edit::RemoveLine(at) => drop(lines.remove(at.index(count))),
        Edit::RepeatLine(from, to) => lines.insert(to.index(count), lines[from.index(count)].clone()),
        Edit::Indent(at, by) => {
            let line = &mut lines[at.index(count)];
            *line = format!("{}{}", " ".repeat(*by), line.trim_start());
        }
        Edit::Insert(at, c) => {
            let mut chars: Vec<char> = text.chars().collect();
            chars.insert(at.index(chars.len() + 1), *c);
            return chars.into_iter().collect();
        }
        Edit::Bomb(at, width, depth) => {
            let mut bomb = vec!["b0: &b0 {k: [x, y]}".to_owned()];
            for n in 1..*depth {
                bomb.push(format!("b{n}: &b{n} [{}]", vec![format!("*b{}", n - 1); *width].join(", ")));
            }
            let at = at.index(count);
            lines.splice(at..at, bomb);
        }
        Edit::Deep(at, depth) => {
            lines.insert(at.index(count), format!("deep: {}{}", "[".repeat(*depth), "]".repeat(*depth)));
        }
    }
    lines.join("\n")
}

fn assert_placed(problem: &ConfigProblem, files: &[ConfigFile]) -> Result<(), TestCaseError> {
    let words = problem.to_string();
    prop_assert!(words.len() < MAX_WORDS, "{} bytes: {}", words.len(), words.chars().take(200).collect::<String>());
    prop_assert!(!words.chars().any(|c| c.is_control() && c != '\n'), "{words:?}");
    if let Some(file) = files.iter().find(|f| f.path == problem.file) {
        let lines = u32::try_from(file.text.lines().count()).unwrap();
        prop_assert!(problem.line <= lines + 1, "line {} of {lines}: {words}", problem.line);
    } else {
        prop_assert!(["(directory)", "db_entities"].contains(&problem.file.as_str()), "no such file: {words}");
    }
    Ok(())
}

#[test]
fn configurations_that_are_almost_right_are_answered() {
    let whole = demonstration();
    let all = whole.iter().map(|f| f.text.as_str()).collect::<Vec<_>>().join("\n");
    assert!(config::load(&whole).config.is_some(), "the demonstration loads");
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    let edits = prop::collection::vec((any::<Index>(), edit()), 1..4);
    runner(600, 60_000)
        .run(&edits, |edits| {
            let mut files = whole.clone();
            for (file, edit) in &edits {
                let count = files.len();
                let file = &mut files[file.index(count)];
                file.text = edited(&file.text, edit, &all);
            }
            let begun = Instant::now();
            let loaded = config::load(&files);
            prop_assert!(begun.elapsed() < BOUND, "took {:?}", begun.elapsed());
            let Loaded { config, errors, warnings } = &loaded;
            prop_assert_eq!(config.is_some(), errors.is_empty());
            for problem in errors.iter().chain(warnings) {
                assert_placed(problem, &files)?;
            }
            files.reverse();
            prop_assert_eq!(&config::load(&files), &loaded, "the order of the files does not matter");
            let count = if errors.is_empty() { &taken } else { &refused };
            count.set(count.get() + 1);
            Ok(())
        })
        .unwrap();
    println!("{} configurations were taken, {} refused", taken.get(), refused.get());
    assert!(taken.get() > 50 && refused.get() > 50, "the edits reach both");
}
