//! Files of cases: a tree of folders for each, whose files have names, remarks and contents.
//!
//! The folder that all of a case is below is made when it is first asked for, so that a case without files has none. It
//! can be deleted like any other, which empties the tree.

use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::json;
use tenter_model::Timestamp;
use tenter_model::case::object::uuid;
use tenter_model::case::{ObjectKind, ObjectRef, tags};
use tenter_model::limits::{MAX_CASE_FILE_BYTES, MAX_CASE_NODES, MAX_FOLDER_DEPTH};

use super::content::{self, FileUpload};
use super::world::one;
use super::{CaseActor, CaseWorld, log, rows};
use crate::commit::column;
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

/// A folder of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRow {
    /// Its id, unique among folders of all cases and never used again.
    pub id: i64,
    /// Its uuid.
    pub uuid: String,
    /// The case.
    pub case_id: i64,
    /// The folder that it is in; `None`: all of the case is below it.
    pub parent_id: Option<i64>,
    /// Its name.
    pub name: String,
}

/// What people say of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileWords {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The password of an archive. It is kept as it is given, for people, and encrypts nothing.
    pub password: String,
    /// Tags, separated by commas.
    pub tags: String,
    /// Whether it is an indicator.
    pub is_ioc: bool,
    /// Whether it is a piece of evidence.
    pub is_evidence: bool,
}

/// A file of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Its id, unique among files of all cases and never used again.
    pub id: i64,
    /// Its uuid.
    pub uuid: String,
    /// The case.
    pub case_id: i64,
    /// The folder that it is in.
    pub folder_id: i64,
    /// What people say of it.
    pub words: FileWords,
    /// When it was added.
    pub added: Timestamp,
    /// Who added it.
    pub user_id: i64,
    /// SHA-256 of its content.
    pub sha256: [u8; 32],
    /// Bytes of its content.
    pub size: u64,
}

impl Store {
    /// The folder that all files of a case are below; made if need be.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a case that does not exist.
    pub fn root_folder(&self, case_id: i64, random: [u8; 16], by: CaseActor) -> Result<FolderRow, StoreError> {
        self.call(move |tx| {
            case_must_exist(tx.conn, case_id)?;
            match root(tx.conn, case_id)? {
                Some(found) => Ok(found),
                None => insert_folder(tx, case_id, None, "Datastore", random, &by),
            }
        })
    }

    /// Adds a folder to one of a case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a parent that the case does not have, [`StoreError::Invalid`] for a name that none
    /// can have, and when the case would get too many or too deep folders.
    pub fn add_folder(
        &self,
        case_id: i64,
        parent_id: i64,
        name: &str,
        random: [u8; 16],
        by: CaseActor,
    ) -> Result<FolderRow, StoreError> {
        let name = name.to_owned();
        self.call(move |tx| {
            check_name(&name)?;
            let parent = folder_in(tx.conn, parent_id, case_id)?;
            must_fit(tx.conn, case_id, 0)?;
            must_not_be_deep(depth(tx.conn, &parent)? + 1)?;
            insert_folder(tx, case_id, Some(parent_id), &name, random, &by)
        })
    }

    /// Gives a folder another name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and [`StoreError::Invalid`] for a name that none can have.
    pub fn rename_folder(&self, case_id: i64, id: i64, name: &str, by: CaseActor) -> Result<FolderRow, StoreError> {
        let name = name.to_owned();
        self.call(move |tx| {
            check_name(&name)?;
            folder_in(tx.conn, id, case_id)?;
            tx.conn.execute("UPDATE case_folder SET name = ?2 WHERE id = ?1", (id, &name))?;
            note(tx, case_id, "renamed folder", &name, &format!("folder {id}"), &by)?;
            folder_in(tx.conn, id, case_id)
        })
    }

    /// Moves a folder with all in it into another one of the case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a folder or parent that the case does not have, [`StoreError::Invalid`] for a folder
    /// that would come to be in itself or too deep.
    pub fn move_folder(&self, case_id: i64, id: i64, parent_id: i64, by: CaseActor) -> Result<FolderRow, StoreError> {
        self.call(move |tx| {
            let folder = folder_in(tx.conn, id, case_id)?;
            let parent = folder_in(tx.conn, parent_id, case_id)?;
            let below = below(tx.conn, &folder)?;
            if below.iter().any(|(inner, _)| inner.id == parent_id) {
                return Err(StoreError::Invalid("a folder cannot be moved into itself".into()));
            }
            let height = below.iter().map(|(_, level)| *level).max().unwrap_or(0);
            must_not_be_deep(depth(tx.conn, &parent)? + 1 + height)?;
            tx.conn.execute("UPDATE case_folder SET parent = ?2 WHERE id = ?1", (id, parent_id))?;
            note(tx, case_id, "moved folder", &folder.name, &format!("folder {id}"), &by)?;
            folder_in(tx.conn, id, case_id)
        })
    }

