"""Datapoints as modules see and build them.

A datapoint of a hook is one that the host gave: it is typed already and converted when it is looked at. One that a module
builds (from keywords, or as a dictionary inside of a task) is checked by the specification at once, as in DP³.
"""

from datetime import timezone

from dp3.common.datatype import DataType
from dp3.common.errors import ValidationError
from tenter import schema
from tenter.task import Datapoint, lower_datapoint
from tenter.values import Struct, microseconds, text_of_time, time

_FIELDS = ("etype", "eid", "attr", "src", "v", "t1", "t2", "c")


class DataPointBase(Datapoint):
    """What all datapoints have: ``etype``, ``eid``, ``attr``, ``src``, ``v``."""

    def __init__(self, **fields):
        etype, eid = fields.get("etype"), fields.get("eid")
        missing = [((name,), "Field required") for name in ("etype", "eid", "attr", "v") if name not in fields]
        if missing:
            raise ValidationError(type(self).__name__, missing)
        checked = validated(etype, eid, fields)
        Datapoint.__init__(
            self, etype, checked["eid"], fields["attr"], checked["v"],
            src=fields.get("src"), t1=checked["t1"], t2=checked["t2"], c=checked["c"],
        )  # fmt: skip

    def model_dump(self, **_):
        """The fields as a dictionary."""
        names = _FIELDS if type(self) is not DataPointPlain else _FIELDS[:5]
        return {name: getattr(self, name) for name in names}

    dict = model_dump

    def __repr__(self):
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.model_dump())
        return f"{type(self).__name__}({fields})"

    __str__ = __repr__

    def __eq__(self, other):
        return isinstance(other, DataPointBase) and all(getattr(self, n) == getattr(other, n) for n in _FIELDS)

    __hash__ = None


class DataPointPlain(DataPointBase):
    """A value without times."""


class DataPointObservations(DataPointBase):
    """A value that holds from ``t1`` to ``t2``, with a confidence ``c``."""


class DataPointTimeseries(DataPointBase):
    """A chunk of a timeseries: ``v.<series>`` are lists."""


DataPointPlainBase = DataPointPlain
DataPointObservationsBase = DataPointObservations
DataPointTimeseriesBase = DataPointTimeseries

_CLASSES = {1: DataPointPlain, 2: DataPointObservations, 4: DataPointTimeseries}


def lifted(entity, given):
    """The datapoint of a hook, as the class of its attribute's kind."""
    spec = schema.current.attribute(entity.etype, given.attr)
    if spec is not None:
        kind = spec.kind
    else:
        kind = 1 if given.t1 is None else 2
    return _CLASSES[kind].lifted(entity, given)


def built(etype, eid, fields):
    """The datapoint of a task's dictionary; raises ValidationError."""
    spec = schema.current.attribute(etype, fields.get("attr"))
    if spec is None and schema.current and fields.get("attr") is not None:
        problem = f"Attribute '{fields['attr']}' not found in entity '{etype}'"
        raise ValidationError("DataPointTask", [(("attr",), problem)])
    kind = spec.kind if spec is not None else (1 if fields.get("t1") is None else 2)
    return _CLASSES[kind](**{"etype": etype, "eid": eid, **fields})


def validated(etype, eid, fields):
    """Typed ``eid``, ``v``, ``t1``, ``t2`` and ``c`` by the rules of the attribute's kind."""
    problems = []
    name = f"DataPoint_{etype}_{fields.get('attr')}"

    def tried(what, loc, otherwise=None):
        try:
            return what()
        except (ValueError, TypeError) as error:
            problems.append(((loc,), str(error)))
            return otherwise

    spec = schema.current.attribute(etype, fields["attr"])
    if spec is not None and spec.raw.get("mirror_of"):
        raise ValidationError(name, [((), "Cannot instantiate a read-only attribute datapoint.")])
    eid = tried(lambda: schema.current.eid_of(etype, eid), "eid", eid)
    t1, t2 = (_time(fields.get(key), key, problems) for key in ("t1", "t2"))
    c, kind = fields.get("c"), spec.kind if spec is not None else None
    if kind == 1:
        if fields.get("t2") is not None:
            problems.append((("t2",), "plain attributes have no 't2'"))
        t1 = t2 = None
    elif kind is not None:
        if t1 is None and not problems:
            problems.append((("t1",), "Field required"))
        t2 = t1 if t2 is None and kind == 2 else t2
        if t1 is not None and t2 is not None and t2 < t1:
            problems.append((("t2",), "'t2' is before 't1'"))
    if kind == 2:
        c = tried(lambda: _confidence(1.0 if c is None else c), "c")
    value = fields["v"]
    if kind == 4:
        value = tried(lambda: _chunk(spec, value), "v")
    elif spec is not None:
        value = tried(lambda: DataType(spec.data_type).validate(value), "v")
    if problems:
        raise ValidationError(name, problems)
    return {"eid": eid, "v": value, "t1": t1, "t2": t2, "c": None if kind in (1, 4) else c}


def _time(given, key, problems):
    if given is None:
        return None
    try:
        at = given if hasattr(given, "tzinfo") else time(microseconds(given))
    except (ValueError, TypeError, OverflowError):
        problems.append(((key,), "Input should be a valid datetime"))
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=timezone.utc)


def _confidence(given):
    c = float(given)
    if not 0.0 <= c <= 1.0:
        raise ValueError("Input should be between 0 and 1")
    return c


def _chunk(spec, value):
    if not isinstance(value, dict):
        raise ValueError("Input should be an object of series")
    chunk = Struct()
    for name, of in spec.series.items():
        if name not in value:
            raise ValueError(f"{name}: Field required")
        chunk[name] = DataType(f"array<{of}>").validate(value[name])
    if len({len(column) for column in chunk.values()}) > 1:
        raise ValueError("Series values have different lengths")
    return chunk


def message(dp):
    """A datapoint as it stands in the text of a task."""
    fields = {"etype": dp.etype, "eid": dp.eid, "attr": dp.attr, "src": dp.src, "v": dp.v}
    for key in ("t1", "t2"):
        at = getattr(dp, key)
        if at is not None:
            fields[key] = text_of_time(at)
    if dp.c is not None:
        fields["c"] = dp.c
    return {key: value for key, value in fields.items() if value is not None}


__all__ = [
    "DataPointBase", "DataPointObservations", "DataPointObservationsBase", "DataPointPlain", "DataPointPlainBase",
    "DataPointTimeseries", "DataPointTimeseriesBase", "lower_datapoint",
]  # fmt: skip
