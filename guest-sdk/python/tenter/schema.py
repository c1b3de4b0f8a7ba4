"""The entity specification, as far as values need it: types of ids, kinds and data types of attributes.

It is read once, in ``configure``. Without one (``tenter run`` without ``--site``) values are taken by what they look
like, ids are text, and nothing is checked here.
"""

import json
import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from wit_world.imports import types as _t

from . import values
from .errors import InvalidInput

PLAIN, OBSERVATIONS, TIMESERIES = 1, 2, 4

_ELEMENT = re.compile(r"^(array|set)<(.*)>$", re.S)
_LINK = re.compile(r"^link<\s*([A-Za-z0-9_-]+)\s*(?:,(.*?))?(?:;\s*mirror=([A-Za-z0-9_-]+))?\s*>$", re.S)
_MEMBER = re.compile(r"(\w+)(\??)\s*:\s*(\w+)")
_INTEGERS = ("int", "int64")

_EID = {"string": str, "int": int, "ipv4": IPv4Address, "ipv6": IPv6Address, "mac": values.MacAddress}


class Attribute:
    """One attribute: ``kind`` is PLAIN, OBSERVATIONS or TIMESERIES, ``raw`` what the specification says."""

    __slots__ = ("etype", "id", "raw", "kind", "data_type", "shape", "link_to", "multi_value", "members", "series")

    def __init__(self, etype, name, raw):
        self.etype, self.id, self.raw = etype, name, raw
        self.kind = raw.get("t") or {"plain": 1, "observations": 2, "timeseries": 4}[raw["type"]]
        self.data_type = raw.get("data_type", "")
        self.multi_value = bool(raw.get("multi_value"))
        self.series = _series(raw) if self.kind == TIMESERIES else None
        self.shape, self.link_to, self.members = _shape(self.data_type, self.series)

    @property
    def is_link(self) -> bool:
        """Whether it leads to other entities."""
        return self.link_to is not None

    def lower(self, value):
        """The value of the contract for what a hook made of this attribute."""
        if value is None:
            raise InvalidInput(f"{self.etype}.{self.id}: None is no value")
        how = _SHAPES.get(self.shape)
        return values.lower(value) if how is None else how(self, value)


def _series(raw) -> dict:
    series = {name: spec["data_type"] for name, spec in raw.get("series", {}).items()}
    kind = raw.get("timeseries_type")
    if kind == "irregular":
        series.setdefault("time", "time")
    elif kind == "irregular_intervals":
        series.setdefault("time_first", "time")
        series.setdefault("time_last", "time")
    return series


def _shape(data_type, series):
    if series is not None:
        return "chunk", None, None
    element = _ELEMENT.match(data_type)
    link = _LINK.match(element.group(2).strip() if element else data_type)
    if link:
        return ("links" if element else "link"), link.group(1), None
    if data_type.startswith("dict<"):
        return "dict", None, {name: bool(optional) for name, optional, _ in _MEMBER.findall(data_type)}
    return ("json" if data_type in ("json", "special") else "other"), None, None


def _lower_chunk(attribute, value):
    columns = []
    for name, column in value.items():
        of = attribute.series.get(name)
        if of == "time":
            columns.append(_t.Series(name, _t.Column_Times([values.microseconds(at) for at in column])))
        elif of in _INTEGERS and all(type(item) is int for item in column):
            columns.append(_t.Series(name, _t.Column_Integers(list(column))))
        else:
            columns.append(_t.Series(name, _t.Column_Reals([float(item) for item in column])))
    return _t.Value_Chunk(columns)


_SHAPES = {
    "chunk": _lower_chunk,
    "link": lambda attribute, value: _t.Value_Link(values.lower_link(attribute.link_to, value)),
    "links": lambda attribute, value: _t.Value_Links([values.lower_link(attribute.link_to, one) for one in value]),
    "dict": lambda _, value: _t.Value_Members(values.lower_members(value))
    if isinstance(value, dict)
    else values.lower(value),
    "json": lambda _, value: _t.Value_Json(values.json_text(value)),
}


class EntityType:
    """One entity type. ``eid`` makes its typed ids of text."""

    __slots__ = ("id", "id_type", "eid", "raw", "_attributes")

    def __init__(self, name, raw):
        self.id, self.raw = name, raw
        self.id_type = raw.get("id_data_type", "string")
        self.eid = _EID[self.id_type]
        self._attributes = {}

    def attribute(self, name: str):
        """The attribute of that name, or None."""
        found = self._attributes.get(name)
        if found is None:
            raw = self.raw["attribs"].get(name)
            if raw is not None:
                found = self._attributes[name] = Attribute(self.id, name, raw)
        return found

    @property
    def attributes(self) -> dict:
        """All attributes by name."""
        for name in self.raw["attribs"]:
            self.attribute(name)
        return {name: self._attributes[name] for name in self.raw["attribs"]}


class Specification:
    """All entity types by name; empty where there is no specification."""

    def __init__(self, text: str = "{}"):
        raw = json.loads(text)
        while isinstance(raw.get("entities"), dict) and "attribs" not in raw["entities"]:
            raw = raw["entities"]
        types = {name: one for name, one in raw.items() if isinstance(one, dict) and "attribs" in one}
        self.entities = {name: EntityType(name, one) for name, one in types.items()}
        #: What types the ids of entity types whose ids are not text.
        #: Remembered, since a call names one entity many times.
        self.typed = {
            name: lru_cache(maxsize=1024)(one.eid) for name, one in self.entities.items() if one.id_type != "string"
        }
        #: What makes values of the contract, by entity type and attribute, as far as it was asked for.
        self.lowers = {}

    def __bool__(self):
        return bool(self.entities)

    def eid(self, etype: str, text: str):
        """A typed id."""
        typed = self.typed.get(etype)
        return text if typed is None else typed(text)

    def eid_of(self, etype: str, given):
        """A typed id, of its text or of what a module has in its place."""
        if not isinstance(given, (str, IPv4Address, IPv6Address)):
            given = str(given)
        typed = self.typed.get(etype)
        return str(given) if typed is None else typed(given)

    def attribute(self, etype: str, name: str):
        """An attribute, or None."""
        entity = self.entities.get(etype)
        return None if entity is None else entity.attribute(name)

    def lowering(self, etype: str, attr: str):
        """What makes values of the contract of an attribute."""
        found = self.attribute(etype, attr)
        how = values.lower if found is None or found.shape == "other" else found.lower
        self.lowers[etype, attr] = how
        return how

    def lower(self, etype: str, attr: str, value):
        """The value of the contract for what a hook made of an attribute."""
        return (self.lowers.get((etype, attr)) or self.lowering(etype, attr))(value)


#: The specification of this instance.
current = Specification()


def use(specification: Specification) -> Specification:
    """Makes it the one of this instance."""
    global current
    current = specification
    values.type_eids_by(specification.eid)
    return specification
