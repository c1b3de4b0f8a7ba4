"""Keys and values private to the module. Writes commit with the effects of the call, or not at all. Needs ``state``."""

import json

from componentize_py_types import Err
from wit_world.imports import state as _state

from .errors import Denied, Failed


def _said(error):
    case = error.value
    if isinstance(case, _state.StateError_Denied):
        return Denied("state: not granted; ask with `on.request('state')`, and the operator grants it")
    if isinstance(case, _state.StateError_TooLarge):
        return Failed("state: the key or the value is too large")
    if isinstance(case, _state.StateError_Quota):
        return Failed("state: the module's room is used up")
    return Failed(f"state: {case.value}")


def get(key: str, default=None):
    """The bytes of a key, or the default."""
    try:
        found = _state.fetch(key)
    except Err as error:
        raise _said(error) from None
    return default if found is None else found


def get_text(key: str, default=None):
    """The text of a key, or the default."""
    found = get(key)
    return default if found is None else found.decode()


def get_json(key: str, default=None):
    """What JSON a key holds, or the default."""
    found = get(key)
    return default if found is None else json.loads(found)


def set(key: str, value, keep_seconds=None) -> None:  # noqa: A001: the word that authors look for
    """Sets a key to bytes or text, for a time or for ever."""
    try:
        _state.store(key, value.encode() if isinstance(value, str) else bytes(value), keep_seconds)
    except Err as error:
        raise _said(error) from None


def set_json(key: str, value, keep_seconds=None) -> None:
    """Sets a key to JSON."""
    set(key, json.dumps(value), keep_seconds)


def discard(key: str) -> None:
    """Removes a key; fine when there is none."""
    try:
        _state.discard(key)
    except Err as error:
        raise _said(error) from None


def increment(key: str, by: int = 1) -> None:
    """Adds to a counter; concurrent calls add up. It reads as decimal text."""
    try:
        _state.increment(key, by)
    except Err as error:
        raise _said(error) from None


def keys(prefix: str = ""):
    """Committed keys with the prefix, in order."""
    after = None
    while True:
        try:
            page = _state.keys(prefix, after, 1000)
        except Err as error:
            raise _said(error) from None
        yield from page
        if len(page) < 1000:
            return
        after = page[-1]
