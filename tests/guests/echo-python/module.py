"""The guest of the conformance suite: it does what `tests/conformance/README.md` says, and no more.

What has to go back exactly as it came, such as values of correlations, is passed in the contract's own types, by
`Registrar.add`; everything else goes the way of the SDK.
"""

import tenter
from tenter import Report, Task, deny
from wit_world.exports import cases as c
from wit_world.exports import schedule as sch
from wit_world.exports import snapshot as s
from wit_world.exports import update as u
from wit_world.imports import types as t

import commands
from commands import info

TITLE = "Echo"
VERSION = "1.0.0"
PARAMETERS = [tenter.Parameter("string", "command", title="Command", default="echo")]
ASKS = [
    ("state", ""), ("read-entities", "thing"), ("delete-entity", "thing"), ("http", "* https://echo.example/*"),
    ("resolver", ""), ("secret", "echo"), ("case-write", "ioc"),
]  # fmt: skip
PATHS = [["value"], ["link", "value"]]
FIELDS = sch.CronFields(None, None, None, None, None, None, "0", None, "UTC")
MAY_CHANGE = [["echo"]]


def configure(config, on):
    if config["command"] == "refuse":
        raise tenter.Failed("refused")
    for ask in ASKS:
        on.request(*ask)
    echo = Echo(config["command"])
    first = echo.first
    on.register_task_hook("on_task_start", first(echo.started), id="on-task-start")
    on.register_allow_entity_creation_hook(first(echo.admit), "thing", id="allow-entity-creation")
    on.register_on_entity_creation_hook(first(lambda eid, task: task), "thing", id="on-entity-creation")
    on.register_on_new_attr_hook(first(echo.named), "thing", "value", id="on-new-attribute")
    on.register_snapshot_init_hook(first(echo.run), id="snapshot-init")
    on.register_snapshot_finalize_hook(first(echo.run), id="snapshot-finalize")
    on.register_timeseries_hook(first(echo.history), "thing", "series", id="timeseries")
    correlation = s.Correlation("thing", PATHS, MAY_CHANGE, True)
    for kind, moment, call in [
        ("correlate", s.Moment_Correlate(correlation), echo.correlate),
        ("correlate-with-record", s.Moment_CorrelateWithRecord(correlation), echo.correlate_with_record),
    ]:
        on.add("snapshot", kind, "", moment, first(call), kind)
    sweep = u.Moment_UpdateRecord(u.Sweep("thing", 3600))
    on.add("update", "update-record", "", sweep, first(lambda record: [stored(record)]), "update-record")
    on.register_periodic_eid_update_hook(first(echo.visit), "visit", "thing", "1h", id="update-entity")
    cron = sch.Moment_Cron(sch.Timer(sch.Timing_Fields(FIELDS), 60, '{"n":1}'))
    on.add("schedule", "cron", "", cron, first(echo.cron), "cron")
    on.before(first(echo.before), "ioc", "create", id="before")
    on.after(first(echo.after), "ioc", id="after")
    on.manual(first(echo.manual), "ioc", "Echo", id="manual")