    /// Deletes a folder with all in it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn delete_folder(&self, case_id: i64, id: i64, by: CaseActor) -> Result<FolderRow, StoreError> {
        let folder = self.call(move |tx| {
            let folder = folder_in(tx.conn, id, case_id)?;
            for (inner, _) in below(tx.conn, &folder)? {
                for file in files(tx.conn, "f.folder = ?1 ORDER BY f.id", [inner.id])? {
                    remove_file(tx, &file, &by)?;
                }
                tx.conn.execute("DELETE FROM case_folder WHERE id = ?1", [inner.id])?;
            }
            note(tx, case_id, "deleted folder", &folder.name, &format!("folder {id}"), &by)?;
            tx.crash.at("file-end");
            Ok(folder)
        })?;
        self.remove_gone_contents()?;
        Ok(folder)
    }

    /// Puts a file with a content that was sent into a folder of a case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a folder that the case does not have, [`StoreError::Invalid`] for words that no file
    /// can have, and when the case would get too many files or bytes.
    pub fn add_file(
        &self,
        case_id: i64,
        folder_id: i64,
        words: FileWords,
        upload: FileUpload,
        random: [u8; 16],
        by: CaseActor,
    ) -> Result<FileRow, StoreError> {
        let sent = upload.finish()?;
        let part = sent.part();
        let row = self.call(move |tx| {
            let words = checked(&words)?;
            folder_in(tx.conn, folder_id, case_id)?;
            must_fit(tx.conn, case_id, part.2)?;
            let content = content::settle(tx, part)?;
            let id = rows::next_id(tx, "file")?;
            tx.conn
                .prepare_cached(
                    "INSERT INTO case_file (id, uuid, case_id, folder, content, name, description, password, tags, \
                     is_ioc, is_evidence, added, user_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                )?
                .execute(rusqlite::params![
                    id,
                    uuid(random),
                    case_id,
                    folder_id,
                    content,
                    words.name,
                    words.description,
                    words.password,
                    words.tags,
                    words.is_ioc,
                    words.is_evidence,
                    by.acting.now.0,
                    by.acting.user_id,
                ])?;
            note(tx, case_id, "added file", &words.name, &format!("file {id}"), &by)?;
            tx.crash.at("file-end");
            file_in(tx.conn, id, case_id)
        })?;
        sent.keep();
        self.remove_gone_contents()?;
        Ok(row)
    }

    /// Replaces what people say of a file.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and [`StoreError::Invalid`] for words that no file can have.
    pub fn update_file(&self, case_id: i64, id: i64, words: FileWords, by: CaseActor) -> Result<FileRow, StoreError> {
        self.call(move |tx| {
            let words = checked(&words)?;
            file_in(tx.conn, id, case_id)?;
            tx.conn.execute(
                "UPDATE case_file SET name = ?2, description = ?3, password = ?4, tags = ?5, is_ioc = ?6, \
                 is_evidence = ?7 WHERE id = ?1",
                (id, &words.name, &words.description, &words.password, &words.tags, words.is_ioc, words.is_evidence),
            )?;
            note(tx, case_id, "updated file", &words.name, &format!("file {id}"), &by)?;
            file_in(tx.conn, id, case_id)
        })
    }

    /// Moves a file into another folder of the case.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a file or folder that the case does not have.
    pub fn move_file(&self, case_id: i64, id: i64, folder_id: i64, by: CaseActor) -> Result<FileRow, StoreError> {
        self.call(move |tx| {
            let file = file_in(tx.conn, id, case_id)?;
            folder_in(tx.conn, folder_id, case_id)?;
            tx.conn.execute("UPDATE case_file SET folder = ?2 WHERE id = ?1", (id, folder_id))?;
            note(tx, case_id, "moved file", &file.words.name, &format!("file {id}"), &by)?;
            file_in(tx.conn, id, case_id)
        })
    }

    /// Deletes a file. Its content goes with the last file that has it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn delete_file(&self, case_id: i64, id: i64, by: CaseActor) -> Result<FileRow, StoreError> {
        let file = self.call(move |tx| {
            let file = file_in(tx.conn, id, case_id)?;
            remove_file(tx, &file, &by)?;
            tx.crash.at("file-end");
            Ok(file)
        })?;
        self.remove_gone_contents()?;
        Ok(file)
    }
}

