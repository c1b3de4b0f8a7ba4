"""A package of IRIS as a guest: see the package's own words."""

import importlib
import json
import logging
import re

from wit_world.exports import cases as _c
from wit_world.exports import module as _m
from wit_world.imports import entities as _entities

import tenter_iris
from dp3.host import refusals
from tenter.errors import Failed, InvalidInput, keep_source
from tenter.registrar import Registrar
from tenter_net import preload

from . import changes, hooks, registration, settings
from .asks import requests_for
from .objects import CLASSES, ObjectId

_log = logging.getLogger("tenter.iris")
_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")
# Hosts have one module of a name; IRIS gives each a number.
_MODULE_ID = 1


class Guest:
    """What `tenter.app` drives."""

    def __init__(self, manifest):
        self.manifest = manifest
        settings.keep_clear(getattr(manifest, "CLEAR", ()))
        self.package, self.cls = find(manifest.SOURCE)
        self.definitions = settings.with_defaults(self.cls._module_configuration, getattr(manifest, "CONFIG", None) or {})
        preload(getattr(manifest, "PRELOAD", ()))
        keep_source(self.package)
        refusals.install("do the work in the hook itself; hooks that run in the background hold up nobody")

    def describe(self):
        """Static facts."""
        cls = self.cls
        return _m.Descriptor(
            str(cls._module_name),
            str(cls._module_description or self.manifest.DESCRIPTION),
            version(cls._module_version, self.manifest.VERSION),
            settings.parameters(self.definitions),
        )

    def configure(self, text):
        """Lets the module register, and makes subscriptions of it."""
        settings.use(self.definitions, json.loads(text))
        registration.begin(_entities.case_hooks(), self.package.__name__)
        registration.made.clear()
        module = self.cls()
        status = module.register_hooks(_MODULE_ID)
        if getattr(status, "is_failure", bool)():
            raise InvalidInput(f"register_hooks failed: {said(status)}")
        on = Registrar()
        for row in registration.rows():
            phase, kind, action = hooks.parse(row.hook)
            if phase == "before":
                moment, call = _c.Moment_Before(_c.CaseFilter(kind, action)), self._before
            elif phase == "after":
                moment = _c.Moment_After(_c.AfterFilter(kind, action, not row.in_background))
                call = self._after
            else:
                moment, call = _c.Moment_Manual(_c.MenuEntry(kind, row.title)), self._manual
            about = f"{row.hook}:{row.title}" if row.title else row.hook
            on.add("cases", phase, about, moment, _titled(call, row.title), None)
        for capability, scope in requests_for(self.manifest, self.definitions):
            on.request(capability, scope)
        return on

    def start(self):
        """Modules of IRIS have no start."""

    def _before(self, title, context, event, proposal):
        given = json.loads(proposal.body)
        by_id = event.action in hooks.ID_ONLY or event.object in ("report", "activities-report")
        number = proposal.id if proposal.id is not None else given.get("report_id", 0)
        data = ObjectId(number, given) if by_id else given
        status = self._ask("before", title, context, event, [data], denies=True)
        if status.is_failure():
            return _c.Judgement_Denied(said(status))
        if by_id:
            return _c.Judgement_Unchanged()
        answer = status.get_data()
        if answer is None:
            # What was written on the data counts all the same.
            answer = [data]
        if not isinstance(answer, list) or len(answer) != 1 or not isinstance(answer[0], dict):
            raise Failed(f"hooks_handler returned {shorten(answer)} as data; expected the list with the data that it got")
        if answer[0] == json.loads(proposal.body):
            return _c.Judgement_Unchanged()
        return _c.Judgement_Replaced(json.dumps(answer[0], default=str))

    def _after(self, title, context, event, objects):
        data, written = seen(context, event, objects)
        self._ask("after", title, context, event, data)
        return _c.Outcome(self._effects(written), [])

    def _manual(self, title, context, event, objects):
        written = [lifted(one, context) for one in objects]
        status = self._ask("manual", title, context, event, written)
        message = said(status) or "Success"
        lines = [str(line) for line in flat(status.get_logs())]
        report = _c.Report(message, _c.Media.TEXT, "\n".join(lines) or message)
        return _c.ManualOutcome(self._effects(written), [], report)

    def _effects(self, written):
        made = changes.effects(written)
        for kind, case_id, body in registration.made:
            made.append(_c.Effect_Create(_c.NewObject(kind, case_id, json.dumps(body, default=str), [])))
        registration.made.clear()
        return made

    def _ask(self, phase, title, context, event, data, denies=False):
        """Calls the handler of a new instance, and gives its status unless that is a failure."""
        from iris_interface.IrisInterfaceStatus import IIStatus, is_denial

        registration.made.clear()
        settings.look_for_secrets()
        tenter_iris.context = context
        try:
            module = self.cls()
            status = module.hooks_handler(hooks.name_of(phase, event), title, data)
        finally:
            tenter_iris.context = None
        if not isinstance(status, IIStatus):
            name = f"{type(module).__name__}.hooks_handler"
            raise Failed(f"{name} returned {shorten(status)}; expected a status such as InterfaceStatus.I2Success(data=data)")
        lines = set(module.message_queue)
        for line in flat(status.get_logs()):
            if line not in lines:
                _log.info("%s", line)
        if status.is_success() or denies and is_denial(status):
            return status
        raise Failed(said(status, module.message_queue))


