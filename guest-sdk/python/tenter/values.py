"""Attribute values: from the contract to Python and back.

What hooks see: ``str``, ``int``, ``float``, ``bool``; times as :class:`datetime.datetime` in UTC; addresses as
:class:`ipaddress.IPv4Address`, :class:`ipaddress.IPv6Address` and :class:`MacAddress`; dictionaries and links as
dictionaries whose keys can be read as attributes too; the series of a timeseries likewise; ``json`` as what it says.

What hooks may return is wider: any of these, and plain dictionaries and lists. The host brings it to the type that the
entity specification gives, or refuses it with the place. So whatever has no case of its own travels as JSON text.
"""

import json
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address

from wit_world.imports import types as _t

from .errors import InvalidInput

UTC = timezone.utc
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT64 = range(-(1 << 63), 1 << 63)


class MacAddress:
    """A hardware address; prints in lower case with colons."""

    __slots__ = ("packed",)

    def __init__(self, address):
        if isinstance(address, MacAddress):
            self.packed = address.packed
        elif isinstance(address, (bytes, bytearray)) and len(address) == 6:
            self.packed = bytes(address)
        else:
            self.packed = _mac(address)

    def __str__(self):
        return self.packed.hex(":")

    def __repr__(self):
        return f"MACAddress('{self}')"

    def __eq__(self, other):
        return isinstance(other, MacAddress) and self.packed == other.packed

    def __lt__(self, other):
        return self.packed < other.packed

    def __hash__(self):
        return hash(self.packed)


def _mac(text) -> bytes:
    if isinstance(text, str) and len(text) == 17 and text[2] in ":-":
        parts = text.split(text[2])
        if len(parts) == 6 and all(len(part) == 2 for part in parts):
            try:
                return bytes.fromhex("".join(parts))
            except ValueError:
                pass
    raise ValueError(f"{text!r} is not a MAC address")


class Struct(dict):
    """A dictionary whose keys can be read and written as attributes too."""

    __slots__ = ()

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self[name] = value

    def __delattr__(self, name):
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def model_dump(self, **_):
        """A plain dictionary, as pydantic's models give it."""
        return {key: value.model_dump() if isinstance(value, Struct) else value for key, value in self.items()}

    dict = model_dump


class Link(Struct):
    """A relation: ``eid``, typed as the specification says, perhaps ``data``; and ``etype``, which is no key of it."""

    __slots__ = ("etype",)

    def __init__(self, etype, eid, data=None):
        dict.__init__(self, eid=eid)
        object.__setattr__(self, "etype", etype)
        if data is not None:
            self["data"] = data

    def __setattr__(self, name, value):
        if name == "etype":
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __reduce__(self):
        return (Link, (self.etype, self["eid"], self.get("data")))


def time(microseconds: int) -> datetime:
    """A time of the contract."""
    return _EPOCH + timedelta(microseconds=microseconds)


