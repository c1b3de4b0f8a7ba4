//! Files of cases: contents that come in pieces, are there once and go with their last file; a tree that stays one.

use tenter_model::limits::{FILE_PIECE_BYTES, MAX_CASE_NODES, MAX_FILE_BYTES, MAX_FOLDER_DEPTH};
use tenter_store::{CaseWorld, FileRow, FileUpload, FileWords, FolderRow, Reader, Store, StoreError, StoreOptions};

use crate::cases::{by, look, make, removal};
use crate::fixtures::*;
use crate::script;
use serde_json::json;
use tenter_model::case::{ObjectKind, ObjectRef};

fn words(name: &str) -> FileWords {
    FileWords { name: name.into(), tags: "a, b,a".into(), ..FileWords::default() }
}

fn sent(store: &Store, bytes: &[u8]) -> FileUpload {
    let mut upload = store.begin_upload().unwrap();
    upload.write(bytes).unwrap();
    upload
}

fn root(store: &Store) -> FolderRow {
    store.root_folder(1, [1; 16], by(1)).unwrap()
}

fn folder(store: &Store, parent: i64, name: &str) -> FolderRow {
    store.add_folder(1, parent, name, [2; 16], by(1)).unwrap()
}

fn add(store: &Store, folder: i64, name: &str, bytes: &[u8]) -> FileRow {
    store.add_file(1, folder, words(name), sent(store, bytes), [3; 16], by(1)).unwrap()
}

fn content(world: &CaseWorld<'_>, file: i64) -> Vec<u8> {
    (0..).map_while(|n| world.file_piece(file, n)).flatten().collect()
}

/// Rows of a table that the interface does not show.
fn rows(store: &Store, table: &str) -> i64 {
    let conn = rusqlite::Connection::open(store.dir().join("tenter.db")).unwrap();
    conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap()
}

/// The step of the history that is told at each death: a file comes, moves, and the folder that it came into goes with
/// another file.
pub(crate) fn told(store: &Store, reader: &Reader) -> bool {
    let (folders, files) = reader.cases(None, None, |world| (world.folders(1), world.files(1))).unwrap();
    let inner = folders.iter().find(|f| f.name == "inner").cloned();
    let kept = files.iter().find(|f| f.words.name == "kept").cloned();
    if inner.is_none() && kept.is_some() {
        return true;
    }
    let root = root(store);
    let inner = inner.unwrap_or_else(|| folder(store, root.id, "inner"));
    let kept = kept.unwrap_or_else(|| {
        if !files.iter().any(|f| f.words.name == "gone") {
            add(store, inner.id, "gone", b"goes");
        }
        add(store, inner.id, "kept", b"stays")
    });
    if kept.folder_id != root.id {
        store.move_file(1, kept.id, root.id, by(1)).unwrap();
    }
    store.delete_folder(1, inner.id, by(1)).unwrap();
    false
}

/// All of files that can be read, as text.
pub(crate) fn dump(world: &CaseWorld<'_>, out: &mut Vec<String>) {
    out.push(format!("{:?}", world.folders(1)));
    for file in world.files(1) {
        out.push(format!("{file:?} {:?}", content(world, file.id)));
    }
}

#[test]
fn a_content_of_several_pieces_comes_back_as_it_was_and_is_there_once() {
    let store = store();
    let root = root(&store);
    assert_eq!(root, self::root(&store), "the second look finds the first folder");
    let bytes: Vec<u8> = (0..FILE_PIECE_BYTES * 2 + 7).map(|n| (n % 251) as u8).collect();
    let mut upload = store.begin_upload().unwrap();
    for part in bytes.chunks(300_000) {
        upload.write(part).unwrap();
    }
    let first = store.add_file(1, root.id, words("first"), upload, [3; 16], by(1)).unwrap();
    let second = add(&store, root.id, "second", &bytes);
    assert_eq!((first.size, first.sha256, first.words.tags.as_str()), (bytes.len() as u64, second.sha256, "a,b"));
    assert_eq!((rows(&store, "case_content"), rows(&store, "case_content_piece")), (1, 3));
    look(&store, |world| {
        assert!(content(world, second.id) == bytes);
        assert_eq!(world.file(1, first.id).as_ref(), Some(&first));
        assert_eq!(world.file(2, first.id), None);
    });
    store.delete_file(1, first.id, by(1)).unwrap();
    assert_eq!(rows(&store, "case_content"), 1);
    store.delete_file(1, second.id, by(1)).unwrap();
    assert_eq!((rows(&store, "case_content"), rows(&store, "case_content_piece")), (0, 0));
    let empty = add(&store, root.id, "empty", b"");
    assert!(look(&store, |world| content(world, empty.id)).is_empty());
    assert!(empty.id > second.id);
    script::assert_sound(&store);
}

