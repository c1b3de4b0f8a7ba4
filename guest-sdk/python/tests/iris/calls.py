"""What the tests beside it share: packages of IRIS that are configured and called natively.

`python -m unittest discover -s tests/iris` in `guest-sdk/python`. Those of the example are skipped where requests, jinja2
and packaging are not installed.
"""

import importlib
import json
import sys
import types
from pathlib import Path

SDK = Path(__file__).parents[2]
sys.path[:0] = [
    str(SDK),
    str(SDK / "iris"),
    str(SDK.parents[1] / "guest-examples" / "python" / "iris-reputation"),
    str(SDK / "tests" / "net"),
]
from bindings import install, world  # noqa: E402

imports = install()
from componentize_py_types import Err  # noqa: E402
from wit_world.exports import cases as _c  # noqa: E402

from tenter import app  # noqa: E402

HOOKS = """on_preload_case_create on_preload_ioc_create on_preload_ioc_delete on_postload_ioc_create on_postload_ioc_delete
on_postload_asset_create on_postload_asset_commented on_postload_report_create on_manual_trigger_ioc
on_manual_trigger_case on_postload_note_update on_postload_global_task_update""".split()
imports.entities.case_hooks = lambda: HOOKS
imports.entities.schema = lambda: "{}"
imports.secrets.available = lambda: ["api_key"]


class Module:
    """A package, configured."""

    def __init__(self, source, config=None, **facts):
        world.reset()
        known = {"SOURCE": source, "NAME": "m", "TITLE": "", "DESCRIPTION": "", "VERSION": "0.1.0", **facts}
        app.serve(importlib.import_module("tenter_iris").load(types.SimpleNamespace(**known)))
        world.lines.clear()
        self.descriptor = app.Module().describe()
        defaults = {p.name: json.loads(p.default_value) for p in self.descriptor.parameters if p.default_value}
        self.asks = [f"{one.capability} {one.scope}".strip() for one in app.Module().configure(json.dumps({**defaults, **(config or {})}))]
        self.subscriptions = {one.id: one.moment for one in app.Cases().subscriptions()}

    @staticmethod
    def context(trigger="API"):
        return _c.Context(2, "#2 - Beacons", _c.User(1, "ana", "Ana"), _c.Trigger[trigger])

    def before(self, subscription, kind, action, body, number=None):
        proposal = _c.Proposal(number, json.dumps(body))
        return app.Cases().before(subscription, self.context(), _c.Event(kind, action), proposal)

    def after(self, subscription, kind, action, *written):
        return app.Cases().after(subscription, self.context(), _c.Event(kind, action), list(written))

    def manual(self, subscription, kind, *objects):
        return app.Cases().manual(subscription, self.context("MANUAL"), _c.Event(kind, None), list(objects))


def thing(kind, number, **body):
    """An object of the contract."""
    return _c.CaseObject(_c.ObjectRef(kind, number), "uuid", 3, json.dumps(body))


def created(*objects):
    """Objects that came into being."""
    return [_c.Written(None, one, []) for one in objects]


def edits(outcome):
    """The edits of all patches, as short texts and pairs."""
    found = []
    for effect in outcome.effects:
        for edit in effect.value.edits:
            name = type(edit).__name__.removeprefix("Edit_")
            value = edit.value
            if name == "SetField":
                value = (value.name, json.loads(value.json))
            elif name == "SetCustomField":
                value = (value.tab, value.name, value.kind, json.loads(value.json))
            found.append((name, value))
    return found


__all__ = ["Err", "Module", "created", "edits", "imports", "thing", "world"]
