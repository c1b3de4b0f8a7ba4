//! Removing entities: record, documents, links both ways, and the links to it in the records of others.
//!
//! All of one entity goes in one transaction, so that no record links to what is not there and no link leads from it.
//! Documents of it that are stored already are marked as gone, which hides them at once; cleaning removes them, since
//! they lie in as many places as there are runs. The raw log keeps its datapoints.
//!
//! Each record that links to it costs a rewrite in this transaction: some 20 µs, so that an entity to which a hundred
//! thousand others link stops other writing for two seconds. Memory does not grow with their number.

use rusqlite::OptionalExtension;
use tenter_model::upkeep::links;
use tenter_model::{AttrName, EntityId, EntityRef, EntityType, MasterRecord, Timestamp};

use crate::codec;
use crate::commit::{column, count_entity};
use crate::error::StoreError;
use crate::names;
use crate::outcome::Done;
use crate::store::{self, Store};
use crate::tally::Count;
use crate::tx::Tx;

/// Linking records looked at before they are written.
const SOURCES: usize = 500;

/// An entity that is to be removed unless it has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The entity.
    pub entity: EntityRef,
    /// The revision of the record that was decided about.
    pub revision: u64,
    /// Whether a link that leads to it by now, at the time of the deletion, keeps it.
    pub unless_linked: bool,
}

/// What became of a [`Deletion`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It is removed.
    Removed,
    /// Its record has changed since, or it is not there any more.
    Changed,
    /// Something links to it.
    Linked,
}

impl Store {
    /// Removes entities, each unless it has changed, all in one transaction: some hundred at once are a good measure.
    /// Gives what became of each, in their order.
    pub fn delete_entities(&self, deletions: Vec<Deletion>, now: Timestamp, done: Done<Vec<Deleted>>) {
        self.send(false, done, move |tx| deletions.iter().map(|deletion| delete(tx, deletion, now)).collect());
    }

    /// [`Store::delete_entities`], waiting for the answer.
    ///
    /// # Errors
    /// When nothing was removed.
    pub fn delete_entities_blocking(
        &self,
        deletions: Vec<Deletion>,
        now: Timestamp,
    ) -> Result<Vec<Deleted>, StoreError> {
        store::wait(|done| self.delete_entities(deletions, now, done))
    }
}

fn delete(tx: &mut Tx<'_>, deletion: &Deletion, now: Timestamp) -> Result<Deleted, StoreError> {
    let entity = &deletion.entity;
    let key = (tx.etype(entity)?, entity.eid.as_str());
    let stored: Option<i64> = tx
        .conn
        .prepare_cached("SELECT revision FROM master WHERE etype = ?1 AND eid = ?2")?
        .query_row(key, |r| r.get(0))
        .optional()?;
    if stored != Some(column(deletion.revision)) {
        return Ok(Deleted::Changed);
    }
    let linked = deletion.unless_linked
        && tx
            .conn
            .prepare_cached(
                "SELECT 1 FROM link WHERE to_etype = ?1 AND to_eid = ?2 AND (until IS NULL OR until >= ?3)",
            )?
            .exists((key.0, key.1, now.0))?;
    if linked {
        return Ok(Deleted::Linked);
    }
    remove(tx, entity)?;
    Ok(Deleted::Removed)
}

/// Removes all of an entity that has a record.
pub(crate) fn remove(tx: &mut Tx<'_>, entity: &EntityRef) -> Result<(), StoreError> {
    let etype = tx.etype(entity)?;
    let key = (etype, entity.eid.as_str());
    let removed = tx.conn.prepare_cached("DELETE FROM master WHERE etype = ?1 AND eid = ?2")?.execute(key)?;
    tx.crash.at("delete-record");
    tx.conn.prepare_cached("DELETE FROM link WHERE etype = ?1 AND eid = ?2")?.execute(key)?;
    unlink_sources(tx, entity)?;
    tx.crash.at("delete-sources");
    hide_documents(tx, key)?;
    count_entity(tx, etype, -i64::try_from(removed).unwrap_or(0))?;
    tx.tally.add(Count::Removed, i64::try_from(removed).unwrap_or(0));
    tx.crash.at("delete-end");
    Ok(())
}