class Echo:
    """What each hook does."""

    def __init__(self, command):
        self.command = command

    def first(self, hook):
        """The hook, after what the command says that every hook does."""
        misbehave = commands.EVERY.get(self.command)
        if misbehave is None:
            return hook

        def call(*_):
            return misbehave()

        return call

    def started(self, task):
        info(f"task {task.etype}/{task.eid} {len(task.data_points)}")

    def admit(self, eid, task):
        return deny(eid) if eid.startswith("deny") else True

    def named(self, eid, dp):
        echoed = Task(dp.etype, eid, [dp.replace(attr="echo")])
        command = commands.NAMED.get(self.command)
        answer = None if command is None else command(dp.etype, eid, echoed)
        return echoed if answer is None else answer

    def run(self, run):
        return Task("thing", run.id).plain("echo", run.time)

    def history(self, etype, eid, attr, history):
        task = Task(etype, eid)
        for chunk in history:
            task.timeseries(attr, chunk.v, chunk.t1, chunk.t2)
        return task

    def correlate(self, view, tasks=()):
        if self.command == "views":
            commands.views()
        changes = [
            s.Change(seen.entity, one.attr, [s.Weighted(one.value, one.confidence)])
            for seen in [view.root, *view.linked]
            for one in seen.values
        ]
        return s.Correlated(changes, list(tasks))

    def correlate_with_record(self, view, record):
        return self.correlate(view, [stored(record)])

    def visit(self, etype, eid):
        return Task(etype, eid).plain("echo", eid)

    def cron(self, arguments):
        given = t.Datapoint("echo", t.Value_Json(arguments), None, None, None, None)
        ids = tenter.tasks.submit([Raw(t.Task(t.EntityRef("thing", "cron"), [given], [], [], False))])
        info(f"submitted {len(ids)}")

    def before(self, context, event, proposal):
        told(context, event)
        info(f"proposal {shown(proposal.id)}")
        if self.command == "keep":
            return None
        return deny("denied") if self.command == "deny" else proposal.body

    def after(self, context, event, written):
        told(context, event)
        made = []
        for one in written:
            if one.new is None:
                info(f"deleted {one.old.id}")
            else:
                patch(one.new)
                text = tenter.values.json_text(one.new.body)
                body = t.Datapoint("echo", t.Value_Json(text), None, None, None, None)
                made.append(Raw(t.Task(t.EntityRef("thing", str(one.new.id)), [body], [], [], False)))
            for file in one.attachments:
                info(f"attachment {file.name} {file.media_type} {len(file.content)}")
        file = c.Attachment("echo.bin", "application/octet-stream", bytes([0, 1, 254, 255]))
        return [*made, tenter.New("ioc", {"ioc_value": "made"}, attachments=[file])]

    def manual(self, context, event, objects):
        told(context, event)
        for one in objects:
            one.of_any_version().add_tag("echo")
        body = objects[0].body if objects else None
        return Report(f"{len(objects)} objects", tenter.values.json_text(body), "json")


class Raw:
    """A task in the contract's own types."""

    def __init__(self, task):
        self.task = task

    def to_wit(self):
        return self.task


def patch(ioc):
    """All kinds of edits."""
    ioc.add_tag("echo").remove_tag("old").append_description("echoed").set_field("ioc_value", ioc.body)
    ioc.set_custom_field("Echo", "Body", "echoed")


def shown(value):
    return "-" if value is None else value


def told(context, event):
    login = context.user.login if context.user else None
    words = [context.case_id, context.case_name, login, context.trigger.name.lower(), event.object, event.action]
    info(" ".join(str(shown(word)) for word in words))


COLUMNS = {
    t.ValueColumn_Integers: t.Value_Integer,
    t.ValueColumn_Reals: t.Value_Real,
    t.ValueColumn_Texts: t.Value_Text,
    t.ValueColumn_Times: t.Value_Time,
    t.ValueColumn_Addresses: t.Value_Address,
    t.ValueColumn_Mixed: lambda value: value,
}


def stored(record):
    """All of a record as one task."""
    points = [dp for one in record.attributes for dp in history(one.attr, one.history)]
    tags = [f"revision {record.revision}", f"created {shown(record.created)}"]
    return t.Task(record.entity, points, record.ttl_tokens, tags, False)


def history(attr, given):
    """The datapoints of a history."""
    if isinstance(given, t.History_Plain):
        return [t.Datapoint(attr, given.value.value, None, given.value.updated, None, None)]
    if isinstance(given, t.History_Timeseries):
        return [t.Datapoint(attr, t.Value_Chunk(one.columns), None, one.t1, one.t2, None) for one in given.value]
    rows = given.value
    make = COLUMNS[type(rows.values)]
    columns = zip(rows.values.value, rows.t1, rows.t2, rows.confidence)
    return [t.Datapoint(attr, make(value), None, t1, t2, c) for value, t1, t2, c in columns]
