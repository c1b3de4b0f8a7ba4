"""What is stored of entities, as of the last commit. Needs ``read-entities`` with the entity type as scope."""

from componentize_py_types import Err
from wit_world.imports import entities as _entities
from wit_world.imports import types as _t

from . import schema
from .errors import Denied, Failed, InvalidInput
from .record import Record


def _said(error, etype):
    case = error.value
    if isinstance(case, _entities.ReadError_Denied):
        return Denied(f"entities: reading {etype} is not granted; ask with `on.request('read-entities', '{etype}')`")
    if isinstance(case, _entities.ReadError_UnknownType):
        return InvalidInput(f"entities: there is no entity type {etype!r}")
    if isinstance(case, _entities.ReadError_TooLarge):
        return Failed(f"entities: the record of {etype} is too large")
    return Failed(f"entities: {case.value}")


def read(etype: str, eid):
    """The master record of an entity, or None when it is not known."""
    try:
        found = _entities.read_record(_t.EntityRef(etype, str(eid)))
    except Err as error:
        raise _said(error, etype) from None
    return None if found is None else Record(found)


def known(etype: str, eid) -> bool:
    """Whether the entity is known."""
    try:
        return _entities.known(_t.EntityRef(etype, str(eid)))
    except Err as error:
        raise _said(error, etype) from None


def specification():
    """The entity specification; every module may see it."""
    return schema.current


def case_hooks() -> list:
    """The case hooks that exist, such as ``on_postload_ioc_create``."""
    return _entities.case_hooks()
