"""Small helpers that modules use."""

import functools
import re
from datetime import datetime, timedelta, timezone

_DURATION = re.compile(r"^\s*(\d+)([smhd])$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_time_duration(duration):
    """A timedelta, from text such as ``12h``, from ``"0"`` or seconds, or as it is."""
    if isinstance(duration, timedelta):
        return duration
    if duration == "0" or isinstance(duration, (int, float)):
        return timedelta(seconds=float(duration))
    found = _DURATION.match(duration)
    if found is None:
        raise ValueError("Invalid time duration string")
    return timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})


def parse_rfc_time(text: str) -> datetime:
    """A time from RFC 3339 text; without a zone it is UTC."""
    at = datetime.fromisoformat(text.strip())
    return at if at.tzinfo is not None else at.replace(tzinfo=timezone.utc)


def time2str(at: datetime) -> str:
    """RFC 3339 text."""
    return at.isoformat()


def get_func_name(func_or_method) -> str:
    """Name of a function with its module, for logs and ids."""
    if isinstance(func_or_method, functools.partial):
        given = ", ".join([str(arg) for arg in func_or_method.args])
        return f"{get_func_name(func_or_method.func)}({given})"
    module = getattr(func_or_method, "__module__", "")
    name = getattr(func_or_method, "__qualname__", type(func_or_method).__qualname__)
    return f"{module}.{name}" if module else name


def int2bytes(number: int, length: int = None) -> bytes:
    """Bytes of an integer, big-endian and as short as they can be."""
    length = length or (number.bit_length() + 8) // 8
    return number.to_bytes(length, "big", signed=True)
