"""The classes of objects, for `isinstance`, and the list of hooks. There is no database to query."""

from tenter_iris import registration
from tenter_iris.objects import (
    CaseAssets,
    CaseObject,
    CaseReceivedFile,
    Cases,
    CasesEvent,
    CaseTasks,
    Comments,
    GlobalTasks,
    Ioc,
    Notes,
)
from tenter_net import host

__all__ = [
    "CaseAssets", "CaseReceivedFile", "CaseTasks", "Cases", "CasesEvent", "Comments", "GlobalTasks", "IrisHook", "Ioc", "Notes",
]  # fmt: skip


class _Query:
    """The query of a class whose rows are not here."""

    def __init__(self, of):
        self._of = of

    def __getattr__(self, name):
        raise host.unsupported(f"{self._of}.query", "a module sees the objects that its hook gets")


class _Hook:
    def __init__(self, name):
        self.hook_name, self.hook_description = name, ""


class _Hooks:
    """The query of hooks, the one list that a module may read."""

    def all(self):
        return [_Hook(name) for name in registration.hook_names()]

    def with_entities(self, *_columns):
        return self

    def __iter__(self):
        return iter(self.all())


class IrisHook:
    """A hook."""

    hook_name = "hook_name"
    hook_description = "hook_description"
    query = _Hooks()


for _cls in CaseObject.__subclasses__():
    _cls.query = _Query(_cls.__name__)
