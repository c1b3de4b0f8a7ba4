"""One module, configured, whose hooks a test calls with plain data.

Inputs are those of ``tenter run`` in short; results are tasks, changes and so on as dictionaries.
"""

import importlib.util
import json
import sys
import types
from pathlib import Path

from componentize_py_types import Err
from tenter import app, schema, values
from wit_world import host
from wit_world.exports import snapshot as _s
from wit_world.imports import types as _t


class HookFailed(Exception):
    """A hook answered with an error: ``code`` is invalid-input, unavailable or failed."""

    def __init__(self, error):
        case = type(error.value).__name__.split("_", 1)[1]
        self.code = {"InvalidInput": "invalid-input", "Unavailable": "unavailable", "Failed": "failed"}[case]
        super().__init__(f"{self.code}: {error.value.value}")


class Harness:
    """Loads a module's file and configures it. ``site`` is the entity specification as `tenter check -o json` prints it."""

    def __init__(self, path, config=None, *, site=None, adapter="tenter.adapter", manifest=None, keep_host=False):
        if not keep_host:
            host.reset()
        host.schema = json.dumps(site or {})
        path = Path(path)
        name = f"under_test_{path.stem}".replace("-", "_")
        spec = importlib.util.spec_from_file_location(name, path)
        source = importlib.util.module_from_spec(spec)
        sys.modules[name] = source
        spec.loader.exec_module(source)
        facts = types.SimpleNamespace(
            ADAPTER=adapter, SOURCE=name, NAME=path.stem, TITLE="", DESCRIPTION="", VERSION="0.1.0"
        )
        facts.__dict__.update(manifest or {})
        self.guest = importlib.import_module(adapter).load(facts)
        app.serve(self.guest)
        self.descriptor = app.Module().describe()
        defaults = {p.name: json.loads(p.default_value) for p in self.descriptor.parameters if p.default_value}
        self.configure({**defaults, **(config or {})})

    def configure(self, config):
        """Configures the instance, for the first time or anew."""
        requests = self._call(app.Module().configure, json.dumps(config))
        self.requests = [f"{one.capability} {one.scope}".strip() for one in requests]

    @staticmethod
    def _call(function, *args):
        try:
            return function(*args)
        except Err as error:
            raise HookFailed(error) from error

    @staticmethod
    def subscriptions(family):
        """Subscriptions of a family, as the contract has them."""
        return getattr(app, family.capitalize())().subscriptions()

    def _hooks(self, family, fits):
        found = [one.id for one in self.subscriptions(family) if fits(one.moment)]
        if not found:
            raise LookupError(f"no subscription of {family} fits; there are {self.subscriptions(family)}")
        return found

    def _each(self, family, case, fits, call):
        """Calls all subscriptions of a kind that fit, and joins their tasks."""
        ids = self._hooks(family, lambda m: type(m).__name__ == f"Moment_{case}" and fits(getattr(m, "value", None)))
        return [task for one in ids for task in map(task_json, self._call(call, one))]

    def task_start(self, etype, eid, data_points=(), **parts):
        """Calls hooks of the start of a task."""
        given = task_of(etype, eid, data_points, **parts)
        for one in self._hooks("ingest", lambda m: isinstance(m, _moment("ingest", "OnTaskStart"))):
            self._call(app.Ingest().on_task_start, one, given)

    def allow(self, etype, eid, data_points=()):
        """True, or the reason of the first refusal."""
        given = task_of(etype, eid, data_points)
        kind = _moment("ingest", "AllowEntityCreation")
        for one in self._hooks("ingest", lambda m: isinstance(m, kind) and m.value == etype):
            answer = self._call(app.Ingest().allow_entity_creation, one, given)
            if isinstance(answer, _t.Verdict_Deny):
                return answer.value
        return True

    def creation(self, etype, eid, data_points=(), **parts):
        """Tasks of hooks of the creation of an entity."""
        given = task_of(etype, eid, data_points, **parts)
        call = lambda one: app.Ingest().on_entity_creation(one, given)  # noqa: E731
        return self._each("ingest", "OnEntityCreation", lambda d: d.etype == etype, call)

    def on_new_attr(self, etype, eid, attr, v, **fields):
        """Tasks of hooks of a datapoint."""
        given = datapoint_of(etype, {"attr": attr, "v": v, **fields})
        call = lambda one: app.Ingest().on_new_attribute(one, _t.EntityRef(etype, str(eid)), given)  # noqa: E731
        return self._each("ingest", "OnNewAttribute", lambda d: (d.etype, d.attr) == (etype, attr), call)

    def run(self, which="init"):
        """Tasks of the start or end (``finalize``) of a run."""
        call = getattr(app.Snapshot(), f"snapshot_{which}")
        case = f"Snapshot{which.capitalize()}"
        return self._each("snapshot", case, lambda _: True, lambda one: call(one, _s.Run("1", host.now)))

    def timeseries(self, etype, eid, attr, history):
        """Tasks of hooks of a stored timeseries: a list of ``{"t1", "t2", "v"}``."""
        chunks = [chunk_of(etype, attr, one) for one in history]
        call = lambda one: app.Snapshot().timeseries(one, _t.EntityRef(etype, str(eid)), attr, chunks)  # noqa: E731
        return self._each("snapshot", "Timeseries", lambda d: (d.etype, d.attr) == (etype, attr), call)

    def correlate(self, root, linked=(), record=None):
        """Changes, by (type, id, attribute), and tasks of correlations; entities are ``("type", "id", {attr: value})``."""
        view = _s.View(view_of(*root), [view_of(*one) for one in linked])
        changes, made = {}, []
        for one in self.subscriptions("snapshot"):
            case = type(one.moment).__name__
            if case not in ("Moment_Correlate", "Moment_CorrelateWithRecord") or one.moment.value.etype != root[0]:
                continue
            if case == "Moment_Correlate":
                answer = self._call(app.Snapshot().correlate, one.id, view)
            else:
                master = record_of(root[0], root[1], record or {})
                answer = self._call(app.Snapshot().correlate_with_record, one.id, view, master)
            for change in answer.changes:
                key = (change.entity.etype, change.entity.eid, change.attr)
                changes[key] = [(plain(w.value), w.confidence) for w in change.values]
            made.extend(map(task_json, answer.tasks))
        return changes, made

    def update(self, etype, eid, record=None):
        """Tasks of sweeps: with a record those that want one, without those that do not."""
        fits = lambda d: d.etype == etype  # noqa: E731
        if record is None:
            ref = _t.EntityRef(etype, str(eid))
            return self._each("update", "UpdateEntity", fits, lambda one: app.Update().update_entity(one, ref))
        master = record_of(etype, eid, record)
        return self._each("update", "UpdateRecord", fits, lambda one: app.Update().update_record(one, master))

    def cron(self):
        """Calls all timers; what they submit stands in ``host.submitted``."""
        for one in self.subscriptions("schedule"):
            self._call(app.Schedule().cron, one.id, one.moment.value.arguments)
        return [task_json(one) for one in host.submitted]


