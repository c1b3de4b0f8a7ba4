"""DP³'s registrar: the methods and arguments of its documentation, the errors of its registration.

Hooks get what DP³ hands them: typed ids, `DataPointTask`, datapoints, nested dictionaries, master records as DP³ stores them.
"""

import logging

from dp3.common.datapoint import lifted
from dp3.common.model_spec import ModelSpec
from dp3.common.state import SharedFlag
from dp3.common.task import LiftedTask, empty
from dp3.common.utils import get_func_name
from dp3.host import documents
from dp3.host.component import Component
from tenter import schema
from tenter.record import chunks
from tenter.registrar import Registrar, seconds, verdict
from tenter.task import tasks
from wit_world.exports import ingest as _i
from wit_world.exports import snapshot as _s
from wit_world.exports import update as _u
from wit_world.imports import call as _call
from wit_world.imports import types as _t

_ATTR_HOOKS = {"on_new_plain": 1, "on_new_observation": 2, "on_new_ts_chunk": 4}
_KINDS = {1: "a plain", 2: "an observations", 4: "a timeseries"}


class CallbackRegistrar:
    """Collects the hooks of a module."""

    def __init__(self, registrar: Registrar = None, model_spec: ModelSpec = None):
        self._on = registrar or Registrar()
        self.model_spec = model_spec or ModelSpec(schema.current)
        self.log = logging.getLogger("CallbackRegistrar")
        self._registered = set()
        self._used_links = set()
        self._correlations = set()
        self.refreshed = []

    # Ingestion.

    def register_task_hook(self, hook_type: str, hook):
        """First for every task: ``hook(task)``."""
        if hook_type != "on_task_start":
            raise ValueError(f"Hook type '{hook_type}' doesn't exist.")
        self._once(hook, "task")
        self._on.add(
            "ingest", "on-task-start", "", _i.Moment_OnTaskStart(), lambda task: _ignored(hook(LiftedTask.lifted(task)))
        )

    def register_allow_entity_creation_hook(self, hook, entity: str):
        """May an unknown entity come into being: ``hook(eid, task) -> bool``."""
        self._known_entity(entity)
        self._once(hook, "allow", entity)

        def call(task):
            found = task.entity
            return verdict(hook(schema.current.eid(found.etype, found.eid), LiftedTask.lifted(task)), hook)

        self._on.add("ingest", "allow-entity-creation", entity, _i.Moment_AllowEntityCreation(entity), call)

    def register_on_entity_creation_hook(self, hook, entity: str, refresh: SharedFlag = None, may_change=None):
        """A new entity was accepted: ``hook(eid, task) -> list of tasks``."""
        self._known_entity(entity)
        self._once(hook, "creation", entity)
        wanted, paths = self._refreshed(refresh, may_change, entity)

        def call(task):
            found = task.entity
            eid = schema.current.eid(found.etype, found.eid)
            if wanted and _call.cause() is _call.CallCause.REFRESH:
                return _listed(hook(eid, empty(entity, eid)))
            return _listed(hook(eid, LiftedTask.lifted(task)))

        moment = _i.Moment_OnEntityCreation(_i.Creation(entity, wanted, paths))
        self._on.add("ingest", "on-entity-creation", entity, moment, call)
        if wanted:
            self.refreshed.append((hook, entity, [], paths, refresh))

    def register_entity_hook(self, hook_type: str, hook, entity: str):
        """Deprecated: `register_allow_entity_creation_hook` or `register_on_entity_creation_hook`."""
        if hook_type == "allow_entity_creation":
            self.register_allow_entity_creation_hook(hook, entity)
        elif hook_type == "on_entity_creation":
            self.register_on_entity_creation_hook(hook, entity)
        else:
            raise ValueError(f"Hook type '{hook_type}' doesn't exist.")

    def register_on_new_attr_hook(self, hook, entity: str, attr: str, refresh: SharedFlag = None, may_change=None):
        """A datapoint of that attribute was staged: ``hook(eid, dp) -> list of tasks``."""
        self._known_attr(entity, attr)
        self._new_attr(hook, entity, attr, refresh, may_change)

    def register_attr_hook(self, hook_type: str, hook, entity: str, attr: str):
        """Deprecated: `register_on_new_attr_hook`."""
        kind = _ATTR_HOOKS.get(hook_type)
        if kind is None:
            raise ValueError(f"Hook type '{hook_type}' doesn't exist.")
        self._known_attr(entity, attr)
        spec = schema.current.attribute(entity, attr)
        if spec is not None and spec.kind != kind:
            raise ValueError(f"'{entity}.{attr}' is {_KINDS[spec.kind]} attribute, {hook_type} is for {_KINDS[kind]} one")
        self._new_attr(hook, entity, attr, None, None)

    def _new_attr(self, hook, entity, attr, refresh, may_change):
        self._once(hook, "attr", entity, attr)
        wanted, paths = self._refreshed(refresh, may_change, entity)

        def call(found, given):
            eid = schema.current.eid(found.etype, found.eid)
            if wanted and _call.cause() is _call.CallCause.REFRESH:
                # As DP³: such a run has no datapoint to show.
                return _listed(hook(eid, empty(entity, eid)))
            return _listed(hook(eid, lifted(found, given)))

        moment = _i.Moment_OnNewAttribute(_i.AttributeWatch(entity, attr, wanted, paths))
        self._on.add("ingest", "on-new-attribute", f"{entity}.{attr}", moment, call)
        if wanted:
            self.refreshed.append((hook, entity, [[attr]], paths, refresh))

    # Snapshots.

    def register_timeseries_hook(self, hook, entity_type: str, attr_type: str):
        """Each stored history of a timeseries: ``hook(entity_type, attr_type, history) -> list of tasks``."""
        spec = schema.current.attribute(entity_type, attr_type)
        if schema.current and spec is None:
            raise ValueError(f"Attribute '{entity_type}.{attr_type}' does not exist.")
        if spec is not None and spec.kind != schema.TIMESERIES:
            raise ValueError(f"'{entity_type}.{attr_type}' is not a timeseries, but {_KINDS[spec.kind]} attribute")
        self._once(hook, "timeseries", entity_type, attr_type)

        def call(found, attr, history):
            return _list_only(hook(found.etype, attr, chunks(history)), hook)

        moment = _s.Moment_Timeseries(_t.AttributeRef(entity_type, attr_type))
        self._on.add("snapshot", "timeseries", f"{entity_type}.{attr_type}", moment, call)

    def register_correlation_hook(self, hook, entity_type: str, depends_on, may_change):
        """Current values are computed: ``hook(entity_type, current_values)`` may change them and return tasks."""
        depends_on, may_change = self._correlated(hook, entity_type, depends_on, may_change)
        links = self._used_links

        def call(view):
            component = Component(view, links)
            return component.correlated(_any(hook(entity_type, component.root)))

        moment = _s.Moment_Correlate(_s.Correlation(entity_type, depends_on, may_change, True))
        self._on.add("snapshot", "correlate", entity_type, moment, call)

    def register_correlation_hook_with_master_record(self, hook, entity_type: str, depends_on, may_change):
        """As `register_correlation_hook`: ``hook(entity_type, current_values, master_record)``."""
        depends_on, may_change = self._correlated(hook, entity_type, depends_on, may_change)
        links = self._used_links

        def call(view, master):
            component = Component(view, links)
            return component.correlated(_any(hook(entity_type, component.root, documents.master(master))))

        moment = _s.Moment_CorrelateWithRecord(_s.Correlation(entity_type, depends_on, may_change, True))
        self._on.add("snapshot", "correlate-with-record", entity_type, moment, call)

    def register_snapshot_init_hook(self, hook):
        """Start of a run: ``hook() -> list of tasks``."""
        self._once(hook, "init")
        self._on.add(
            "snapshot", "snapshot-init", "", _s.Moment_SnapshotInit(), lambda _run: _list_only(hook(), hook)
        )

    def register_snapshot_finalize_hook(self, hook):
        """End of a run: ``hook() -> list of tasks``."""
        self._once(hook, "finalize")
        self._on.add(
            "snapshot", "snapshot-finalize", "", _s.Moment_SnapshotFinalize(), lambda _run: _list_only(hook(), hook)
        )

    # Sweeps.

    def register_periodic_update_hook(self, hook, hook_id: str, entity_type: str, period: str):
        """Every stored entity once per period: ``hook(entity_type, eid, master_record) -> list of tasks``."""
        self._unique("record", hook_id, entity_type, seconds(period))

        def call(master):
            document = documents.master(master)
            return _list_only(hook(master.entity.etype, document["_id"], document), hook)

        moment = _u.Moment_UpdateRecord(_u.Sweep(entity_type, seconds(period)))
        self._on.add("update", "update-record", f"{entity_type}.{hook_id}", moment, call)

    def register_periodic_eid_update_hook(self, hook, hook_id: str, entity_type: str, period: str):
        """Every stored entity once per period: ``hook(entity_type, eid) -> list of tasks``."""
        self._unique("eid", hook_id, entity_type, seconds(period))

        def call(found):
            return _list_only(hook(found.etype, schema.current.eid(found.etype, found.eid)), hook)

        moment = _u.Moment_UpdateEntity(_u.Sweep(entity_type, seconds(period)))
        self._on.add("update", "update-entity", f"{entity_type}.{hook_id}", moment, call)

    # Times of the clock.

    def scheduler_register(self, func, **how) -> int:
        """At times of the clock: ``func(*func_args, **func_kwargs)``."""
        return self._on.scheduler_register(func, **how)

    def scheduler_register_once(self, func, **how) -> int:
        """Once, when the platform starts."""
        return self._on.scheduler_register_once(func, **how)

    # Checks.

    def _known_entity(self, entity):
        if schema.current and entity not in schema.current.entities:
            raise KeyError(entity)

    def _known_attr(self, entity, attr):
        self._known_entity(entity)
        if schema.current and schema.current.attribute(entity, attr) is None:
            raise ValueError(f"Attribute '{attr}' of entity '{entity}' does not exist.")

    def _once(self, hook, *where):
        key = (hook, *where)
        if key in self._registered:
            raise ValueError(f"{get_func_name(hook)} is registered already for {' '.join(where)}")
        self._registered.add(key)

    def _unique(self, kind, hook_id, entity_type, period):
        key = (kind, hook_id, entity_type, period)
        if key in self._registered:
            raise ValueError(f"Hook ID {hook_id} already registered for {entity_type}.")
        self._registered.add(key)

    def _refreshed(self, refresh, may_change, entity):
        if refresh is None:
            return False, []
        if may_change is None:
            raise ValueError("'may_change' must be specified if 'refresh' is specified")
        return True, [list(self._path(entity, path)) for path in may_change]

    def _correlated(self, hook, entity_type, depends_on, may_change):
        if schema.current and entity_type not in schema.current.entities:
            raise ValueError(f"Entity '{entity_type}' does not exist.")
        depends_on = [list(self._path(entity_type, path)) for path in depends_on]
        may_change = [list(self._path(entity_type, path)) for path in may_change]
        name = f"{get_func_name(hook)}({entity_type}, {_shown(depends_on)}, {_shown(may_change)})"
        if name in self._correlations:
            raise ValueError(f"Hook id '{name}' already present in the vertices.")
        self._correlations.add(name)
        return depends_on, may_change

    def _path(self, entity, path):
        """A checked path; its links are used ones from now on."""
        at = entity
        for index, step in enumerate(path):
            last = index == len(path) - 1
            if schema.current:
                spec = schema.current.attribute(at, step) if at is not None else None
                if spec is None or (not last and spec.link_to is None):
                    raise ValueError(f"Invalid path '{'->'.join((entity, *path))}', failed on '{step}'")
            if not last:
                self._used_links.add((at, step) if schema.current else (None, step))
                at = spec.link_to if schema.current else None
                if at is not None:
                    self._on.request("read-entities", at)
        return path


def _shown(paths):
    return "[" + ", ".join("->".join(path) for path in paths) + "]"


def _ignored(_result):
    return None


def _listed(result):
    """Tasks where the hook returned a list; anything else is ignored, as in DP³."""
    return tasks(result) if isinstance(result, list) and result else []


def _any(result):
    """Tasks of anything that can be walked; what is empty or nothing is none."""
    return tasks(result) if result else []


def _list_only(result, hook):
    if not isinstance(result, list):
        raise TypeError(f"{get_func_name(hook)} returned {result!r}: expected a list of tasks, perhaps an empty one")
    return tasks(result)
