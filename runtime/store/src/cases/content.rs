//! Contents of files: in the database, so that a backup has them and a change of a file is one transaction.
//!
//! A content can be large and the writer is one thread, so that contents come and go in pieces, each a piece of work of
//! its own: other work goes on in between. What a process that dies leaves half, the next start removes. A content is
//! there once whatever number of files has it; its digest tells which it is.

use std::mem;

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use tenter_model::limits::{FILE_PIECE_BYTES, MAX_FILE_BYTES};

use super::CaseWorld;
use super::world::one;
use crate::codec;
use crate::commit::column;
use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

/// Pieces removed in one piece of work.
const REMOVED_AT_ONCE: i64 = 16;

/// A content that is being sent. What was written of one that is dropped is removed.
pub struct FileUpload {
    store: Store,
    id: i64,
    hasher: Sha256,
    size: u64,
    pieces: i64,
    buffer: Vec<u8>,
    kept: bool,
}

impl Store {
    /// Begins to take the content of a file.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn begin_upload(&self) -> Result<FileUpload, StoreError> {
        let id = self.call(|tx| {
            let sql = "INSERT INTO case_content (state, size) VALUES ('coming', 0)";
            tx.conn.prepare_cached(sql)?.execute([])?;
            tx.crash.at("file-begun");
            Ok(tx.conn.last_insert_rowid())
        })?;
        Ok(FileUpload {
            store: self.clone(),
            id,
            hasher: Sha256::new(),
            size: 0,
            pieces: 0,
            buffer: Vec::new(),
            kept: false,
        })
    }

    /// Removes contents that no file has any more, piece by piece.
    pub(super) fn remove_gone_contents(&self) -> Result<(), StoreError> {
        while self.call(|tx| remove_some(tx.conn, "going", REMOVED_AT_ONCE).inspect(|_| tx.crash.at("file-removed")))? {
        }
        Ok(())
    }
}

impl FileUpload {
    /// Takes the next bytes. Whole pieces are on disk when it returns.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the file becomes too large, [`StoreError::Full`] when the disk has no room for it.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > MAX_FILE_BYTES {
            let text = format!("the file is larger than the {} MiB that one may have", MAX_FILE_BYTES >> 20);
            return Err(StoreError::Invalid(text));
        }
        self.hasher.update(bytes);
        while !bytes.is_empty() {
            let room = FILE_PIECE_BYTES.saturating_sub(self.buffer.len());
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() >= FILE_PIECE_BYTES {
                self.store_piece()?;
            }
        }
        Ok(())
    }

    fn store_piece(&mut self) -> Result<(), StoreError> {
        let (id, n, bytes) = (self.id, self.pieces, mem::take(&mut self.buffer));
        self.pieces += 1;
        self.store.call(move |tx| {
            if let Some(why) = tx.pressure {
                return Err(StoreError::Full(why.to_owned()));
            }
            tx.conn
                .prepare_cached("INSERT INTO case_content_piece (content, n, bytes) VALUES (?1, ?2, ?3)")?
                .execute((id, n, codec::seal(&bytes)))?;
            tx.crash.at("file-piece");
            Ok(())
        })
    }

    /// Writes what is left. The content still belongs to no file.
    pub(super) fn finish(mut self) -> Result<Sent, StoreError> {
        if !self.buffer.is_empty() {
            self.store_piece()?;
        }
        let sha256 = mem::take(&mut self.hasher).finalize().into();
        Ok(Sent { id: self.id, sha256, size: self.size, upload: self })
    }
}

impl Drop for FileUpload {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let id = self.id;
        // Nobody waits: should it not be done, the next start does it. The last round removes the content itself.
        for _ in 0..=(self.pieces / REMOVED_AT_ONCE + 1) {
            self.store.send(false, Box::new(|_| {}), move |tx| remove_pieces(tx.conn, id, REMOVED_AT_ONCE));
        }
    }
}