def find(name):
    """The package and its class."""
    package = importlib.import_module(name)
    named = getattr(package, "__iris_module_interface", None)
    if not isinstance(named, str):
        raise InvalidInput(
            f"the package {name} has no `__iris_module_interface`; IRIS modules name the file and class of their interface there"
        )
    cls = getattr(importlib.import_module(f"{name}.{named}"), named, None)
    if cls is None:
        raise InvalidInput(f"{name}/{named}.py has no class {named}, which `__iris_module_interface` names")
    kind = cls._module_type
    if getattr(kind, "value", kind) != "module_processor":
        raise InvalidInput(
            f"{name} is a pipeline: it imports files that people upload, which this runtime has no hook for; processors are built"
        )
    return package, cls


def _titled(call, title):
    return lambda *args: call(title, *args)


def version(text, otherwise):
    """A semantic version of one in IRIS, such as 1.2."""
    found = _VERSION.match(str(text))
    return ".".join(part or "0" for part in found.groups()) if found else otherwise


def lifted(one, context):
    """An object with attributes."""
    return CLASSES[one.target.object](one, json.loads(one.body), context)


def seen(context, event, objects):
    """What the handler of an event gets, and the objects on which it may write."""
    action, report = event.action, event.object in ("report", "activities-report")
    if report:
        return [document(event, one, context) for one in objects], []
    if action in ("delete", "comment-delete"):
        gone = [one.old or one.new for one in objects]
        return [ObjectId(one.target.id, json.loads(one.body)) for one in gone[: 1 if action != "delete" else None]], []
    if action == "comment-update":
        return [json.loads(objects[0].new.body)], []
    if action == "commented":
        remark, about = objects[0].new, objects[1].new
        name = event.object.replace("-", "_")
        return [{"comment": json.loads(remark.body), name: json.loads(about.body)}], []
    written = [lifted(one.new, context) for one in objects if one.new is not None]
    return list(written), written


def document(event, one, context):
    """What IRIS tells of a report."""
    import base64

    number, body = one.new.target.id, json.loads(one.new.body)
    if event.object == "activities-report":
        return number
    content = one.attachments[0].content if one.attachments else b""
    return {
        "report_id": number,
        "file_path": body.get("file_name"),
        "case_id": body.get("case_id", context.case_id),
        "user_name": body.get("user_name"),
        "file": base64.b64encode(content).decode(),
    }


def flat(lines):
    """Lines of logs, which may be nested."""
    for line in lines if isinstance(lines, (list, tuple)) else [lines] if lines else []:
        if isinstance(line, (list, tuple)):
            yield from flat(line)
        else:
            yield line


def said(status, lines=()):
    """The message of a status; the last line of the log for one that says nothing of its own."""
    message = status.get_message()
    text = " ".join(map(str, message)) if isinstance(message, (list, tuple)) else str(message or "")
    if text in ("", "Error", "Unknown error", "Critical error") and lines:
        # Level, file and function come before the words.
        return f"{text or 'Error'}: {str(lines[-1]).split(' :: ', 3)[-1]}"
    return text


def shorten(value):
    """A value for a message."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
