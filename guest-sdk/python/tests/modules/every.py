"""Registers for everything, once with decorators and once by hand."""

import logging

import tenter
from tenter import InvalidInput, New, Report, Task, Unavailable, deny

PARAMETERS = [tenter.Parameter("string", "mode", default="work")]
log = logging.getLogger(__name__)


@tenter.on_task_start()
def started(task):
    log.info("task %s/%s %d", task.etype, task.eid, len(task.data_points))


@tenter.allow_entity_creation("ip")
def admit(eid, task):
    if eid.is_multicast:
        return deny("multicast")
    return not eid.is_reserved


@tenter.on_entity_creation("ip", refresh=True, may_change=[["class"]])
@tenter.asks("write-entities", "ip.class")
def created(eid, task):
    return Task("ip", eid).plain("class", task.data_points[0].v if task.data_points else "none")


@tenter.on_new_attr("ip", "hostname")
def named(eid, dp):
    if dp.v == "bad":
        raise InvalidInput("a bad name")
    if dp.v == "later":
        raise Unavailable("the service is away")
    if dp.v == "broken":
        return [1 // 0]
    if dp.v == "odd":
        return 5
    if dp.v == "exit":
        raise SystemExit(3)
    if dp.v == "state":
        tenter.state.increment("n", 2)
        tenter.state.set_json("j", {"a": [1]})
        return Task("ip", eid).plain("class", tenter.state.get_text("n"))
    return Task("ip", eid).alongside("class", dp.v.upper(), dp).ttl("base", "2026-01-02T00:00:00Z").tag("t")


class Rest(tenter.Module):
    """What is left."""

    title = "Every kind"

    def __init__(self, config):
        self.mode = config["mode"]
        if self.mode == "refuse":
            raise InvalidInput("mode: expected another")

    @tenter.snapshot_init()
    def begin(self, run):
        return [Task("ip", "192.0.2.1").plain("class", run.id)]

    @tenter.timeseries("host", "traffic")
    def mean(self, etype, eid, attr, history):
        flat = [one for chunk in history for one in chunk.v.bytes]
        return Task(etype, eid).plain("real", sum(flat) / len(flat))

    @tenter.correlate("host", ["site.risk", ["text"]], ["real", "site.risk"])
    def fuse(self, view):
        for site in view.follow("site"):
            view["real"] = site.get("risk", 0.0) * 2
            site.set("risk", 0.25, 0.5)
        if "text" in view:
            del view["text"]
        view.set_all("ports", [(1, 0.5), (2, None)])

    @tenter.correlate_with_record("site", [], ["label"])
    def label(self, view):
        view["label"] = f"{view.eid + 1}:{view.record['label'].v}:{len(view.record.get('none', ()))}"
        return Task("site", view.eid).plain("label", "seen")

    @tenter.periodic_update("stale", "ip", "12h")
    def stale(self, etype, eid, record):
        return [Task(etype, eid, delete=True)] if record.created else []

    @tenter.periodic_eid_update("again", "ip", 3600)
    def again(self, etype, eid):
        return (Task(etype, eid).plain("class", str(int(eid))) for _ in range(1))

    @tenter.cron(minute="*/5", func_args=[1], func_kwargs={"b": 2})
    def tick(self, a, b):
        tenter.tasks.submit(Task("ip", "192.0.2.1").plain("class", f"{a}{b}"))

    def register(self, on):
        on.register_snapshot_finalize_hook(self.begin)
        on.before(self.check, "ioc", "create")
        on.after(self.after, "ioc")
        on.manual(self.click, "ioc", "Look up")
        on.scheduler_register_once(self.tick, func_kwargs={"a": 3, "b": 4})

    def check(self, context, event, proposal):
        if proposal["ioc_value"] == "no":
            return deny("not this one")
        if proposal["ioc_value"] == "fix":
            proposal["ioc_value"] = "fixed"

    def after(self, context, event, written):
        for one in written:
            one.new.add_tag("seen").append_description("looked at").set_field("ioc_tlp_id", 2)
        return [New("ioc", {"ioc_value": "made"}), Task("ip", "192.0.2.1").plain("class", context.user.login)]

    def click(self, context, event, objects):
        objects[0].of_any_version().set_custom_field("Tab", "Name", {"a": 1})
        return Report("1 object", {"n": len(objects)}, "json")
