//! Folders that the operator grants: what a guest finds in them, and what it never gets at.

use std::path::Path;
use std::time::{Duration, Instant};

use tenter_model::capability::Grant;

use crate::prepared::{rogue, sweep};
use crate::support::Host;

/// A rogue that may read `lists`, which lies there; `other` is named, but not granted.
fn reader(lists: &Path, other: &Path) -> Host {
    rogue(|settings| {
        let folders = [("lists", lists), ("other", other)];
        settings.files = folders.map(|(name, path)| (name.to_owned(), path.display().to_string())).into();
        settings.grants = vec![Grant { capability: "files".into(), scope: "lists".into() }];
    })
}

fn said(host: &mut Host, what: &str) -> String {
    sweep(host, what).remove(0)
}

#[test]
fn a_granted_folder_is_read_and_never_written() {
    let (lists, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(lists.path().join("names.txt"), "alice").unwrap();
    std::fs::create_dir(lists.path().join("in")).unwrap();
    std::fs::write(lists.path().join("in/deep.txt"), "bob").unwrap();
    std::fs::write(other.path().join("secret.txt"), "carol").unwrap();
    let mut host = reader(lists.path(), other.path());
    assert_eq!(said(&mut host, "read /files/lists/names.txt"), r#"Ok("alice")"#);
    assert_eq!(said(&mut host, "read /files/lists/in/deep.txt"), r#"Ok("bob")"#);
    assert_eq!(said(&mut host, "list /files/lists"), r#"Ok(["in", "names.txt"])"#);
    for act in [
        "write /files/lists/names.txt",
        "write /files/lists/new.txt",
        "remove /files/lists/names.txt",
        "make /files/lists/new",
        "read /files/other/secret.txt",
        "list /files/other",
        "list /files",
        "read /etc/passwd",
        "read /files/lists/../../etc/passwd",
        "read /files/lists/../other/secret.txt",
    ] {
        assert!(said(&mut host, act).starts_with("Err("), "{act}: {}", said(&mut host, act));
    }
    assert_eq!(std::fs::read_to_string(lists.path().join("names.txt")).unwrap(), "alice");
    assert_eq!(std::fs::read_dir(lists.path()).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_a_folder() {
    use std::os::unix::fs::symlink;
    let (lists, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(lists.path().join("a.txt"), "alice").unwrap();
    std::fs::write(other.path().join("secret.txt"), "carol").unwrap();
    symlink("a.txt", lists.path().join("inside")).unwrap();
    symlink(other.path(), lists.path().join("folder")).unwrap();
    symlink(other.path().join("secret.txt"), lists.path().join("file")).unwrap();
    let up = Path::new("..").join(other.path().file_name().unwrap()).join("secret.txt");
    symlink(&up, lists.path().join("up")).unwrap();
    // The links lead somewhere.
    assert_eq!(std::fs::read_to_string(lists.path().join("up")).unwrap(), "carol");
    let mut host = reader(lists.path(), other.path());
    assert_eq!(said(&mut host, "read /files/lists/inside"), r#"Ok("alice")"#);
    for name in ["file", "up", "folder/secret.txt", "folder/../a.txt"] {
        let found = said(&mut host, &format!("read /files/lists/{name}"));
        assert!(found.starts_with("Err("), "{name}: {found}");
    }
}

#[test]
fn a_call_tells_what_it_could_read_and_a_change_makes_a_new_instance() {
    let lists = tempfile::tempdir().unwrap();
    let file = lists.path().join("a.txt");
    std::fs::write(&file, "one").unwrap();
    let mut host = reader(lists.path(), lists.path());
    let digest_line = |host: &mut Host| {
        let done = crate::prepared::swept(host, "memory");
        (done.usage.warm, done.logs[0].message.clone())
    };
    let (_, first) = digest_line(&mut host);
    assert!(first.starts_with(r#"the folder "lists" has 1 entries of 3 bytes, sha256:"#), "{first}");
    assert_eq!(digest_line(&mut host), (true, first.clone()));
    std::fs::write(&file, "two").unwrap();
    // Within a second and a little, however slow the machine is.
    let began = Instant::now();
    let second = loop {
        let (warm, line) = digest_line(&mut host);
        if !warm {
            break line;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "the change was not seen");
        std::thread::yield_now();
    };
    assert_ne!(first, second);
    assert_eq!(said(&mut host, "read /files/lists/a.txt"), r#"Ok("two")"#);

    // A folder that is gone is not there, and the log says so.
    drop(lists);
    let mut host = reader(Path::new("/nowhere/at/all"), Path::new("/"));
    let (_, line) = digest_line(&mut host);
    assert_eq!(
        line,
        r#"the folder "lists" is not there: cannot read /nowhere/at/all: No such file or directory (os error 2)"#
    );
    assert!(said(&mut host, "read /files/lists/a.txt").starts_with("Err("));
}
