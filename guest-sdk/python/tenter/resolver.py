"""Name look-ups. Needs ``resolver``."""

from componentize_py_types import Err
from wit_world.imports import resolver as _resolver

from .errors import Denied, Failed, Unavailable


class NotFound(Failed):
    """There is no such name, or nothing of that kind for it."""


def _said(case, what):
    if isinstance(case, _resolver.ResolveError_Denied):
        return Denied(f"{what}: not granted; ask with `on.request('resolver')`, and the operator grants it")
    if isinstance(case, _resolver.ResolveError_NotFound):
        return NotFound(f"{what}: not found")
    if isinstance(case, _resolver.ResolveError_TimedOut):
        return Unavailable(f"{what}: no answer in time")
    return Failed(f"{what}: {case.value}")


def lookup(name: str, kind: str = "A", server=None) -> list:
    """What a name stands for: A, AAAA, PTR, TXT, MX, NS or CNAME; of the site's servers, or of one that is named."""
    try:
        return _resolver.lookup(name, kind, server)
    except Err as error:
        raise _said(error.value, f"resolver: {kind} of {name}") from None


def reverse(address, server=None) -> list:
    """Names of an address."""
    try:
        return _resolver.reverse(str(address), server)
    except Err as error:
        raise _said(error.value, f"resolver: names of {address}") from None
