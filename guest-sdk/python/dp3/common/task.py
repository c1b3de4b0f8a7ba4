"""Tasks as modules see and build them."""

import hashlib
import json
from contextlib import contextmanager

from dp3.common.datapoint import DataPointBase, built, lifted, message
from dp3.common.errors import ValidationError
from tenter import schema
from tenter.task import Task as _Task
from tenter.values import json_text, microseconds, text_of_time, time


def HASH(key: str) -> int:  # noqa: N802: DP³'s name
    """The hash that DP³ shares entities out by: the last four hexadecimal digits of the MD5 of the text."""
    return int(hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()[-4:], 16)


_EMPTY = "DataPointTask must contain at least one datapoint, non-empty ttl_tokens, or be a delete task."


class Task:
    """What can be sent through a queue."""

    def routing_key(self) -> str:
        """What decides on the worker."""
        raise NotImplementedError

    def as_message(self) -> str:
        """The task as text."""
        raise NotImplementedError

    def hashed_routing_key(self) -> int:
        """The hash of the routing key."""
        return HASH(self.routing_key())


class DataPointTask(_Task, Task):
    """Work on one entity: ``etype``, ``eid``, ``data_points``, ``tags``, ``ttl_tokens``, ``delete``.

    Datapoints may be given as dictionaries; ``etype`` and ``eid`` in them may be left out. What does not fit the entity
    specification raises ValidationError, which is a ValueError.
    """

    def __init__(self, etype=None, eid=None, data_points=(), tags=(), ttl_tokens=None, delete=False, **_):
        problems = []
        if schema.current and etype not in schema.current.entities:
            raise ValidationError("DataPointTask", [(("etype",), f"Entity type '{etype}' doesn't exist")])
        try:
            eid = schema.current.eid_of(etype, eid)
        except ValueError as error:
            problems.append((("eid",), str(error)))
        points = []
        for index, one in enumerate(data_points):
            try:
                points.append(self._point(etype, eid, one))
            except ValidationError as error:
                problems.extend((("data_points", index, *each["loc"]), each["msg"]) for each in error.errors())
        if not problems and not points and not ttl_tokens and not delete:
            problems.append(((), _EMPTY))
        if problems:
            raise ValidationError("DataPointTask", problems)
        super().__init__(etype, eid, points, tags=tags, ttl_tokens=_tokens(ttl_tokens), delete=delete)

    @staticmethod
    def _point(etype, eid, one):
        if not isinstance(one, dict):
            fields = one
        else:
            fields = built(etype, one.get("eid", eid), {**one, "etype": one.get("etype", etype)})
        if fields.etype != etype or (fields.eid is not eid and str(fields.eid) != str(eid)):
            problem = f"Datapoint of {fields.etype}/{fields.eid} in a task of {etype}/{eid}"
            raise ValidationError("DataPointTask", [((), problem)])
        return fields

    def routing_key(self):
        return f"{self.etype}:{self.eid}"

    def model_dump(self, **_):
        """The fields as a dictionary."""
        return {
            "etype": self.etype,
            "eid": self.eid,
            "data_points": [dp.model_dump() if hasattr(dp, "model_dump") else message(dp) for dp in self.data_points],
            "tags": self.tags,
            "ttl_tokens": self.ttl_tokens or None,
            "delete": self.delete,
        }

    dict = model_dump

    def as_message(self):
        fields = {"etype": self.etype, "eid": self.eid, "data_points": [message(dp) for dp in self.data_points]}
        if self.tags:
            fields["tags"] = self.tags
        if self.ttl_tokens:
            fields["ttl_tokens"] = {
                name: None if at is None else text_of_time(at) for name, at in self.ttl_tokens.items()
            }
        if self.delete:
            fields["delete"] = True
        return json_text(fields)

    def model_dump_json(self, **_):
        """As `as_message`."""
        return self.as_message()

    def __eq__(self, other):
        return isinstance(other, DataPointTask) and self.model_dump() == other.model_dump()

    __hash__ = None


def _tokens(given):
    return {
        name: None if at is None else (at if hasattr(at, "tzinfo") else time(microseconds(at)))
        for name, at in (given or {}).items()
    }


class LiftedTask(DataPointTask):
    """A task of a hook; its parts are converted when they are looked at."""

    __slots__ = ()

    def __getattr__(self, name):
        if name == "data_points":
            points = [lifted(self._from.entity, dp) for dp in self._from.datapoints]
            self.data_points = points
            return points
        return super().__getattr__(name)


def empty(etype, eid):
    """What refreshed hooks get: a task of the entity that holds nothing."""
    task = object.__new__(DataPointTask)
    _Task.__init__(task, etype, eid)
    return task


@contextmanager
def task_context(model_spec):
    """Where tasks may be built; here they may everywhere."""
    del model_spec
    yield


def parse_data_point_task(task, model_spec) -> DataPointTask:
    """The task that a text stands for."""
    del model_spec
    return DataPointTask(**json.loads(task))


__all__ = ["DataPointBase", "DataPointTask", "HASH", "Task", "parse_data_point_task", "task_context"]
