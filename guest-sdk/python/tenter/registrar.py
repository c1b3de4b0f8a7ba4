"""The registrar: which moments a module wants, and which function answers.

Its methods are named as in DP³, with the same arguments; case hooks are named as in the contract. Each registration ends
as one row: a subscription id, a moment of the contract, and a function from the contract's arguments to its result. What
an id is made of stays the same over versions, since stored rows, cursors and the operator's decisions name it.
"""

import json
import logging
import re
import zlib

from wit_world.exports import cases as _c
from wit_world.exports import ingest as _i
from wit_world.exports import schedule as _sch
from wit_world.exports import snapshot as _s
from wit_world.exports import update as _u
from wit_world.imports import types as _t

from . import schema, values
from .cases import CaseObject, Deny, Proposal, Written, collected, judgement
from .errors import InvalidInput
from .record import Record, chunks
from .task import Datapoint, Task, tasks
from .view import Run, View, paths

FAMILIES = ("ingest", "snapshot", "update", "schedule", "cases")
_UNFIT = re.compile(r"[^a-z0-9_.:-]+")
_DURATION = re.compile(r"\s*(\d+)([smhd])$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Row:
    """One subscription with what answers it."""

    __slots__ = ("family", "kind", "id", "moment", "call")

    def __init__(self, family, kind, id, moment, call):  # noqa: A002: the contract's word
        self.family, self.kind, self.id, self.moment, self.call = family, kind, id, moment, call


def clean_id(text: str) -> str:
    """An id of the form that the contract asks for; what is too long ends in a checksum of the whole."""
    cleaned = _UNFIT.sub("-", text.lower()).strip("-")
    if not cleaned or not (cleaned[0].isascii() and cleaned[0].isalnum()):
        cleaned = "s" + cleaned
    if len(cleaned) > 64:
        cleaned = f"{cleaned[:55]}-{zlib.crc32(text.encode()):08x}"
    return cleaned


def seconds(period) -> int:
    """A period in seconds, from a number of them or from text such as ``12h``."""
    if isinstance(period, str):
        found = _DURATION.match(period)
        if found is None:
            raise ValueError(f"{period!r} is no period: expected a number and s, m, h or d, such as '12h'")
        return int(found.group(1)) * _SECONDS[found.group(2)]
    total = period.total_seconds() if hasattr(period, "total_seconds") else period
    return int(total)


class Registrar:
    """Collects the module's wishes. Every method takes a function first; ``id=`` names a subscription by hand."""

    def __init__(self, specification=None):
        self.log = logging.getLogger("tenter")
        self.specification = schema.current if specification is None else specification
        self.rows = []
        self.requests = []

    def request(self, capability, scope=""):
        """Asks the operator for a capability; asked is not granted. ``scope`` is its argument."""
        if (capability, scope) not in self.requests:
            self.requests.append((capability, scope))

    def add(self, family, kind, about, moment, call, id=None):  # noqa: A002: the contract's word
        """Adds a row; without an id it is made of the kind and of what the moment is about."""
        taken = {row.id for row in self.rows}
        if id is not None:
            if id in taken or id != clean_id(id):
                why = "is taken" if id in taken else "is not valid: lower-case letters, digits, _ . : or -, at most 64"
                raise InvalidInput(f"subscription id {id!r} {why}")
        else:
            wanted = clean_id(f"{kind}:{about}" if about else kind)
            id, n = wanted, 2
            while id in taken:
                id, n = f"{wanted[:61]}-{n}", n + 1
        self.rows.append(Row(family, kind, id, moment, call))

    # Ingestion.

    def register_task_hook(self, hook_type, hook, *, id=None):
        """First for every task: ``hook(task)``. ``hook_type`` is ``on_task_start``."""
        if hook_type != "on_task_start":
            raise ValueError(f"Hook type '{hook_type}' doesn't exist.")

        def call(task):
            hook(Task.lifted(task))

        self.add("ingest", "on-task-start", "", _i.Moment_OnTaskStart(), call, id)

    def register_allow_entity_creation_hook(self, hook, entity, *, id=None):
        """May an unknown entity come into being: ``hook(eid, task)`` gives True, False, or ``deny(reason)``."""

        def call(task):
            found = task.entity
            return verdict(hook(schema.current.eid(found.etype, found.eid), Task.lifted(task)), hook)

        moment = _i.Moment_AllowEntityCreation(entity)
        self.add("ingest", "allow-entity-creation", entity, moment, call, id)

    def register_on_entity_creation_hook(self, hook, entity, refresh=None, may_change=None, *, id=None):
        """A new entity was accepted: ``hook(eid, task)`` gives tasks."""

        def call(task):
            found = task.entity
            return tasks(hook(schema.current.eid(found.etype, found.eid), Task.lifted(task)))

        moment = _i.Moment_OnEntityCreation(_i.Creation(entity, *refreshed(refresh, may_change)))
        self.add("ingest", "on-entity-creation", entity, moment, call, id)

    def register_on_new_attr_hook(self, hook, entity, attr, refresh=None, may_change=None, *, id=None):
        """A datapoint of that attribute was staged: ``hook(eid, dp)`` gives tasks."""

        typed = schema.current.typed.get(entity)
        lifted = Datapoint.lifted

        def call(found, datapoint):
            return tasks(hook(found.eid if typed is None else typed(found.eid), lifted(found, datapoint)))

        moment = _i.Moment_OnNewAttribute(_i.AttributeWatch(entity, attr, *refreshed(refresh, may_change)))
        self.add("ingest", "on-new-attribute", f"{entity}.{attr}", moment, call, id)

    # Snapshots.

    def register_snapshot_init_hook(self, hook, *, id=None):
        """Start of a run, once per lane: ``hook(run)`` gives tasks."""
        self.add("snapshot", "snapshot-init", "", _s.Moment_SnapshotInit(), lambda run: tasks(hook(Run(run))), id)

    def register_snapshot_finalize_hook(self, hook, *, id=None):
        """End of a run, once per lane: ``hook(run)`` gives tasks."""
        call = lambda run: tasks(hook(Run(run)))  # noqa: E731
        self.add("snapshot", "snapshot-finalize", "", _s.Moment_SnapshotFinalize(), call, id)

    def register_timeseries_hook(self, hook, entity_type, attr_type, *, id=None):
        """Each stored history of a timeseries: ``hook(etype, eid, attr, history)`` gives tasks."""

        def call(found, attr, history):
            eid = schema.current.eid(found.etype, found.eid)
            return tasks(hook(found.etype, eid, attr, chunks(history)))

        moment = _s.Moment_Timeseries(_t.AttributeRef(entity_type, attr_type))
        self.add("snapshot", "timeseries", f"{entity_type}.{attr_type}", moment, call, id)

    def register_correlation_hook(self, hook, entity_type, depends_on, may_change, *, whole=False, id=None):
        """Current values are computed: ``hook(view)`` changes the view and gives tasks."""

        def call(seen):
            view = View(seen)
            return view.correlated(tasks(hook(view)))

        moment = _s.Moment_Correlate(_s.Correlation(entity_type, paths(depends_on), paths(may_change), whole))
        self.add("snapshot", "correlate", entity_type, moment, call, id)

    def register_correlation_hook_with_master_record(
        self, hook, entity_type, depends_on, may_change, *, whole=False, id=None
    ):
        """As `register_correlation_hook`; ``view.record`` is the master record."""

        def call(seen, master):
            view = View(seen, master)
            return view.correlated(tasks(hook(view)))

        moment = _s.Moment_CorrelateWithRecord(_s.Correlation(entity_type, paths(depends_on), paths(may_change), whole))
        self.add("snapshot", "correlate-with-record", entity_type, moment, call, id)

    # Sweeps.

    def register_periodic_update_hook(self, hook, hook_id, entity_type, period, *, id=None):
        """Every stored entity once per period: ``hook(etype, eid, record)`` gives tasks."""

        def call(master):
            record = Record(master)
            return tasks(hook(record.etype, record.eid, record))

        moment = _u.Moment_UpdateRecord(_u.Sweep(entity_type, seconds(period)))
        self.add("update", "update-record", f"{entity_type}.{hook_id}", moment, call, id)

    def register_periodic_eid_update_hook(self, hook, hook_id, entity_type, period, *, id=None):
        """Every stored entity once per period, by identity alone: ``hook(etype, eid)`` gives tasks."""

        def call(found):
            return tasks(hook(found.etype, schema.current.eid(found.etype, found.eid)))

        moment = _u.Moment_UpdateEntity(_u.Sweep(entity_type, seconds(period)))
        self.add("update", "update-entity", f"{entity_type}.{hook_id}", moment, call, id)

    # Times of the clock.

    def scheduler_register(
        self,
        func,
        *,
        func_args=None,
        func_kwargs=None,
        year=None,
        month=None,
        day=None,
        week=None,
        day_of_week=None,
        hour=None,
        minute=None,
        second=None,
        timezone="UTC",
        misfire_grace_time=1,
        id=None,
    ) -> int:
        """At times of the clock: ``func(*func_args, **func_kwargs)``; tasks go through ``tenter.tasks.submit``."""
        fields = (year, month, day, week, day_of_week, hour, minute, second)
        texts = [None if field is None else str(field) for field in fields]
        timing = _sch.Timing_Fields(_sch.CronFields(*texts, str(timezone)))
        about = ".".join("any" if text is None else text.replace("*", "any") for text in texts)
        return self._timer(func, func_args, func_kwargs, timing, misfire_grace_time, about, id)

    def scheduler_register_once(self, func, *, func_args=None, func_kwargs=None, misfire_grace_time=60, id=None) -> int:
        """Once, when the runtime starts."""
        timing = _sch.Timing_OnceAtStart()
        return self._timer(func, func_args, func_kwargs, timing, misfire_grace_time, "once-at-start", id)

    def _timer(self, func, args, kwargs, timing, grace, about, id):  # noqa: A002: the contract's word
        args, kwargs = list(args or ()), dict(kwargs or {})

        # The arguments are those of this registration; the text that comes back with a call stands for other languages.
        def call(_arguments):
            func(*args, **kwargs)

        name = getattr(func, "__name__", "") or "timer"
        try:
            text = values.json_text({"args": args, "kwargs": kwargs})
        except InvalidInput:
            text = json.dumps(None)
        moment = _sch.Moment_Cron(_sch.Timer(timing, max(0, int(grace or 0)), text))
        self.add("schedule", "cron", f"{name}:{about}", moment, call, id)
        return sum(row.family == "schedule" for row in self.rows)

    # Cases.

    def before(self, hook, object="*", action="*", *, id=None):  # noqa: A002: the contract's words
        """Before an object is written: ``hook(context, event, proposal)`` may change ``proposal.body`` or deny."""

        def call(context, event, given):
            proposal = Proposal(given)
            return judgement(hook(context, event, proposal), proposal)

        moment = _c.Moment_Before(_c.CaseFilter(_named(object), _named(action)))
        self.add("cases", "before", _about(object, action), moment, call, id)

    def after(self, hook, object="*", action="*", *, synchronous=False, id=None):  # noqa: A002
        """After an object was written: ``hook(context, event, written)`` writes on the objects, gives tasks and `New`."""

        def call(context, event, given):
            written = [Written(one) for one in given]
            effects, made, _ = collected(hook(context, event, written), [one.new for one in written if one.new])
            return _c.Outcome(effects, made)

        moment = _c.Moment_After(_c.AfterFilter(_named(object), _named(action), synchronous))
        self.add("cases", "after", _about(object, action), moment, call, id)

    def manual(self, hook, object, title, *, id=None):  # noqa: A002
        """A person clicks the menu entry: ``hook(context, event, objects)``; as `after`, and a `Report` or a text."""

        def call(context, event, given):
            objects = [CaseObject(one) for one in given]
            return _c.ManualOutcome(*collected(hook(context, event, objects), objects))

        moment = _c.Moment_Manual(_c.MenuEntry(object, title))
        self.add("cases", "manual", f"{object}:{title}", moment, call, id)


def refreshed(refresh, may_change):
    """Whether a hook runs again after a change of configuration, and what such a run may set."""
    wanted = refresh is not None and refresh is not False
    if wanted and not may_change:
        raise ValueError("'may_change' must be specified if 'refresh' is specified")
    return wanted, paths(may_change) if wanted else []


def verdict(answer, hook):
    """The contract's answer of a hook that admits entities: what is not true is a refusal."""
    if isinstance(answer, Deny):
        return _t.Verdict_Deny(answer.reason)
    if answer:
        return _t.Verdict_Allow()
    return _t.Verdict_Deny(f"{getattr(hook, '__name__', 'the hook')} answered {answer!r}")


def _named(name):
    return None if name in (None, "*") else name


def _about(object, action):  # noqa: A002
    return f"{object.replace('*', 'any')}.{action.replace('*', 'any')}"
