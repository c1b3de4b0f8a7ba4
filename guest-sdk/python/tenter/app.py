"""From a module to a component: the classes that componentize-py binds to the contract's exports.

A component is entered by one call at a time. Handlers stand in one dictionary by subscription id; it is filled at the
first hook call after `configure`, which is when `start` of the module runs, so that later calls pay for one look-up only.
"""

import gc
import sys

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import cases as _c
from wit_world.exports import ingest as _i
from wit_world.exports import module as _m
from wit_world.exports import schedule as _sch
from wit_world.exports import snapshot as _s
from wit_world.exports import update as _u
from wit_world.imports import call as _call
from wit_world.imports import entities as _entities
from wit_world.imports import types as _t

from . import logs, schema
from .errors import hook_error

_SUBSCRIPTION = {
    "ingest": _i.Subscription,
    "snapshot": _s.Subscription,
    "update": _u.Subscription,
    "schedule": _sch.Subscription,
    "cases": _c.Subscription,
}


class _Handlers(dict):
    """Handlers by subscription id; the first look-up starts the module."""

    rows = ()
    started = True

    def __missing__(self, subscription):
        if not self.started:
            # Marked only when it went well: what fails to start is started again at the next call.
            _guest.start()
            self.started = True
            self.update((row.id, row.call) for row in self.rows)
            if subscription in self:
                return self[subscription]
        if not self.rows:
            raise Err(_t.HookError_Failed("called before `configure`"))
        raise Err(_t.HookError_Failed(f"no handler for the subscription {subscription!r}"))


_handlers = _Handlers()
_guest = None

# Before the author's module is imported, so that it may choose another level.
logs.install()


def serve(guest) -> None:
    """Makes a component of a module: to be called once, when the component is built."""
    global _guest
    _guest = guest
    # What is there by now stays for ever: it need not be looked at again by the collector.
    gc.collect()
    gc.freeze()


class Module(exports.Module):
    """The mandatory interface."""

    def describe(self):
        return _guest.describe()

    def configure(self, config):
        global _handlers
        try:
            schema.use(schema.Specification(_entities.schema()))
            if "random" in sys.modules:
                # Its state is that of the build, the same in every instance.
                sys.modules["random"].seed(_call.random())
            on = _guest.configure(config)
        except BaseException as error:
            raise hook_error(error) from None
        handlers = _Handlers()
        handlers.rows, handlers.started = on.rows, False
        _handlers = handlers
        return [_m.Request(capability, scope) for capability, scope in on.requests]


def _subscriptions(family):
    make = _SUBSCRIPTION[family]
    return [make(row.id, row.moment) for row in _handlers.rows if row.family == family]


def _answer(subscription, *args):
    try:
        return _handlers[subscription](*args)
    except BaseException as error:
        raise hook_error(error) from None


class Ingest(exports.Ingest):
    """Hooks of ingestion."""

    def subscriptions(self):
        return _subscriptions("ingest")

    def on_task_start(self, subscription, task):
        return _answer(subscription, task)

    def allow_entity_creation(self, subscription, task):
        return _answer(subscription, task)

    def on_entity_creation(self, subscription, task):
        return _answer(subscription, task)

    def on_new_attribute(self, subscription, entity, datapoint):
        # As `_answer`, without its frame: the hook that is called most.
        try:
            return _handlers[subscription](entity, datapoint)
        except BaseException as error:
            raise hook_error(error) from None


class Snapshot(exports.Snapshot):
    """Hooks of snapshot runs."""

    def subscriptions(self):
        return _subscriptions("snapshot")

    def snapshot_init(self, subscription, run):
        return _answer(subscription, run)

    def snapshot_finalize(self, subscription, run):
        return _answer(subscription, run)

    def timeseries(self, subscription, entity, attr, history):
        return _answer(subscription, entity, attr, history)

    def correlate(self, subscription, view):
        return _answer(subscription, view)

    def correlate_with_record(self, subscription, view, master):
        return _answer(subscription, view, master)


class Update(exports.Update):
    """Hooks of sweeps."""

    def subscriptions(self):
        return _subscriptions("update")

    def update_record(self, subscription, master):
        return _answer(subscription, master)

    def update_entity(self, subscription, entity):
        return _answer(subscription, entity)


class Schedule(exports.Schedule):
    """Hooks at times of the clock."""

    def subscriptions(self):
        return _subscriptions("schedule")

    def cron(self, subscription, arguments):
        return _answer(subscription, arguments)


class Cases(exports.Cases):
    """Hooks of case management."""

    def subscriptions(self):
        return _subscriptions("cases")

    def before(self, subscription, context, event, proposal):
        return _answer(_served("before", subscription, event), context, event, proposal)

    def after(self, subscription, context, event, objects):
        return _answer(_served("after", subscription, event), context, event, objects)

    def manual(self, subscription, context, event, objects):
        return _answer(_served("manual", subscription, event), context, event, objects)


def _served(kind, subscription, event):
    """The subscription that answers. A registration that an operator made (`operator:..`) is served by the hook of its
    kind that fits the event, else by the first of its kind."""
    if not subscription.startswith("operator:"):
        return subscription
    rows = [row for row in _handlers.rows if row.kind == kind]
    for row in rows:
        wanted = row.moment.value
        action = getattr(wanted, "action", None)
        if wanted.object in (None, event.object) and action in (None, event.action):
            return row.id
    return rows[0].id if rows else subscription