/// Takes the links to an entity out of the records that have them, and out of the table of links.
pub(crate) fn unlink_sources(tx: &mut Tx<'_>, gone: &EntityRef) -> Result<(), StoreError> {
    let key = (tx.etype(gone)?, gone.eid.as_str());
    loop {
        let limit = i64::try_from(SOURCES).unwrap_or(i64::MAX);
        let rows: Vec<(i64, String, i64)> = tx
            .conn
            .prepare_cached("SELECT etype, eid, attr FROM link WHERE to_etype = ?1 AND to_eid = ?2 LIMIT ?3")?
            .query_map((key.0, key.1, limit), |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?
            .collect::<Result<_, _>>()?;
        for (etype, eid, attr) in &rows {
            unlink_source(tx, (*etype, eid), *attr, gone)?;
            tx.conn
                .prepare_cached(
                    "DELETE FROM link WHERE etype = ?1 AND eid = ?2 AND attr = ?3 AND to_etype = ?4 AND to_eid = ?5",
                )?
                .execute((etype, eid, attr, key.0, key.1))?;
        }
        if rows.len() < SOURCES {
            return Ok(());
        }
    }
}

fn unlink_source(tx: &mut Tx<'_>, key: (i64, &String), attr: i64, gone: &EntityRef) -> Result<(), StoreError> {
    let stored: Option<Vec<u8>> = tx
        .conn
        .prepare_cached("SELECT body FROM master WHERE etype = ?1 AND eid = ?2")?
        .query_row(key, |r| r.get(0))
        .optional()?;
    let Some(stored) = stored else { return Ok(()) };
    let mut record: MasterRecord = match codec::decode(&stored, || format!("record of {:?}", key.1)) {
        Ok(record) => record,
        // It is told wherever it is read, and must not keep others from going.
        Err(error) => {
            tracing::error!(%error, %gone, "a record keeps its link to a removed entity");
            return Ok(());
        }
    };
    let attr: AttrName = crate::reader::name(&names::text(tx.conn, attr)?)?;
    if links::unlink_attribute(&mut record, &attr, gone) {
        codec::encode_into(tx.room, &record)?;
        tx.conn
            .prepare_cached("UPDATE master SET revision = revision + 1, body = ?3 WHERE etype = ?1 AND eid = ?2")?
            .execute((key.0, key.1, &tx.room[..]))?;
    }
    Ok(())
}

/// Hides the documents of an entity in all runs that there are.
fn hide_documents(tx: &Tx<'_>, (etype, eid): (i64, &str)) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO snapshot_gone (etype, eid, run) SELECT ?1, ?2, max(number) FROM run HAVING max(number) NOT NULL \
             ON CONFLICT DO UPDATE SET run = excluded.run",
        )?
        .execute((etype, eid))?;
    Ok(())
}

impl Store {
    /// Removes an attribute from all records of a type, with its links, in pieces between which other work goes on.
    /// Gives the number of records that had it. The raw log and stored documents keep it.
    ///
    /// # Errors
    /// What the disk may say; what was done before stays done, and doing it again does the rest.
    pub fn drop_attribute(&self, etype: &EntityType, attr: &AttrName) -> Result<u64, StoreError> {
        let (mut dropped, mut after) = (0, None);
        loop {
            let (of, attr, from) = (etype.clone(), attr.clone(), after);
            let (n, next) = self.call(move |tx| drop_attribute_step(tx, &of, &attr, from.as_ref()))?;
            dropped += n;
            if next.is_none() {
                return Ok(dropped);
            }
            after = next;
        }
    }

    /// Removes a type: its entities as [`Store::delete_entities`] does, links to others of it, its datapoints in the
    /// raw log, its documents. In pieces between which other work goes on. Gives the number of entities.
    ///
    /// # Errors
    /// What the disk may say; what was done before stays done, and doing it again does the rest.
    pub fn drop_type(&self, etype: &EntityType) -> Result<u64, StoreError> {
        let mut dropped = 0;
        for step in [drop_entities_step, drop_targets_step, drop_raw_step, drop_documents_step] {
            loop {
                let of = etype.clone();
                let n = self.call(move |tx| match names::lookup(tx.conn, of.as_str())? {
                    Some(number) => step(tx, &of, number),
                    None => Ok((0, false)),
                })?;
                dropped += n.0;
                if !n.1 {
                    break;
                }
            }
        }
        Ok(dropped)
    }
}

