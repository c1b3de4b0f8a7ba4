"""A module of DP³ that registers for everything, with keywords and without."""

from functools import partial

from dp3.common.attrspec import AttrType
from dp3.common.base_module import BaseModule
from dp3.common.callback_registrar import CallbackRegistrar
from dp3.common.config import PlatformConfig
from dp3.common.datapoint import DataPointObservationsBase, DataPointPlainBase
from dp3.common.task import DataPointTask, parse_data_point_task, task_context

events = []


class Every(BaseModule):
    """Every hook."""

    def __init__(self, platform_config: PlatformConfig, module_config: dict, registrar: CallbackRegistrar):
        super().__init__(platform_config, module_config, registrar)
        self.model_spec = platform_config.model_spec
        events.append(("made", module_config.get("a.b"), platform_config.process_index))
        registrar.register_task_hook("on_task_start", self.task)
        registrar.register_allow_entity_creation_hook(self.allow, "ip")
        registrar.register_on_entity_creation_hook(
            hook=self.creation, entity="ip", refresh=self.refresh, may_change=[["class"]]
        )
        registrar.register_entity_hook("on_entity_creation", partial(self.old_creation, "x"), "ip")
        registrar.register_entity_hook(hook_type="allow_entity_creation", hook=self.old_allow, entity="ip6")
        registrar.register_on_new_attr_hook(self.hostname, "ip", "hostname", refresh=self.refresh, may_change=[["class"]])
        registrar.register_attr_hook("on_new_observation", self.seen, "ip", "seen")
        registrar.register_attr_hook("on_new_plain", hook=self.linked, entity="host", attr="site")
        registrar.register_attr_hook(hook_type="on_new_ts_chunk", hook=self.traffic, entity="host", attr="traffic")
        registrar.register_timeseries_hook(self.history, "host", "traffic")
        registrar.register_correlation_hook(
            hook=self.fuse, entity_type="host", depends_on=[["site", "risk"], ["text"]], may_change=[["real"], ["site", "label"]]
        )
        registrar.register_correlation_hook_with_master_record(self.with_record, "site", [["risk"]], [["label"]])
        registrar.register_snapshot_init_hook(self.init)
        registrar.register_snapshot_finalize_hook(hook=self.finalize)
        registrar.register_periodic_update_hook(self.update, "sweep", "ip", "1d")
        registrar.register_periodic_eid_update_hook(hook=self.update_eid, hook_id="again", entity_type="person", period="2h")
        self.job = registrar.scheduler_register(
            self.timer, func_args=["a"], func_kwargs={"n": 2}, hour=3, day_of_week="mon-fri", timezone="Europe/Prague"
        )
        registrar.scheduler_register_once(self.timer, func_args=["once"])

    def load_config(self, config: PlatformConfig, module_config: dict) -> None:
        events.append(("load", type(config.config).__name__, sorted(config.config.get("modules"))))
        self.suffix = module_config.get("suffix", "!")

    def start(self):
        events.append("start")

    def stop(self):
        events.append("stop")

    def task(self, task):
        events.append((task.etype, task.eid, [dp.attr for dp in task.data_points], task.delete, task.tags, task.ttl_tokens))

    def allow(self, eid, task):
        return None if eid.is_multicast else eid.is_global or task.data_points

    def old_allow(self, eid, task):
        return True

    def creation(self, eid, task):
        self.log.info("%s has %d", eid, len(task.data_points))
        return [
            DataPointTask(
                etype="ip",
                eid=eid,
                data_points=[{"etype": "ip", "eid": eid, "attr": "class", "src": "every", "v": f"new{self.suffix}"}],
            )
        ]

    def old_creation(self, what, eid, task):
        return (DataPointTask(etype="ip", eid=eid, data_points=[{"attr": "class", "v": what}]),)

    def hostname(self, eid, dp):
        if isinstance(dp, DataPointTask):
            events.append(("refreshed", dp.etype, dp.eid, dp.data_points))
            return [DataPointTask(etype="ip", eid=eid, data_points=[{"attr": "class", "v": "again"}])]
        assert isinstance(dp, DataPointPlainBase) and dp.t1 is None
        return None

    def seen(self, eid, dp):
        assert isinstance(dp, DataPointObservationsBase)
        with task_context(self.model_spec):
            point = {**dp.model_dump(), "attr": "seen", "v": dp.v.upper()}
        return [DataPointTask(etype=dp.etype, eid=eid, data_points=[point], ttl_tokens={"t": dp.t2}, tags=["seen"])]

    def linked(self, eid, dp):
        return [DataPointTask(etype="site", eid=dp.v.eid, data_points=[{"attr": "label", "v": f"{dp.v['eid'] + 1}"}])]

    def traffic(self, eid, dp):
        total = sum(dp.v.bytes)
        return [DataPointTask(etype="host", eid=eid, data_points=[{"attr": "number", "v": total}])]

    def history(self, etype, attr, history):
        events.append((etype, attr, [(chunk["t1"].year, chunk["v"]["bytes"]) for chunk in history]))
        return []

    def fuse(self, etype, values):
        values["real"] = values["site"]["record"].get("risk", 0) * 2
        values["site"]["record"]["label"] = values.get("text", "none")
        values["extra"] = {"free": [1]}
        return [DataPointTask(etype=etype, eid=values["eid"], data_points=[{"attr": "text", "v": "seen"}])]

    def with_record(self, etype, values, record):
        events.append(record)
        values["label"] = str(record["#hash"])

    def init(self):
        return [DataPointTask(etype="ip", eid="192.0.2.1", data_points=[{"attr": "class", "v": "init"}])]

    def finalize(self):
        return None

    def update(self, etype, eid, record):
        return [DataPointTask(etype=etype, eid=eid, delete=True)] if "hostname" in record else []

    def update_eid(self, etype, eid):
        return [DataPointTask(etype=etype, eid=eid, data_points=[{"attr": "name", "v": str(eid)}])]

    def timer(self, what, n=1):
        events.append((what, n))
        if n == 2:
            self.refresh.set()

    def inspect(self):
        """What the model says, for the test."""
        spec = self.model_spec
        text = parse_data_point_task('{"etype":"ip","eid":"192.0.2.1","delete":true}', spec)
        return {
            "entities": list(spec.entities),
            "kinds": [spec.attributes["host", name].t for name in ("text", "name", "traffic")] == list(AttrType),
            "relations": sorted(spec.relations),
            "to": spec.relations["host", "home"].relation_to,
            "age": spec.attr("host", "home").history_params.max_age.total_seconds(),
            "series": sorted(spec.attribs("host")["events"].series),
            "eid": spec.parse_eid("site", "7"),
            "type": spec.entity("person").id_data_type,
            "task": text.as_message(),
        }
