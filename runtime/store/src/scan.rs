//! Going through all that is stored: records, identities, links, in batches of bounded size.
//!
//! A batch is one short read. Between two batches things may change: what comes into being behind the place is not
//! seen, what goes is not missed. Who needs an order that holds has it: ids in byte order.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Row;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tenter_model::{AttrName, EntityId, EntityRef, EntityType, MasterRecord, Timestamp};

use crate::codec;
use crate::error::StoreError;
use crate::names;
use crate::reader::{Reader, blob, entity_ref, name, text};

/// One of several equal shares of the entities: those whose stable hash modulo `of` is `part`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which one, from 0.
    pub part: u32,
    /// How many there are.
    pub of: u32,
}

impl Share {
    /// All entities.
    pub const ALL: Self = Self { part: 0, of: 1 };

    /// Whether an entity is in this share.
    #[must_use]
    pub fn holds(self, entity: &EntityRef) -> bool {
        self.of <= 1 || entity.stable_hash() % u64::from(self.of) == u64::from(self.part)
    }
}

/// A batch of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T, K = EntityId> {
    /// What was found; fewer than asked for, even none, does not mean the end.
    pub items: Vec<T>,
    /// Where to go on; `None`: that was all.
    pub next: Option<K>,
    /// Entities whose record cannot be read, with the reason. They are left out and stay stored.
    pub unreadable: Vec<(EntityId, StoreError)>,
}