def microseconds(at) -> int:
    """Microseconds since 1970 of a datetime (without a zone: UTC), of RFC 3339 text, or of Unix seconds."""
    if isinstance(at, datetime):
        return ((at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
    if isinstance(at, str):
        return microseconds(datetime.fromisoformat(at.strip()))
    if isinstance(at, (int, float)) and not isinstance(at, bool):
        # As DP³: what is too large for seconds is milliseconds.
        return round(at * 1_000 if abs(at) > 2e10 else at * 1_000_000)
    if isinstance(at, date):
        return microseconds(datetime(at.year, at.month, at.day, tzinfo=UTC))
    raise InvalidInput(f"{at!r} is no time: expected a datetime, RFC 3339 text or Unix seconds")


def address(text: str):
    """An IPv4, IPv6 or MAC address."""
    if len(text) == 17 and text[2] == ":" and text.count(":") == 5:
        return MacAddress(text)
    return ip_address(text)


def _same(value):
    return value


_SCALARS = {
    _t.Scalar_Boolean: _same,
    _t.Scalar_Integer: _same,
    _t.Scalar_Real: _same,
    _t.Scalar_Text: _same,
    _t.Scalar_Time: time,
    _t.Scalar_Address: address,
    _t.Scalar_Json: json.loads,
}


def _scalar(scalar):
    return _SCALARS[type(scalar)](scalar.value)


def _items(items):
    return [_SCALARS[type(item)](item.value) for item in items]


def _members(members):
    return Struct((member.name, _scalar(member.value)) for member in members)


def _link_data(data):
    if data is None:
        return None
    if type(data) is _t.LinkData_One:
        return _scalar(data.value)
    return _items(data.value) if type(data) is _t.LinkData_Items else _members(data.value)


# How the text of an id becomes typed; the specification sets it (see `schema`).
_typed_eid = lambda etype, text: text  # noqa: E731


def type_eids_by(typed) -> None:
    """Sets how ids of link targets become typed: a function of entity type and text."""
    global _typed_eid
    _typed_eid = typed


def _link(link):
    target = link.target
    return Link(target.etype, _typed_eid(target.etype, target.eid), _link_data(link.data))


class Chunk(Struct):
    """The columns of a timeseries by name, as lists of one length."""

    __slots__ = ()


def chunk(series) -> Chunk:
    """The columns of a timeseries by name, as lists."""
    return Chunk(
        (one.name, [time(at) for at in one.column.value] if type(one.column) is _t.Column_Times else one.column.value)
        for one in series
    )


_VALUES = {
    _t.Value_Boolean: _same,
    _t.Value_Integer: _same,
    _t.Value_Real: _same,
    _t.Value_Text: _same,
    _t.Value_Time: time,
    _t.Value_Address: address,
    _t.Value_Items: _items,
    _t.Value_Members: _members,
    _t.Value_Link: _link,
    _t.Value_Links: lambda links: [_link(link) for link in links],
    _t.Value_Chunk: chunk,
    _t.Value_Json: json.loads,
}

#: Cases whose Python value cannot be changed in place.
IMMUTABLE = frozenset(
    (_t.Value_Boolean, _t.Value_Integer, _t.Value_Real, _t.Value_Text, _t.Value_Time, _t.Value_Address)
)


#: Cases that hold a Python value as it is.
PLAINEST = frozenset((_t.Value_Boolean, _t.Value_Integer, _t.Value_Real, _t.Value_Text))


def lift(value):
    """The Python value of a value of the contract."""
    return _VALUES[type(value)](value.value)


_COLUMNS = {
    _t.ValueColumn_Integers: _same,
    _t.ValueColumn_Reals: _same,
    _t.ValueColumn_Texts: _same,
    _t.ValueColumn_Times: lambda times: [time(at) for at in times],
    _t.ValueColumn_Addresses: lambda texts: [address(text) for text in texts],
    _t.ValueColumn_Mixed: lambda values: [lift(value) for value in values],
}


def lift_column(column) -> list:
    """The Python values of a column of a history."""
    return _COLUMNS[type(column)](column.value)


def json_text(value) -> str:
    """JSON text of what a hook made: times, addresses and sets included, ``record`` of links left out."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _plain(value):
    kind = type(value)
    if kind in (str, int, float, bool) or value is None:
        return value
    if isinstance(value, dict):
        hidden = "record" if "eid" in value else None
        return {str(key): _plain(item) for key, item in value.items() if key != hidden}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return text_of_time(value)
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (IPv4Address, IPv6Address, MacAddress, date)):
        return str(value)
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return _plain(dump())
    raise InvalidInput(f"{value!r} of {type(value).__name__} is no attribute value")


def text_of_time(at: datetime) -> str:
    """RFC 3339 with ``Z``."""
    at = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    return at.replace(tzinfo=None).isoformat() + "Z"


def _lower_int(value):
    return _t.Value_Integer(value) if value in _INT64 else _t.Value_Text(str(value))


_LOWER = {
    bool: _t.Value_Boolean,
    int: _lower_int,
    float: _t.Value_Real,
    str: _t.Value_Text,
    datetime: lambda value: _t.Value_Time(microseconds(value)),
    IPv4Address: lambda value: _t.Value_Address(str(value)),
    IPv6Address: lambda value: _t.Value_Address(str(value)),
    MacAddress: lambda value: _t.Value_Address(str(value)),
    Link: lambda value: _t.Value_Link(lower_link(value.etype, value)),
    Struct: lambda value: _t.Value_Members(lower_members(value)),
    Chunk: lambda value: _t.Value_Chunk([_t.Series(name, _lower_column(column)) for name, column in value.items()]),
}

_SCALAR_OF = {
    _t.Value_Boolean: _t.Scalar_Boolean,
    _t.Value_Integer: _t.Scalar_Integer,
    _t.Value_Real: _t.Scalar_Real,
    _t.Value_Text: _t.Scalar_Text,
    _t.Value_Time: _t.Scalar_Time,
    _t.Value_Address: _t.Scalar_Address,
    _t.Value_Json: _t.Scalar_Json,
}


def lower(value):
    """The value of the contract for a Python value, without a look at the specification."""
    how = _LOWER.get(type(value))
    if how is not None:
        return how(value)
    if value is None:
        raise InvalidInput("None is no attribute value; leave the attribute out, or remove it")
    if isinstance(value, Enum):
        return lower(value.value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return _lower_list(value)
    for kind in (bool, int, float, str, datetime):
        if isinstance(value, kind):
            return _LOWER[kind](kind(value) if kind is not datetime else value)
    return _t.Value_Json(json_text(value))


def _lower_column(column):
    """A column by what it holds, where no specification tells."""
    if all(type(item) is int for item in column):
        return _t.Column_Integers(list(column))
    if all(isinstance(item, datetime) for item in column):
        return _t.Column_Times([microseconds(item) for item in column])
    return _t.Column_Reals([float(item) for item in column])


def is_still(given, value) -> bool:
    """Whether a Python value is still what the value of the contract says."""
    before = lift(given)
    return type(before) is type(value) and before == value


def _lower_list(values):
    if values and all(type(value) is Link for value in values):
        return _t.Value_Links([lower_link(value.etype, value) for value in values])
    items = []
    for value in values:
        how = _LOWER.get(type(value))
        if how is None or isinstance(value, Struct):
            return _t.Value_Json(json_text(values))
        lowered = how(value)
        items.append(_SCALAR_OF[type(lowered)](lowered.value))
    return _t.Value_Items(items)


def lower_scalar(value):
    """A primitive of the contract; what is none goes as JSON."""
    lowered = lower(value)
    case = _SCALAR_OF.get(type(lowered))
    return case(lowered.value) if case is not None else _t.Scalar_Json(json_text(value))


def lower_members(value) -> list:
    """The entries of a dictionary; ``None`` is an absent one."""
    return [_t.Member(str(key), lower_scalar(item)) for key, item in value.items() if item is not None]


def lower_link(etype: str, value):
    """A link to an entity of that type, from ``{"eid": .., "data": ..}``."""
    try:
        eid = value["eid"]
    except (TypeError, KeyError):
        raise InvalidInput(f"{value!r} is no link to {etype}: expected {{'eid': ...}}") from None
    data = value.get("data")
    if data is None:
        lowered = None
    elif isinstance(data, dict):
        lowered = _t.LinkData_Members(lower_members(data))
    elif isinstance(data, (list, tuple, set)):
        lowered = _t.LinkData_Items([lower_scalar(item) for item in data])
    else:
        lowered = _t.LinkData_One(lower_scalar(data))
    return _t.Link(_t.EntityRef(etype, str(eid)), lowered)
