"""Facts about the running call."""

from wit_world.imports import call as _call

from .values import time


def now():
    """The time of the call, in UTC; it stands still while the call runs, as ``datetime.now`` does."""
    return time(_call.now())


def id() -> str:  # noqa: A001: the contract's word
    """Names the call; the same when the call is repeated after a crash. Fit as an idempotency key."""
    return _call.id()


def cause() -> str:
    """Why the call is made: ``normal``, ``refresh``, ``retry`` or ``replay``."""
    return _call.cause().name.lower()


def random() -> int:
    """64 random bits seeded from the id of the call; not for secrets."""
    return _call.random()


def resume_after(seconds: int, memo: str = "") -> bool:
    """Only in after and manual hooks of cases: asks for this call again later. False where that cannot be."""
    return _call.resume_after(seconds, memo)


def memo():
    """What the call that asked for this one left, or None."""
    return _call.memo()