#[test]
fn a_tree_stays_a_tree_and_of_its_case() {
    let store = store();
    let root = root(&store);
    let (a, b) = (folder(&store, root.id, "a"), folder(&store, root.id, "b"));
    let inner = store.move_folder(1, b.id, a.id, by(1)).unwrap();
    assert_eq!(inner.parent_id, Some(a.id));
    let said = |result: Result<FolderRow, StoreError>| result.unwrap_err().to_string();
    insta::assert_snapshot!(said(store.move_folder(1, a.id, b.id, by(1))), @"a folder cannot be moved into itself");
    insta::assert_snapshot!(said(store.move_folder(1, a.id, 99, by(1))), @"folder 99 of case 1 does not exist");
    insta::assert_snapshot!(said(store.move_folder(2, a.id, root.id, by(1))), @"folder 2 of case 2 does not exist");
    insta::assert_snapshot!(said(store.rename_folder(1, a.id, "\u{1b}[0m", by(1))), @"the name of a file or folder has 1 to 255 characters and none that controls a terminal");
    insta::assert_snapshot!(said(store.root_folder(9, [0; 16], by(1))), @"case 9 does not exist");
    let mut deepest = inner;
    for level in 3..=MAX_FOLDER_DEPTH {
        deepest = folder(&store, deepest.id, &level.to_string());
    }
    let deeper = store.add_folder(1, deepest.id, "x", [0; 16], by(1));
    insta::assert_snapshot!(said(deeper), @"folders go 16 levels deep at most");
    let c = folder(&store, root.id, "c");
    insta::assert_snapshot!(said(store.move_folder(1, a.id, c.id, by(1))), @"folders go 16 levels deep at most");
    let file = add(&store, deepest.id, "deep", b"x");
    assert_eq!(store.rename_folder(1, a.id, "z", by(1)).unwrap().name, "z");
    store.delete_folder(1, root.id, by(1)).unwrap();
    look(&store, |world| {
        assert!(world.folders(1).is_empty() && world.files(1).is_empty());
        assert_eq!(world.file(1, file.id), None);
    });
    assert_ne!(self::root(&store).id, root.id);
    script::assert_sound(&store);
}

#[test]
fn what_is_not_finished_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let root = root(&store);
    drop(sent(&store, &vec![7; FILE_PIECE_BYTES + 1]));
    let refused = store.add_file(1, 99, words("x"), sent(&store, b"x"), [3; 16], by(1)).unwrap_err();
    insta::assert_snapshot!(refused, @"folder 99 of case 1 does not exist");
    let refused = store.add_file(1, root.id, words(" "), sent(&store, b"x"), [3; 16], by(1));
    assert!(matches!(refused, Err(StoreError::Invalid(_))));
    // Behind what dropped uploads left to the writer.
    folder(&store, root.id, "later");
    assert_eq!((rows(&store, "case_content"), rows(&store, "case_content_piece")), (0, 0));
    // A process that dies takes nothing back.
    std::mem::forget(sent(&store, &vec![7; FILE_PIECE_BYTES + 1]));
    assert_eq!(rows(&store, "case_content_piece"), 1);
    store.close().unwrap();
    drop(store);
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(dir.path().join("tenter.db"), copy.path().join("tenter.db")).unwrap();
    let store = open(copy.path());
    assert_eq!((rows(&store, "case_content"), rows(&store, "case_content_piece")), (0, 0));
    script::assert_sound(&store);
}

#[test]
fn files_have_bounds_and_go_with_their_case() {
    let store = store();
    let mut upload = store.begin_upload().unwrap();
    // Refused before any of it is looked at.
    let error = upload.write(&vec![0; usize::try_from(MAX_FILE_BYTES).unwrap() + 1]).unwrap_err();
    insta::assert_snapshot!(error, @"the file is larger than the 256 MiB that one may have");
    drop(upload);
    let request = json!({
        "case_name": "Second", "case_description": "Another one.", "case_soc_id": "s2", "case_customer": 1,
    });
    let case = make(&store, ObjectKind::Case, None, request).object.target.id;
    let root = store.root_folder(case, [1; 16], by(1)).unwrap();
    store.add_file(case, root.id, words("x"), sent(&store, b"x"), [3; 16], by(1)).unwrap();
    store.delete_object(removal(ObjectRef { kind: ObjectKind::Case, id: case }, case), by(1)).unwrap();
    assert_eq!((rows(&store, "case_content"), rows(&store, "case_file"), rows(&store, "case_folder")), (0, 0, 0));
    script::assert_sound(&store);
}

#[test]
fn a_case_has_so_many_files_and_folders() {
    let store = store();
    let root = root(&store);
    let conn = rusqlite::Connection::open(store.dir().join("tenter.db")).unwrap();
    conn.execute(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT ?1) \
         INSERT INTO case_folder (id, uuid, case_id, parent, name) SELECT x + 100, '', 1, ?2, 'f' FROM n",
        (i64::try_from(MAX_CASE_NODES).unwrap() - 1, root.id),
    )
    .unwrap();
    let error = store.add_folder(1, root.id, "one more", [0; 16], by(1)).unwrap_err();
    insta::assert_snapshot!(error, @"a case has 10000 files and folders at most");
    let refused = store.add_file(1, root.id, words("x"), sent(&store, b"x"), [3; 16], by(1));
    assert!(matches!(refused, Err(StoreError::Invalid(_))));
}

#[test]
fn a_full_disk_refuses_a_file_and_keeps_the_rest() {
    let free = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(u64::MAX));
    let asked = free.clone();
    let free_bytes = tenter_store::FreeBytes(std::sync::Arc::new(move |_: &std::path::Path| {
        Some(asked.load(std::sync::atomic::Ordering::SeqCst))
    }));
    let store =
        Store::temporary(StoreOptions { free_bytes: Some(free_bytes), ..StoreOptions::default() }, NOW).unwrap();
    let root = root(&store);
    free.store(0, std::sync::atomic::Ordering::SeqCst);
    // The first commit on the full disk learns of it.
    folder(&store, root.id, "a");
    let mut upload = store.begin_upload().unwrap();
    let error = upload.write(&vec![0; FILE_PIECE_BYTES]).unwrap_err();
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    free.store(u64::MAX, std::sync::atomic::Ordering::SeqCst);
    folder(&store, root.id, "b");
    add(&store, root.id, "x", b"x");
    drop(upload);
    script::assert_sound(&store);
}
