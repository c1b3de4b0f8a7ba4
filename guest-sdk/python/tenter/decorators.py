"""Decorators: sugar over the registrar, for functions and for methods of a `tenter.Module`.

Each leaves a mark that is read when the module is configured. What a decorator takes is what the method of
`tenter.Registrar` of the same purpose takes after the function.
"""

from .module import MARKS
from .registrar import Registrar


def _decorator(register):
    def with_arguments(*args, **kwargs):
        def mark(function):
            marks = [*getattr(function, MARKS, ()), lambda on, hook: register(on, hook, *args, **kwargs)]
            setattr(function, MARKS, marks)
            return function

        return mark

    with_arguments.__doc__ = register.__doc__
    return with_arguments


def _task_start(on, hook, *args, **kwargs):
    """First for every task: ``hook(task)``."""
    on.register_task_hook("on_task_start", hook, *args, **kwargs)


def _request(on, hook, capability, scope=""):
    """Asks for a capability that the function needs."""
    on.request(capability, scope)


on_task_start = _decorator(_task_start)
allow_entity_creation = _decorator(Registrar.register_allow_entity_creation_hook)
on_entity_creation = _decorator(Registrar.register_on_entity_creation_hook)
on_new_attr = _decorator(Registrar.register_on_new_attr_hook)
snapshot_init = _decorator(Registrar.register_snapshot_init_hook)
snapshot_finalize = _decorator(Registrar.register_snapshot_finalize_hook)
timeseries = _decorator(Registrar.register_timeseries_hook)
correlate = _decorator(Registrar.register_correlation_hook)
correlate_with_record = _decorator(Registrar.register_correlation_hook_with_master_record)
periodic_update = _decorator(Registrar.register_periodic_update_hook)
periodic_eid_update = _decorator(Registrar.register_periodic_eid_update_hook)
cron = _decorator(Registrar.scheduler_register)
once_at_start = _decorator(Registrar.scheduler_register_once)
before = _decorator(Registrar.before)
after = _decorator(Registrar.after)
manual = _decorator(Registrar.manual)
asks = _decorator(_request)
