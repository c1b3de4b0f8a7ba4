"""Refresh flags that a module sets itself, such as a scheduled job that has loaded other rules.

A change of configuration is the host's to follow: it calls refreshed hooks again in the next run. A flag that the module
sets is followed as DP³ does it: a correlation per refreshed hook, which does nothing while the flag is not set, and the
end of the run takes the flag back. They are registered only for modules whose code sets a flag, since a correlation has
its entities computed in each run.
"""

from dp3.common.task import empty
from dp3.host.component import Component
from tenter import schema
from tenter.task import tasks
from wit_world.exports import snapshot as _s


def add_refresh(registrar, on, classes) -> None:
    """Registers what follows the flags of the module."""
    if not registrar.refreshed or not any(_sets_flag(cls) for cls in classes):
        return
    for hook, entity, depends_on, may_change, flag in registrar.refreshed:
        moment = _s.Moment_Correlate(_s.Correlation(entity, depends_on, may_change, True))
        on.add("snapshot", "correlate", f"refresh.{entity}", moment, _follower(hook, entity, flag))
    flags = {id(flag): flag for *_, flag in registrar.refreshed}.values()

    def finalize(_run):
        for flag in flags:
            flag.unset()
        return []

    on.add("snapshot", "snapshot-finalize", "refresh", _s.Moment_SnapshotFinalize(), finalize)


def _follower(hook, entity, flag):
    def call(view):
        if not flag.isset():
            return _s.Correlated([], [])
        component = Component(view, ())
        eid = component.root["eid"]
        made = [task for task in hook(eid, empty(entity, eid)) or () if task is not None]
        for task in made:
            if task.etype != entity or str(task.eid) != str(eid):
                continue
            for dp in task.data_points:
                spec = schema.current.attribute(entity, dp.attr)
                if spec is None or spec.kind == schema.PLAIN:
                    component.root[dp.attr] = dp.v
        return component.correlated(tasks(made))

    return call


def _sets_flag(cls) -> bool:
    """Whether a method of the class names both ``refresh`` and ``set``."""
    codes = [member.__code__ for member in vars(cls).values() if hasattr(member, "__code__")]
    while codes:
        code = codes.pop()
        if "refresh" in code.co_names and "set" in code.co_names:
            return True
        codes.extend(one for one in code.co_consts if hasattr(one, "co_names"))
    return False