impl CaseWorld<'_> {
    /// The folders of a case, in order of their ids.
    #[must_use]
    pub fn folders(&self, case_id: i64) -> Vec<FolderRow> {
        self.ask(folders(self.conn, "case_id = ?1 ORDER BY id", [case_id]))
    }

    /// The files of a case, in order of their ids.
    #[must_use]
    pub fn files(&self, case_id: i64) -> Vec<FileRow> {
        self.ask(files(self.conn, "f.case_id = ?1 ORDER BY f.id", [case_id]))
    }

    /// A folder of a case.
    #[must_use]
    pub fn folder(&self, case_id: i64, id: i64) -> Option<FolderRow> {
        self.ask(folders(self.conn, "id = ?1 AND case_id = ?2", (id, case_id))).into_iter().next()
    }

    /// A file of a case.
    #[must_use]
    pub fn file(&self, case_id: i64, id: i64) -> Option<FileRow> {
        self.ask(files(self.conn, "f.id = ?1 AND f.case_id = ?2", (id, case_id))).into_iter().next()
    }
}

/// Removes all files of a case; their contents are removed later.
pub(super) fn remove_all(tx: &mut Tx<'_>, case_id: i64, by: &CaseActor) -> Result<(), StoreError> {
    for file in files(tx.conn, "f.case_id = ?1 ORDER BY f.id", [case_id])? {
        remove_file(tx, &file, by)?;
    }
    tx.conn.execute("DELETE FROM case_folder WHERE case_id = ?1", [case_id])?;
    Ok(())
}

fn remove_file(tx: &mut Tx<'_>, file: &FileRow, by: &CaseActor) -> Result<(), StoreError> {
    let content: Option<i64> = one(tx.conn, "SELECT content FROM case_file WHERE id = ?1", [file.id])?;
    tx.conn.prepare_cached("DELETE FROM case_file WHERE id = ?1")?.execute([file.id])?;
    if let Some(content) = content {
        content::release(tx, content)?;
    }
    note(tx, file.case_id, "deleted file", &file.words.name, &format!("file {}", file.id), by)
}

/// A line in the log of activities and one in the audit log.
fn note(
    tx: &mut Tx<'_>,
    case_id: i64,
    action: &str,
    name: &str,
    subject: &str,
    by: &CaseActor,
) -> Result<(), StoreError> {
    log::activity(tx, Some(case_id), &format!("{action} \"{name}\""), false, by)?;
    let action = format!("datastore.{}", action.replace(' ', "-"));
    log::audit(tx, by, &action, subject, &json!({"case": case_id, "name": name}))
}

