"""Tasks and datapoints: what hooks of ingestion see, and what most hooks return.

What comes from the host is converted when it is looked at, not before: a hook that reads the id alone pays for nothing
else.
"""

from wit_world.imports import types as _t

from . import schema, values
from .errors import InvalidInput

# Names that every call of a hook looks up.
_Task, _Datapoint, _EntityRef, _TtlToken = _t.Task, _t.Datapoint, _t.EntityRef, _t.TtlToken
_new = object.__new__
_PLAINEST = values.PLAINEST


class Datapoint:
    """A statement about one attribute of one entity: ``etype``, ``eid``, ``attr``, ``src``, ``v``, ``t1``, ``t2``, ``c``.

    Plain ones have no times; of observations and timeseries ``t1`` is there. ``c`` is the confidence, 0 to 1.
    """

    # What is mostly absent stands here, so that what is there is all that a hook pays for.
    _from = src = t1 = t2 = c = None

    def __init__(self, etype, eid, attr, v, *, src=None, t1=None, t2=None, c=None):
        self.etype, self.eid, self.attr, self.v = etype, eid, attr, v
        if src is not None:
            self.src = src
        if t1 is not None:
            self.t1 = t1
        if t2 is not None:
            self.t2 = t2
        if c is not None:
            self.c = c

    @classmethod
    def lifted(cls, entity, datapoint):
        """One that the host gave."""
        new = _new(cls)
        new._from = (entity, datapoint)
        value = datapoint.value
        if type(value) in _PLAINEST:
            new.v = value.value
        if datapoint.t1 is not None:
            new.t1 = values.time(datapoint.t1)
            new.c = datapoint.confidence
            if datapoint.t2 is not None:
                new.t2 = values.time(datapoint.t2)
        if datapoint.src is not None:
            new.src = datapoint.src
        return new

    def __getattr__(self, name):
        # Only what is not set yet comes here.
        how = _LATER.get(name)
        if how is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = how(*self._from)
        setattr(self, name, value)
        return value

    def __repr__(self):
        return f"{type(self).__name__}({self.etype}/{self.eid} {self.attr}={self.v!r})"

    def replace(self, **fields):
        """The same datapoint but for these fields: ``dp.replace(attr="copy")``."""
        new = object.__new__(type(self))
        new._from = self._from
        for name in _FIELDS:
            setattr(new, name, fields[name] if name in fields else getattr(self, name))
        return new

    def to_wit(self):
        """The datapoint of the contract."""
        return lower_datapoint(self.etype, self)


_FIELDS = ("etype", "eid", "attr", "src", "v", "t1", "t2", "c")
_LATER = {
    "etype": lambda entity, dp: entity.etype,
    "eid": lambda entity, dp: schema.current.eid(entity.etype, entity.eid),
    "attr": lambda entity, dp: dp.attr,
    "v": lambda entity, dp: values.lift(dp.value),
}


def lower_datapoint(etype, dp):
    """The datapoint of the contract for anything that has the fields of one."""
    attr, v, t1, t2, given = dp.attr, dp.v, dp.t1, dp.t2, dp._from
    try:
        if given is not None and values.is_still(given[1].value, v):
            # What the host gave and nobody changed goes back as it came.
            value = given[1].value
        else:
            lowers = schema.current.lowers
            value = (lowers.get((etype, attr)) or schema.current.lowering(etype, attr))(v)
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{etype}.{attr}: {v!r} does not fit: {error}") from error
    if t1 is not None:
        t1 = values.microseconds(t1)
    if t2 is not None:
        t2 = values.microseconds(t2)
    return _Datapoint(attr, value, dp.src, t1, t2, dp.c)


class Task:
    """Work on one entity: datapoints, TTL tokens, or its removal (which needs the grant ``delete-entity``).

    Built by what it holds: ``Task("ip", "192.0.2.1").plain("class", "mail").observation("name", "a", t1=now)``.
    """

    __slots__ = ("_from", "etype", "eid", "data_points", "tags", "ttl_tokens", "delete")

    def __init__(self, etype, eid, data_points=None, *, tags=None, ttl_tokens=None, delete=False):
        self.etype, self.eid = etype, eid
        self.data_points = list(data_points) if data_points else []
        self.tags = list(tags) if tags else []
        self.ttl_tokens = dict(ttl_tokens) if ttl_tokens else {}
        self.delete = delete

    @classmethod
    def lifted(cls, task):
        """One that the host gave."""
        new = _new(cls)
        new._from = task
        return new

    def __getattr__(self, name):
        # Only what is not set yet comes here.
        how = _PARTS.get(name)
        if how is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = how(self._from)
        setattr(self, name, value)
        return value

    def __repr__(self):
        return f"{type(self).__name__}({self.etype}/{self.eid}, {len(self.data_points)} datapoints)"

    def plain(self, attr, v, *, src=None):
        """Adds a plain value."""
        self.data_points.append(Datapoint(self.etype, self.eid, attr, v, src=src))
        return self

    def observation(self, attr, v, t1, t2=None, c=None, *, src=None):
        """Adds an observation; ``t2`` is ``t1`` when absent, the confidence 1."""
        self.data_points.append(Datapoint(self.etype, self.eid, attr, v, src=src, t1=t1, t2=t2, c=c))
        return self

    def timeseries(self, attr, series, t1, t2=None, *, src=None):
        """Adds a chunk: a dictionary of lists of one length."""
        self.data_points.append(Datapoint(self.etype, self.eid, attr, series, src=src, t1=t1, t2=t2))
        return self

    def alongside(self, attr, v, dp, *, src=None):
        """Adds a value with the times and the confidence of another datapoint."""
        self.data_points.append(Datapoint(self.etype, self.eid, attr, v, src=src, t1=dp.t1, t2=dp.t2, c=dp.c))
        return self

    def ttl(self, name, until):
        """Keeps the entity alive until a time."""
        self.ttl_tokens[name] = until
        return self

    def tag(self, name):
        """Adds a tag."""
        self.tags.append(name)
        return self

    def to_wit(self):
        """The task of the contract."""
        etype, tokens = self.etype, self.ttl_tokens
        if tokens:
            tokens = [
                _TtlToken(name, None if until is None else values.microseconds(until)) for name, until in tokens.items()
            ]
        else:
            tokens = []
        points = [lower_datapoint(etype, dp) for dp in self.data_points]
        return _Task(_EntityRef(etype, str(self.eid)), points, tokens, self.tags, bool(self.delete))


_PARTS = {
    "etype": lambda task: task.entity.etype,
    "eid": lambda task: schema.current.eid(task.entity.etype, task.entity.eid),
    "data_points": lambda task: [Datapoint.lifted(task.entity, dp) for dp in task.datapoints],
    "tags": lambda task: task.tags,
    "ttl_tokens": lambda task: {
        token.name: None if token.until is None else values.time(token.until) for token in task.ttl_tokens
    },
    "delete": lambda task: task.remove_entity,
}


def tasks(result) -> list:
    """The tasks of the contract for what a hook returned: nothing, one, or several."""
    if result is None:
        return []
    if type(result) is Task or hasattr(result, "to_wit"):
        return [result.to_wit()]
    try:
        return [task.to_wit() for task in result]
    except (TypeError, AttributeError) as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise
        raise InvalidInput(f"the hook returned {result!r}: expected tasks, or nothing") from None
