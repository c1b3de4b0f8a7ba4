//! The first rows of a store, and what an end in disorder left of jobs.

use sha2::{Digest, Sha256};
use tenter_model::Timestamp;
use tenter_model::case::{Acting, CaseObject, LookUpKind, ObjectKind, ObjectRef, Relation, object, seed, validate};

use super::world::one;
use super::{CaseWorld, content, create, jobs, lookups, rows};
use crate::error::StoreError;
use crate::tx::Tx;

/// Fills look-up tables that are new to this store, makes the first case, and puts jobs that were running back.
pub(crate) fn start(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let acting = Acting { user_id: seed::FIRST, now };
    let mut number = 0u64;
    let mut random = || {
        number += 1;
        bytes(now, number)
    };
    for kind in LookUpKind::ALL {
        let name = kind.info().name;
        if tx.conn.prepare_cached("SELECT 1 FROM case_seeded WHERE kind = ?1")?.exists([name])? {
            continue;
        }
        for row in seed::rows(*kind, &acting, &mut random) {
            lookups::write(tx, &row)?;
        }
        tx.conn.prepare_cached("INSERT INTO case_seeded (kind) VALUES (?1)")?.execute([name])?;
        tx.conn
            .prepare_cached("INSERT INTO case_next (kind, n) VALUES (?1, ?2)")?
            .execute((lookups::counter(*kind), lookups::last_id(tx.conn, *kind)?))?;
        if *kind == LookUpKind::Group {
            rows::link(tx, Relation::UserGroup, seed::FIRST, seed::FIRST)?;
        }
    }
    let cases: Option<i64> = one(tx.conn, "SELECT n FROM case_next WHERE kind = 'case'", [])?;
    if cases.is_none() {
        first_case(tx, acting, random())?;
    }
    content::sweep(tx)?;
    jobs::restart(tx, now)
}

fn first_case(tx: &mut Tx<'_>, acting: Acting, random: [u8; 16]) -> Result<(), StoreError> {
    let accepted = CaseWorld::answer(tx.conn, None, None, |world| {
        validate::validate_create(ObjectKind::Case, &seed::first_case(), None, world)
    })?
    .map_err(StoreError::Fields)?;
    let id = rows::next_id(tx, ObjectKind::Case.name())?;
    let mut object = CaseObject {
        target: ObjectRef { kind: ObjectKind::Case, id },
        uuid: object::uuid(random),
        case_id: None,
        about: None,
        version: 1,
        changed: acting.now,
        body: accepted.to_body(ObjectKind::Case, &acting),
    };
    let name = object::numbered(id, object.label());
    object.body.insert("case_name".into(), name.into());
    rows::insert(tx, &object)?;
    rows::note_change(tx, object.target, 1, "created", &acting)?;
    create::open_to(tx, id, acting.user_id)
}

/// Bytes for uuids of what is seeded: told apart by the time of the first start, and not secret.
fn bytes(now: Timestamp, number: u64) -> [u8; 16] {
    let digest = Sha256::new().chain_update(now.0.to_be_bytes()).chain_update(number.to_be_bytes()).finalize();
    let mut out = [0; 16];
    for (slot, byte) in out.iter_mut().zip(digest) {
        *slot = byte;
    }
    out
}
