"""Current values of entities beyond the view at hand, in correlation hooks. Needs ``read-entities``."""

from componentize_py_types import Err
from wit_world.imports import types as _t
from wit_world.imports import views as _views

from .errors import Denied, Failed, InvalidInput


def fetch_seen(etype: str, eid):
    """The contract's view of an entity that is linked to the root, or None."""
    try:
        return _views.fetch(_t.EntityRef(etype, str(eid)))
    except Err as error:
        case = error.value
        if isinstance(case, _views.ViewError_Denied):
            raise Denied(f"views: reading {etype} is not granted, or this is no correlation hook") from None
        if isinstance(case, _views.ViewError_UnknownType):
            raise InvalidInput(f"views: there is no entity type {etype!r}") from None
        raise Failed(f"views: {case.value}") from None