fn insert_folder(
    tx: &mut Tx<'_>,
    case_id: i64,
    parent_id: Option<i64>,
    name: &str,
    random: [u8; 16],
    by: &CaseActor,
) -> Result<FolderRow, StoreError> {
    let id = rows::next_id(tx, "folder")?;
    tx.conn
        .prepare_cached("INSERT INTO case_folder (id, uuid, case_id, parent, name) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((id, uuid(random), case_id, parent_id, name))?;
    // The first one is made by looking, which is nothing that a person did.
    if parent_id.is_some() {
        note(tx, case_id, "added folder", name, &format!("folder {id}"), by)?;
    }
    folder_in(tx.conn, id, case_id)
}

fn case_must_exist(conn: &Connection, case_id: i64) -> Result<(), StoreError> {
    rows::find_in(conn, ObjectRef { kind: ObjectKind::Case, id: case_id }, None).map(drop)
}

fn root(conn: &Connection, case_id: i64) -> Result<Option<FolderRow>, StoreError> {
    Ok(folders(conn, "case_id = ?1 AND parent IS NULL", [case_id])?.into_iter().next())
}

/// A folder, which must be one of the case.
fn folder_in(conn: &Connection, id: i64, case_id: i64) -> Result<FolderRow, StoreError> {
    let found = folders(conn, "id = ?1 AND case_id = ?2", (id, case_id))?.into_iter().next();
    found.ok_or_else(|| StoreError::NotFound(format!("folder {id} of case {case_id}")))
}

fn file_in(conn: &Connection, id: i64, case_id: i64) -> Result<FileRow, StoreError> {
    let found = files(conn, "f.id = ?1 AND f.case_id = ?2", (id, case_id))?.into_iter().next();
    found.ok_or_else(|| StoreError::NotFound(format!("file {id} of case {case_id}")))
}

fn folders(conn: &Connection, condition: &str, values: impl rusqlite::Params) -> Result<Vec<FolderRow>, StoreError> {
    let sql = format!("SELECT id, uuid, case_id, parent, name FROM case_folder WHERE {condition}");
    let mut statement = conn.prepare_cached(&sql)?;
    let read = |r: &Row<'_>| {
        Ok(FolderRow { id: r.get(0)?, uuid: r.get(1)?, case_id: r.get(2)?, parent_id: r.get(3)?, name: r.get(4)? })
    };
    let found = statement.query_map(values, read)?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn files(conn: &Connection, condition: &str, values: impl rusqlite::Params) -> Result<Vec<FileRow>, StoreError> {
    let sql = format!(
        "SELECT f.id, f.uuid, f.case_id, f.folder, f.name, f.description, f.password, f.tags, f.is_ioc, f.is_evidence, \
         f.added, f.user_id, c.sha256, c.size FROM case_file f JOIN case_content c ON c.id = f.content WHERE {condition}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let read = |r: &Row<'_>| {
        Ok(FileRow {
            id: r.get(0)?,
            uuid: r.get(1)?,
            case_id: r.get(2)?,
            folder_id: r.get(3)?,
            words: FileWords {
                name: r.get(4)?,
                description: r.get(5)?,
                password: r.get(6)?,
                tags: r.get(7)?,
                is_ioc: r.get(8)?,
                is_evidence: r.get(9)?,
            },
            added: Timestamp(r.get(10)?),
            user_id: r.get(11)?,
            sha256: r.get(12)?,
            size: u64::try_from(r.get::<_, i64>(13)?).unwrap_or(0),
        })
    };
    let found = statement.query_map(values, read)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// A folder and all below it, with how far below each is.
fn below(conn: &Connection, folder: &FolderRow) -> Result<Vec<(FolderRow, usize)>, StoreError> {
    let all = folders(conn, "case_id = ?1 ORDER BY id", [folder.case_id])?;
    let (mut found, mut next) = (vec![(folder.clone(), 0)], 0);
    while let Some((above, level)) = found.get(next).map(|(row, level)| (row.id, *level)) {
        // Each is in one folder, so that none is met twice.
        found.extend(all.iter().filter(|row| row.parent_id == Some(above)).map(|row| (row.clone(), level + 1)));
        next += 1;
    }
    Ok(found)
}

/// How far below the first folder of its case a folder is.
fn depth(conn: &Connection, folder: &FolderRow) -> Result<usize, StoreError> {
    let (mut levels, mut above) = (0, folder.parent_id);
    while let Some(id) = above.filter(|_| levels <= MAX_FOLDER_DEPTH) {
        levels += 1;
        above = one::<Option<i64>>(conn, "SELECT parent FROM case_folder WHERE id = ?1", [id])?.flatten();
    }
    Ok(levels)
}

fn must_not_be_deep(levels: usize) -> Result<(), StoreError> {
    if levels <= MAX_FOLDER_DEPTH {
        return Ok(());
    }
    Err(StoreError::Invalid(format!("folders go {MAX_FOLDER_DEPTH} levels deep at most")))
}

/// Whether a case may have one more file or folder, of so many bytes.
fn must_fit(conn: &Connection, case_id: i64, bytes: u64) -> Result<(), StoreError> {
    let count = "SELECT (SELECT count(*) FROM case_folder WHERE case_id = ?1) + \
                 (SELECT count(*) FROM case_file WHERE case_id = ?1)";
    let nodes: Option<i64> = conn.prepare_cached(count)?.query_row([case_id], |r| r.get(0)).optional()?;
    if nodes.unwrap_or(0) >= column(MAX_CASE_NODES) {
        return Err(StoreError::Invalid(format!("a case has {MAX_CASE_NODES} files and folders at most")));
    }
    let sum = "SELECT coalesce(sum(c.size), 0) FROM case_file f JOIN case_content c ON c.id = f.content \
               WHERE f.case_id = ?1";
    let there: Option<i64> = one(conn, sum, [case_id])?;
    if u64::try_from(there.unwrap_or(0)).unwrap_or(0).saturating_add(bytes) > MAX_CASE_FILE_BYTES {
        return Err(StoreError::Invalid(format!(
            "the files of a case have {} GiB at most; delete some first",
            MAX_CASE_FILE_BYTES >> 30
        )));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), StoreError> {
    if name.trim().is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
        let text = "the name of a file or folder has 1 to 255 characters and none that controls a terminal";
        return Err(StoreError::Invalid(text.into()));
    }
    Ok(())
}

fn checked(words: &FileWords) -> Result<FileWords, StoreError> {
    check_name(&words.name)?;
    for (what, text, most) in
        [("description", &words.description, 65_536), ("password", &words.password, 1_024), ("tags", &words.tags, 512)]
    {
        if text.chars().count() > most {
            return Err(StoreError::Invalid(format!("the {what} of a file has {most} characters at most")));
        }
    }
    Ok(FileWords { tags: tags::canonical(&words.tags), ..words.clone() })
}