impl Reader {
    /// Records of a type in byte order of the ids, after one. Looks at no more than `limit` entities, of which those of
    /// the share are given.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn records(
        &self,
        etype: &EntityType,
        share: Share,
        after: Option<&EntityId>,
        limit: u32,
    ) -> Result<Page<(EntityId, MasterRecord)>, StoreError> {
        self.batch(RECORDS, Batch { etype, share, after, limit }, None, |row, entity| {
            let mut record: MasterRecord = codec::decode(blob(row, 2)?, || format!("record of {entity}"))?;
            record.revision = revision(row)?;
            Ok(Some((entity.eid.clone(), record)))
        })
    }

    /// [`Reader::records`] without their attributes, for who needs revision, age and TTL tokens alone: costs less.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn record_heads(
        &self,
        etype: &EntityType,
        share: Share,
        after: Option<&EntityId>,
        limit: u32,
    ) -> Result<Page<(EntityId, MasterRecord)>, StoreError> {
        self.batch(RECORDS, Batch { etype, share, after, limit }, None, |row, entity| {
            let Head(created, _, ttl, _) = codec::decode(blob(row, 2)?, || format!("record of {entity}"))?;
            let record = MasterRecord { created, revision: revision(row)?, ttl, attributes: BTreeMap::new() };
            Ok(Some((entity.eid.clone(), record)))
        })
    }

    /// Ids of a type with the revisions of their records, as [`Reader::records`] gives them.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn revisions(
        &self,
        etype: &EntityType,
        share: Share,
        after: Option<&EntityId>,
        limit: u32,
    ) -> Result<Page<(EntityId, u64)>, StoreError> {
        let sql = "SELECT m.eid, m.revision FROM name n JOIN master m ON m.etype = n.id \
                   WHERE n.text = ?1 AND m.eid > ?2 AND ?4 IS NULL ORDER BY m.eid LIMIT ?3";
        self.batch(sql, Batch { etype, share, after, limit }, None, |row, entity| {
            Ok(Some((entity.eid.clone(), revision(row)?)))
        })
    }

    /// Entity types that have entities, in the order of their first appearance.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn stored_types(&self) -> Result<Vec<EntityType>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached(
            "SELECT n.text FROM entity_count c JOIN name n ON n.id = c.etype WHERE c.n > 0 ORDER BY n.id",
        )?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(name(text(row, 0)?)?);
        }
        Ok(out)
    }

    /// Gives each link of these attributes that holds at a time to `each`, one after another without keeping them. The
    /// order is that of types, ids and attributes. `each` must not use this reader.
    ///
    /// # Errors
    /// What the disk may say, and what `each` returns, which ends it.
    pub fn each_link(
        &self,
        attributes: &[(EntityType, AttrName)],
        at: Timestamp,
        each: &mut dyn FnMut(&EntityRef, &AttrName, EntityRef) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.at_once(|conn| {
            let mut known = Known::default();
            let mut types: Vec<&EntityType> = attributes.iter().map(|(etype, _)| etype).collect();
            types.sort_unstable();
            types.dedup();
            for etype in types {
                let Some(number) = names::lookup(conn, etype.as_str())? else { continue };
                let mut wanted = Vec::new();
                for (_, attr) in attributes.iter().filter(|(of, _)| of == etype) {
                    if let Some(attr_number) = names::lookup(conn, attr.as_str())? {
                        wanted.push((attr_number, attr));
                    }
                }
                let mut statement = conn.prepare_cached(
                    "SELECT eid, attr, to_etype, to_eid FROM link WHERE etype = ?1 AND (until IS NULL OR until >= ?2) \
                     ORDER BY eid, attr",
                )?;
                let mut rows = statement.query((number, at.0))?;
                let mut from: Option<EntityRef> = None;
                while let Some(row) = rows.next()? {
                    let attr_number: i64 = row.get(1)?;
                    let Some((_, attr)) = wanted.iter().find(|(n, _)| *n == attr_number) else { continue };
                    let eid = text(row, 0)?;
                    let from = match from.take() {
                        Some(known) if known.eid.as_str() == eid => from.insert(known),
                        _ => from.insert(EntityRef { etype: etype.clone(), eid: name(eid)? }),
                    };
                    let to = EntityRef { etype: known.etype(conn, row.get(2)?)?, eid: name(text(row, 3)?)? };
                    each(from, attr, to)?;
                }
            }
            Ok(())
        })
    }

    /// Entities that a link of an attribute leads from to this one at a time, in byte order of the ids: the values of a
    /// mirror.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn linked_by(
        &self,
        target: &EntityRef,
        etype: &EntityType,
        attr: &AttrName,
        at: Timestamp,
    ) -> Result<Vec<EntityId>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached(
            "SELECT l.eid FROM name t JOIN link l ON l.to_etype = t.id AND l.to_eid = ?2 \
             WHERE t.text = ?1 AND l.etype = (SELECT id FROM name WHERE text = ?3) \
             AND l.attr = (SELECT id FROM name WHERE text = ?4) AND (l.until IS NULL OR l.until >= ?5) ORDER BY l.eid",
        )?;
        let mut rows =
            statement.query((target.etype.as_str(), target.eid.as_str(), etype.as_str(), attr.as_str(), at.0))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(name(text(row, 0)?)?);
        }
        Ok(out)
    }

    /// Targets of links that have no record, each once, after one.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn targets_without_record(&self, after: Option<&EntityRef>, limit: u32) -> Result<Vec<EntityRef>, StoreError> {
        self.at_once(|conn| {
            let first = match after {
                Some(after) => names::lookup(conn, after.etype.as_str())?,
                None => Some(i64::MIN),
            };
            let Some(first) = first else { return Ok(Vec::new()) };
            let mut statement = conn.prepare_cached(
                "SELECT DISTINCT to_etype, to_eid FROM link l WHERE (to_etype, to_eid) > (?1, ?2) AND NOT EXISTS \
                 (SELECT 1 FROM master m WHERE m.etype = l.to_etype AND m.eid = l.to_eid) \
                 ORDER BY to_etype, to_eid LIMIT ?3",
            )?;
            let mut rows = statement.query((first, after.map_or("", |a| a.eid.as_str()), limit))?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                out.push(entity_ref(conn, row, 0)?);
            }
            Ok(out)
        })
    }

    /// Entities of a type to which no link leads at a time, in byte order of the ids, after one. Looks at no more than
    /// `limit` entities.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn without_links_to(
        &self,
        etype: &EntityType,
        at: Timestamp,
        share: Share,
        after: Option<&EntityId>,
        limit: u32,
    ) -> Result<Page<(EntityId, u64)>, StoreError> {
        let sql = "SELECT m.eid, m.revision, EXISTS (SELECT 1 FROM link l WHERE l.to_etype = m.etype AND \
                   l.to_eid = m.eid AND (l.until IS NULL OR l.until >= ?4)) FROM name n JOIN master m \
                   ON m.etype = n.id WHERE n.text = ?1 AND m.eid > ?2 ORDER BY m.eid LIMIT ?3";
        self.batch(sql, Batch { etype, share, after, limit }, Some(at), |row, entity| {
            Ok(if row.get(2)? { None } else { Some((entity.eid.clone(), revision(row)?)) })
        })
    }

    /// Reads the next entities of a type. The statement gives the id first, and takes type, place, limit and time.
    fn batch<T>(
        &self,
        sql: &str,
        batch: Batch<'_>,
        at: Option<Timestamp>,
        mut item: impl FnMut(&Row<'_>, &EntityRef) -> Result<Option<T>, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let conn = self.connection();
        let mut page = Page { items: Vec::new(), next: None, unreadable: Vec::new() };
        let mut statement = conn.prepare_cached(sql)?;
        let after = batch.after.map_or("", EntityId::as_str);
        let mut rows = statement.query((batch.etype.as_str(), after, batch.limit, at.map(|t| t.0)))?;
        let (mut seen, mut last) = (0, None);
        while let Some(row) = rows.next()? {
            let entity = EntityRef { etype: batch.etype.clone(), eid: name(text(row, 0)?)? };
            seen += 1;
            if batch.share.holds(&entity) {
                match item(row, &entity) {
                    Ok(item) => page.items.extend(item),
                    Err(error @ StoreError::Unreadable { .. }) => {
                        tracing::error!(%error, "a record is left out");
                        page.unreadable.push((entity.eid.clone(), error));
                    }
                    Err(other) => return Err(other),
                }
            }
            last = Some(entity.eid);
        }
        page.next = last.filter(|_| seen == batch.limit);
        Ok(page)
    }
}

/// Records of a type; the last condition only takes the time that this scan does not need.
const RECORDS: &str = "SELECT m.eid, m.revision, m.body FROM name n JOIN master m ON m.etype = n.id \
                       WHERE n.text = ?1 AND m.eid > ?2 AND ?4 IS NULL ORDER BY m.eid LIMIT ?3";

/// Which entities a scan looks at next.
struct Batch<'a> {
    etype: &'a EntityType,
    share: Share,
    after: Option<&'a EntityId>,
    limit: u32,
}

/// The revision of a record, which stands beside its id.
fn revision(row: &Row<'_>) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0))
}

/// A record as stored, with its attributes passed over.
#[derive(Deserialize)]
struct Head(Timestamp, IgnoredAny, BTreeMap<String, Timestamp>, IgnoredAny);

/// Entity types by number, since a stream of links names the same few again and again.
#[derive(Default)]
struct Known(HashMap<i64, EntityType>);

impl Known {
    fn etype(&mut self, conn: &rusqlite::Connection, number: i64) -> Result<EntityType, StoreError> {
        if let Some(known) = self.0.get(&number) {
            return Ok(known.clone());
        }
        let etype: EntityType = name(&names::text(conn, number)?)?;
        self.0.insert(number, etype.clone());
        Ok(etype)
    }
}