def _moment(family, case):
    return getattr(sys.modules[f"wit_world.exports.{family}"], f"Moment_{case}")


def datapoint_of(etype, fields):
    """The contract's datapoint of a dictionary with ``attr``, ``v`` and perhaps times."""
    at = lambda key: None if fields.get(key) is None else values.microseconds(fields[key])  # noqa: E731
    value = schema.current.lower(etype, fields["attr"], _typed(etype, fields["attr"], fields["v"]))
    return _t.Datapoint(fields["attr"], value, fields.get("src"), at("t1"), at("t2"), fields.get("c"))


def _typed(etype, attr, v):
    """A value as the host would hand it: addresses and times typed."""
    spec = schema.current.attribute(etype, attr)
    kind = spec.data_type if spec is not None else ""
    if kind in ("ipv4", "ipv6", "mac"):
        return values.address(v)
    return values.time(values.microseconds(v)) if kind == "time" else v


def task_of(etype, eid, data_points=(), ttl_tokens=None, tags=(), delete=False):
    """The contract's task."""
    tokens = [_t.TtlToken(n, None if at is None else values.microseconds(at)) for n, at in (ttl_tokens or {}).items()]
    points = [datapoint_of(etype, one) for one in data_points]
    return _t.Task(_t.EntityRef(etype, str(eid)), points, tokens, list(tags), delete)


def chunk_of(etype, attr, one):
    """The contract's chunk of a stored timeseries."""
    spec = schema.current.attribute(etype, attr)
    series = spec.lower(one["v"]).value if spec is not None else [
        _t.Series(name, _t.Column_Reals([float(x) for x in column])) for name, column in one["v"].items()
    ]  # fmt: skip
    return _t.Chunk(values.microseconds(one["t1"]), values.microseconds(one["t2"]), series)


def view_of(etype, eid, current):
    """The contract's view of an entity: ``{attr: value, "attr#c": confidence}``."""
    found = []
    for attr, value in current.items():
        if attr.endswith("#c"):
            continue
        spec = schema.current.attribute(etype, attr)
        weights = current.get(f"{attr}#c")
        several = value if spec is not None and spec.multi_value else [value]
        weights = weights if isinstance(weights, list) else [weights] * len(several)
        for one, weight in zip(several, weights):
            lowered = schema.current.lower(etype, attr, _typed(etype, attr, one))
            found.append(_t.CurrentValue(attr, lowered, weight))
    return _t.EntityView(_t.EntityRef(etype, str(eid)), found)


def record_of(etype, eid, attributes):
    """The contract's master record: ``{attr: {"plain": ..} | {"observations": [..]} | {"timeseries": [..]}}``."""
    stored = []
    for attr, given in attributes.items():
        lower = lambda v, attr=attr: schema.current.lower(etype, attr, _typed(etype, attr, v))  # noqa: E731
        if "plain" in given:
            history = _t.History_Plain(_t.StoredPlain(lower(given["plain"]["v"]), host.now))
        elif "timeseries" in given:
            history = _t.History_Timeseries([chunk_of(etype, attr, one) for one in given["timeseries"]])
        else:
            points = given["observations"]
            times = [[values.microseconds(p.get(key, p["t1"])) for p in points] for key in ("t1", "t2")]
            column = _t.ValueColumn_Mixed([lower(p["v"]) for p in points])
            history = _t.History_Observations(_t.Observations(*times, [p.get("c", 1.0) for p in points], column))
        stored.append(_t.StoredAttribute(attr, history))
    return _t.MasterRecord(_t.EntityRef(etype, str(eid)), host.now, 1, [], stored)


def plain(value):
    """What a value of the contract prints as."""
    return json.loads(values.json_text(values.lift(value)))


def task_json(task):
    """A task as a dictionary, without what is not set."""
    at = lambda t: None if t is None else values.text_of_time(values.time(t))  # noqa: E731
    points = []
    for dp in task.datapoints:
        fields = {"attr": dp.attr, "v": plain(dp.value), "t1": at(dp.t1), "t2": at(dp.t2), "c": dp.confidence}
        points.append({k: v for k, v in {**fields, "src": dp.src}.items() if v is not None})
    made = {"etype": task.entity.etype, "eid": task.entity.eid, "data_points": points}
    if task.ttl_tokens:
        made["ttl_tokens"] = {one.name: at(one.until) for one in task.ttl_tokens}
    if task.tags:
        made["tags"] = task.tags
    if task.remove_entity:
        made["delete"] = True
    return made
