"""Data types of attribute values: what they accept, in DP³'s lax way, and what becomes of it.

The host checks what a hook returns once more, and has the last word.
"""

import json
import math
import re
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Union

from tenter import schema
from tenter.values import Link, MacAddress, Struct, microseconds, time

AnyEidT = Union[str, int, IPv4Address, IPv6Address, MacAddress]

_TRUE = ("true", "yes", "on", "1", "t", "y")
_FALSE = ("false", "no", "off", "0", "f", "n")
_ELEMENT = re.compile(r"^(array|set)<(.*)>$", re.S)
_CATEGORY = re.compile(r"^category<\s*(\w+)\s*;(.*)>$", re.S)
_LINK = re.compile(r"^link<\s*([A-Za-z0-9_-]+)\s*(?:,(.*?))?(?:;\s*mirror=([A-Za-z0-9_-]+))?\s*>$", re.S)
_MEMBER = re.compile(r"(\w+)(\??)\s*:\s*(\w+)")


def _bool(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUE + _FALSE:
        return value.lower() in _TRUE
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    raise ValueError("Input should be a valid boolean")


def _string(value):
    if isinstance(value, str):
        return value
    raise ValueError("Input should be a valid string")


def _int(value):
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value.strip())
        except ValueError:
            pass
    raise ValueError("Input should be a valid integer")


def _float(value):
    if isinstance(value, (int, float, str)):
        try:
            return float(value)
        except ValueError:
            pass
    raise ValueError("Input should be a valid number")


def _time(value):
    if isinstance(value, datetime):
        return value
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        try:
            if isinstance(value, str):
                try:
                    return datetime.fromisoformat(value.strip())
                except ValueError:
                    value = float(value)
            if math.isfinite(value):
                return time(microseconds(value))
        except (ValueError, OverflowError):
            pass
    raise ValueError("Input should be a valid datetime")


def _json(value):
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("Invalid JSON") from None
    if isinstance(value, (dict, list)):
        return value
    raise ValueError("Input should be a JSON object or list")


def _of(kind, name):
    def accept(value):
        if isinstance(value, kind):
            return value
        if isinstance(value, bool):
            raise ValueError(f"Input is not a valid {name} address")
        try:
            return kind(value)
        except (ValueError, TypeError):
            raise ValueError(f"Input is not a valid {name} address") from None

    return accept


_PRIMITIVES = {
    "tag": _bool,
    "binary": _bool,
    "string": _string,
    "int": _int,
    "int64": _int,
    "float": _float,
    "ipv4": _of(IPv4Address, "IPv4"),
    "ipv6": _of(IPv6Address, "IPv6"),
    "mac": _of(MacAddress, "MAC"),
    "time": _time,
    "special": lambda value: value,
    "json": _json,
}

primitive_data_types = frozenset(_PRIMITIVES)


class DataType:
    """A data type by its text, such as ``array<int>`` or ``link<site>``."""

    def __init__(self, data_type: str):
        self.root = self.data_type = self.type_info = data_type
        self._validate, self._linked = _compiled(data_type)

    @property
    def hashable(self) -> bool:
        """Whether values can be keys."""
        return not any(word in self.root for word in ("dict", "set", "array", "special", "json", "link"))

    @property
    def iterable(self) -> bool:
        """Whether it is an array or a set."""
        return _ELEMENT.match(self.root) is not None

    @property
    def mirror_link(self) -> bool:
        """Whether it is a link with a mirror."""
        return "mirror=" in self.root

    def is_link(self) -> bool:
        """Whether it leads to other entities."""
        return self._linked is not None

    def get_linked_entity(self):
        """The entity type that it leads to."""
        if self._linked is None:
            raise ValueError(f"DataType '{self}' has no linked entity.")
        return self._linked

    def validate(self, value):
        """The typed value, or ValueError."""
        return self._validate(value)

    def __str__(self):
        return self.root

    def __repr__(self):
        return f"DataType({self.root!r})"

    def __eq__(self, other):
        return str(self) == str(other)

    def __hash__(self):
        return hash(self.root)


@lru_cache(maxsize=None)
def _compiled(text):
    """What validates values of the type, and the entity type that it leads to."""
    primitive = _PRIMITIVES.get(text)
    if primitive is not None:
        return primitive, None
    element = _ELEMENT.match(text)
    if element:
        one, linked = _compiled(element.group(2).strip())
        return (lambda value: _list(one, value)), linked
    link = _LINK.match(text)
    if link:
        data = _compiled(link.group(2).strip())[0] if link.group(2) and link.group(2).strip() else None
        return (lambda value: _link(link.group(1), data, value)), link.group(1)
    category = _CATEGORY.match(text)
    if category:
        of = _PRIMITIVES[category.group(1)]
        allowed = [of(one.strip()) for one in category.group(2).split(",")]
        return (lambda value: _category(allowed, value)), None
    if text.startswith("dict<"):
        members = [(name, bool(optional), _PRIMITIVES[of]) for name, optional, of in _MEMBER.findall(text[5:-1])]
        return (lambda value: _dict(members, value)), None
    raise ValueError(f"Data type '{text}' is not supported")


def _list(one, value):
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise ValueError("Input should be a valid list")
    return [one(item) for item in value]


def _category(allowed, value):
    value = getattr(value, "value", value)
    if not any(value == one and type(value) is type(one) for one in allowed):
        raise ValueError("Input should be " + ", ".join(map(repr, allowed)))
    return value


def _dict(members, value):
    if not isinstance(value, dict):
        raise ValueError("Input should be a valid dictionary")
    made = Struct()
    for name, optional, of in members:
        if value.get(name) is not None:
            made[name] = of(value[name])
        elif optional:
            made[name] = None
        else:
            raise ValueError(f"{name}: Field required")
    return made


def _link(etype, data, value):
    if not isinstance(value, dict) or "eid" not in value:
        raise ValueError("Input should be a link: {'eid': ...}")
    unknown = set(value) - {"eid", "data", "record"}
    if unknown or ("data" in value and data is None):
        raise ValueError("Extra inputs are not permitted")
    eid = value["eid"]
    try:
        eid = schema.current.eid(etype, str(eid)) if not isinstance(eid, str) or etype in schema.current.entities else eid
    except ValueError as error:
        raise ValueError(f"eid: {error}") from None
    given = value.get("data")
    if data is not None and given is None:
        raise ValueError("data: Field required")
    return Link(etype, eid, None if given is None else data(given))
