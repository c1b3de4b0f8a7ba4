"""Specifications of attributes, as modules read them from the model."""

from datetime import timedelta
from enum import Flag

from dp3.common.datatype import DataType
from tenter.schema import Attribute
from tenter.values import Struct


class AttrType(Flag):
    """Kinds of attributes; the numbers are those of the API."""

    PLAIN = 1
    OBSERVATIONS = 2
    TIMESERIES = 4


class TimeseriesType(str):
    """How the points of a timeseries are spaced."""


class AttrSpec:
    """One attribute: ``id``, ``name``, ``description``, ``t``, ``ttl``, ``data_type`` and what its kind has beside."""

    def __init__(self, attribute: Attribute):
        self._attribute = attribute
        raw = attribute.raw
        self.id = attribute.id
        self.name = raw.get("name", attribute.id)
        self.description = raw.get("description", "")
        self.t = AttrType(attribute.kind)
        self.type = raw.get("type", "")
        self.ttl = duration(raw.get("ttl"))
        self.editable = bool(raw.get("editable"))
        if attribute.kind == 4:
            self.timeseries_type = raw.get("timeseries_type")
            self.series = {name: Struct(data_type=DataType(of)) for name, of in attribute.series.items()}
            given = raw.get("timeseries_params") or {}
            self.timeseries_params = Struct((key, duration(value)) for key, value in given.items())
        else:
            self.data_type = DataType(attribute.data_type)
        if attribute.kind == 2:
            self.confidence = bool(raw.get("confidence"))
            self.multi_value = attribute.multi_value
            given = raw.get("history_params") or {}
            durations = ("max_age", "expire_time", "pre_validity", "post_validity")
            self.history_params = Struct(
                (key, duration(value) if key in durations else value) for key, value in given.items()
            )

    @property
    def is_relation(self) -> bool:
        """Whether it leads to other entities."""
        return self._attribute.is_link

    @property
    def relation_to(self):
        """The entity type that it leads to."""
        return self._attribute.link_to

    @property
    def is_iterable(self) -> bool:
        """Whether its values are arrays or sets."""
        return self._attribute.data_type.startswith(("array<", "set<"))

    @property
    def is_mirrored(self) -> bool:
        """Whether the other side has an attribute that mirrors it."""
        return "mirror=" in self._attribute.data_type

    @property
    def is_mirror(self) -> bool:
        """Whether it mirrors an attribute of the other side."""
        return bool(self._attribute.raw.get("mirror_of"))

    def __repr__(self):
        return f"AttrSpec({self._attribute.etype}.{self.id}, {self.t.name})"


class AttrSpecPlain(AttrSpec):
    """A plain attribute."""


class AttrSpecObservations(AttrSpec):
    """An attribute with a history of observations."""


class AttrSpecTimeseries(AttrSpec):
    """An attribute with timeseries."""


def attr_spec(attribute: Attribute) -> AttrSpec:
    """The specification of an attribute, as the class of its kind."""
    return {1: AttrSpecPlain, 2: AttrSpecObservations, 4: AttrSpecTimeseries}[attribute.kind](attribute)


def duration(text):
    """A timedelta of an ISO 8601 duration such as ``PT1H30M``; None and anything else as it is."""
    if not isinstance(text, str) or not text.startswith("P"):
        return text
    days, _, clock = text[1:].partition("T")
    total = timedelta()
    for part, units in ((days, {"D": 86400, "W": 604800}), (clock, {"H": 3600, "M": 60, "S": 1})):
        number = ""
        for letter in part:
            if letter in units:
                total += timedelta(seconds=float(number) * units[letter])
                number = ""
            else:
                number += letter
    return total