fn drop_attribute_step(
    tx: &mut Tx<'_>,
    etype: &EntityType,
    attr: &AttrName,
    after: Option<&EntityId>,
) -> Result<(u64, Option<EntityId>), StoreError> {
    let Some(number) = names::lookup(tx.conn, etype.as_str())? else { return Ok((0, None)) };
    let limit = i64::try_from(SOURCES).unwrap_or(i64::MAX);
    let rows: Vec<(String, Vec<u8>)> = tx
        .conn
        .prepare_cached("SELECT eid, body FROM master WHERE etype = ?1 AND eid > ?2 ORDER BY eid LIMIT ?3")?
        .query_map((number, after.map_or("", EntityId::as_str), limit), |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut dropped = 0;
    for (eid, body) in &rows {
        let mut record: MasterRecord = codec::decode(body, || format!("record of {etype}/{eid}"))?;
        if record.attributes.remove(attr).is_some() {
            codec::encode_into(tx.room, &record)?;
            tx.conn
                .prepare_cached("UPDATE master SET revision = revision + 1, body = ?3 WHERE etype = ?1 AND eid = ?2")?
                .execute((number, eid, &tx.room[..]))?;
            dropped += 1;
        }
        if let Some(attr) = names::lookup(tx.conn, attr.as_str())? {
            tx.conn
                .prepare_cached("DELETE FROM link WHERE etype = ?1 AND eid = ?2 AND attr = ?3")?
                .execute((number, eid, attr))?;
        }
    }
    tx.crash.at("schema-attribute");
    let last = rows.last().filter(|_| rows.len() == SOURCES);
    Ok((dropped, last.map(|(eid, _)| crate::reader::name(eid)).transpose()?))
}

/// What a step of dropping a type gives: entities removed, and whether there is more to do.
type Dropped = Result<(u64, bool), StoreError>;

fn drop_entities_step(tx: &mut Tx<'_>, etype: &EntityType, number: i64) -> Dropped {
    let eids = eids(tx, "SELECT eid FROM master WHERE etype = ?1 LIMIT ?2", number)?;
    for eid in &eids {
        remove(tx, &EntityRef { etype: etype.clone(), eid: crate::reader::name(eid)? })?;
    }
    tx.crash.at("schema-entities");
    Ok((eids.len() as u64, eids.len() == SOURCES))
}

fn drop_targets_step(tx: &mut Tx<'_>, etype: &EntityType, number: i64) -> Dropped {
    let eids = eids(tx, "SELECT DISTINCT to_eid FROM link WHERE to_etype = ?1 LIMIT ?2", number)?;
    for eid in &eids {
        unlink_sources(tx, &EntityRef { etype: etype.clone(), eid: crate::reader::name(eid)? })?;
    }
    Ok((0, eids.len() == SOURCES))
}

fn drop_raw_step(tx: &mut Tx<'_>, _: &EntityType, number: i64) -> Dropped {
    let (gone, derived) = tx
        .conn
        .prepare_cached(
            "SELECT count(*), count(module) FROM (SELECT module FROM raw WHERE etype = ?1 ORDER BY seq LIMIT 20000)",
        )?
        .query_row([number], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?)))?;
    tx.conn
        .prepare_cached("DELETE FROM raw WHERE seq IN (SELECT seq FROM raw WHERE etype = ?1 ORDER BY seq LIMIT 20000)")?
        .execute([number])?;
    tx.tally.add(Count::RawPoints, -gone);
    tx.tally.add(Count::DerivedPoints, -derived);
    Ok((0, gone == 20_000))
}

fn drop_documents_step(tx: &mut Tx<'_>, _: &EntityType, number: i64) -> Dropped {
    let limit = i64::try_from(SOURCES).unwrap_or(i64::MAX);
    let rows: Vec<(i64, String)> = tx
        .conn
        .prepare_cached(
            "SELECT s.run, s.eid FROM run r CROSS JOIN snapshot s ON s.run = r.number WHERE s.etype = ?1 \
             ORDER BY r.number LIMIT ?2",
        )?
        .query_map((number, limit), |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (run, eid) in &rows {
        crate::runs::drop_row(tx, *run, &crate::runs::neighbours(tx, *run)?, (number, eid))?;
    }
    if rows.is_empty() {
        tx.conn.prepare_cached("DELETE FROM snapshot_gone WHERE etype = ?1")?.execute([number])?;
    }
    tx.crash.at("schema-documents");
    Ok((0, !rows.is_empty()))
}

fn eids(tx: &Tx<'_>, sql: &str, etype: i64) -> Result<Vec<String>, StoreError> {
    let limit = i64::try_from(SOURCES).unwrap_or(i64::MAX);
    Ok(tx.conn.prepare_cached(sql)?.query_map((etype, limit), |r| r.get(0))?.collect::<Result<_, _>>()?)
}
