"""What is stored of an entity, as sweeps, correlations and ``entities.read`` see it."""

from wit_world.imports import types as _t

from . import schema, values
from .values import Struct


class Record:
    """A master record: ``etype``, ``eid``, ``created``, ``revision``, ``ttl_tokens`` and ``attributes``.

    ``record["name"]`` is the history of an attribute: of a plain one ``{"v", "updated"}``, of observations a list of
    ``{"t1", "t2", "v", "c"}``, of a timeseries a list of ``{"t1", "t2", "v": {series: [..]}}``. Keys can be read as
    attributes. Histories are converted when they are looked at.
    """

    __slots__ = ("_from", "_histories", "etype", "eid")

    def __init__(self, master):
        self._from = master
        self._histories = {}
        self.etype = master.entity.etype
        self.eid = schema.current.eid(self.etype, master.entity.eid)

    @property
    def created(self):
        """When the entity came into being; None for one that is being created."""
        return None if self._from.created is None else values.time(self._from.created)

    @property
    def revision(self) -> int:
        """Grows with each write."""
        return self._from.revision

    @property
    def ttl_tokens(self) -> dict:
        """Name and time of each token."""
        tokens = self._from.ttl_tokens
        return {one.name: None if one.until is None else values.time(one.until) for one in tokens}

    @property
    def attributes(self) -> list:
        """Names of the attributes that are stored."""
        return [one.attr for one in self._from.attributes]

    def __contains__(self, attr):
        return any(one.attr == attr for one in self._from.attributes)

    def __iter__(self):
        return iter(self.attributes)

    def __getitem__(self, attr):
        if attr not in self._histories:
            for one in self._from.attributes:
                if one.attr == attr:
                    self._histories[attr] = history(one.history)
                    break
        return self._histories[attr]

    def get(self, attr, default=None):
        """The history of an attribute, or the default."""
        try:
            return self[attr]
        except KeyError:
            return default


def history(stored):
    """The history of an attribute in Python's terms."""
    kind = type(stored)
    if kind is _t.History_Plain:
        return Struct(v=values.lift(stored.value.value), updated=values.time(stored.value.updated))
    if kind is _t.History_Observations:
        return observations(stored.value)
    return chunks(stored.value)


def observations(stored) -> list:
    """Observations as dictionaries, in stored order."""
    time = values.time
    lists = zip(stored.t1, stored.t2, values.lift_column(stored.values), stored.confidence)
    return [Struct(t1=time(t1), t2=time(t2), v=v, c=c) for t1, t2, v, c in lists]


def chunks(stored) -> list:
    """Chunks of a timeseries as dictionaries."""
    time = values.time
    return [Struct(t1=time(one.t1), t2=time(one.t2), v=values.chunk(one.columns)) for one in stored]
