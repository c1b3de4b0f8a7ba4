"""SDK for modules in Python. ``guest-sdk/python/README.md`` shows how one is written, tested and built."""

from . import call, entities, http, resolver, secrets, state, tasks, views
from .cases import CaseObject, Deny, New, Proposal, Report, Written, deny
from .decorators import (
    after,
    allow_entity_creation,
    asks,
    before,
    correlate,
    correlate_with_record,
    cron,
    manual,
    on_entity_creation,
    on_new_attr,
    on_task_start,
    once_at_start,
    periodic_eid_update,
    periodic_update,
    snapshot_finalize,
    snapshot_init,
    timeseries,
)
from .errors import Denied, Failed, HookError, InvalidInput, Unavailable
from .module import Module, Parameter
from .record import Record
from .registrar import Registrar
from .task import Datapoint, Task
from .values import Link, MacAddress, Struct
from .view import Entity, Run, View

__all__ = [
    "CaseObject", "Datapoint", "Denied", "Deny", "Entity", "Failed", "HookError", "InvalidInput", "Link", "MacAddress",
    "Module", "New", "Parameter", "Proposal", "Record", "Registrar", "Report", "Run", "Struct", "Task", "Unavailable",
    "View", "Written", "after", "allow_entity_creation", "asks", "before", "call", "correlate",
    "correlate_with_record", "cron", "deny", "entities", "http", "manual", "on_entity_creation", "on_new_attr",
    "on_task_start", "once_at_start", "periodic_eid_update", "periodic_update", "resolver", "secrets",
    "snapshot_finalize", "snapshot_init", "state", "tasks", "timeseries", "views",
]  # fmt: skip