/// A content of which all pieces are there.
pub(super) struct Sent {
    id: i64,
    pub(super) sha256: [u8; 32],
    pub(super) size: u64,
    upload: FileUpload,
}

impl Sent {
    /// The number of the content and what it must become.
    pub(super) fn part(&self) -> (i64, [u8; 32], u64) {
        (self.id, self.sha256, self.size)
    }

    /// A file has it now.
    pub(super) fn keep(mut self) {
        self.upload.kept = true;
    }
}

/// Makes a content whole; gives the number of the one that has these bytes, which may have been there before.
pub(super) fn settle(tx: &Tx<'_>, (id, sha256, size): (i64, [u8; 32], u64)) -> Result<i64, StoreError> {
    let known: Option<i64> = one(tx.conn, "SELECT id FROM case_content WHERE sha256 = ?1", [&sha256[..]])?;
    match known {
        Some(known) => {
            tx.conn.execute("UPDATE case_content SET state = 'going' WHERE id = ?1", [id])?;
            Ok(known)
        }
        None => {
            tx.conn.execute(
                "UPDATE case_content SET state = 'whole', sha256 = ?2, size = ?3 WHERE id = ?1",
                (id, &sha256[..], column(size)),
            )?;
            Ok(id)
        }
    }
}

/// Gives a content up when no file has it any more.
pub(super) fn release(tx: &Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "UPDATE case_content SET state = 'going', sha256 = NULL WHERE id = ?1 AND \
             NOT EXISTS (SELECT 1 FROM case_file WHERE content = ?1)",
        )?
        .execute([id])?;
    Ok(())
}

/// Removes what a process that died was taking or removing.
pub(super) fn sweep(tx: &Tx<'_>) -> Result<(), StoreError> {
    for state in ["coming", "going"] {
        while remove_some(tx.conn, state, i64::MAX)? {}
    }
    Ok(())
}

/// Removes some pieces of a content in a state, or the content when it has none; tells whether there was one.
fn remove_some(conn: &Connection, state: &str, pieces: i64) -> Result<bool, StoreError> {
    let id: Option<i64> = one(conn, "SELECT id FROM case_content WHERE state = ?1 ORDER BY id LIMIT 1", [state])?;
    let Some(id) = id else { return Ok(false) };
    remove_pieces(conn, id, pieces)?;
    Ok(true)
}

fn remove_pieces(conn: &Connection, id: i64, pieces: i64) -> Result<(), StoreError> {
    let removed = conn
        .prepare_cached(
            "DELETE FROM case_content_piece WHERE content = ?1 AND \
             n IN (SELECT n FROM case_content_piece WHERE content = ?1 ORDER BY n LIMIT ?2)",
        )?
        .execute((id, pieces))?;
    if removed == 0 {
        conn.prepare_cached("DELETE FROM case_content WHERE id = ?1")?.execute([id])?;
    }
    Ok(())
}

impl CaseWorld<'_> {
    /// A piece of the content of a file, from 0 on; `None` behind the last one. All but the last have
    /// [`FILE_PIECE_BYTES`].
    #[must_use]
    pub fn file_piece(&self, file: i64, number: u64) -> Option<Vec<u8>> {
        let sql = "SELECT p.bytes FROM case_file f JOIN case_content_piece p ON p.content = f.content \
                   WHERE f.id = ?1 AND p.n = ?2";
        let read = || -> Result<Option<Vec<u8>>, StoreError> {
            let mut statement = self.conn.prepare_cached(sql)?;
            let sealed: Option<Vec<u8>> = statement.query_row((file, column(number)), |r| r.get(0)).optional()?;
            let unreadable = |why| StoreError::Unreadable { what: format!("piece {number} of file {file}"), why };
            sealed.map(|sealed| codec::unseal(&sealed).map(<[u8]>::to_vec).map_err(unreadable)).transpose()
        };
        self.ask(read())
    }
}
