"""How exposed an address is, seen together with its site."""

from dp3.common.base_module import BaseModule
from dp3.common.callback_registrar import CallbackRegistrar
from dp3.common.config import PlatformConfig
from dp3.common.task import DataPointTask


class Exposure(BaseModule):
    """Counts open ports, weighs them by the site, and tells the site."""

    def __init__(self, platform_config: PlatformConfig, module_config: dict, registrar: CallbackRegistrar):
        super().__init__(platform_config, module_config, registrar)
        self.model = platform_config.model_spec
        registrar.register_task_hook("on_task_start", self.count)
        registrar.register_snapshot_init_hook(self.begin)
        registrar.register_snapshot_finalize_hook(self.end)
        registrar.register_correlation_hook(
            self.weigh, "ip", depends_on=[["open_ports"], ["site", "weight"]], may_change=[["exposure"], ["site", "exposed"]]
        )
        registrar.register_correlation_hook_with_master_record(
            hook=self.first, entity_type="ip", depends_on=[["open_ports"]], may_change=[["first_port"]]
        )
        registrar.register_periodic_update_hook(self.clean, "clean", "ip", "7d")

    def count(self, task: DataPointTask) -> None:
        self.log.info("%s:%s with %s", task.etype, task.eid, [dp.attr for dp in task.data_points])

    def begin(self) -> list[DataPointTask]:
        self.seen = 0
        return []

    def end(self) -> list[DataPointTask]:
        self.log.info("%d addresses", self.seen)
        return []

    def weigh(self, entity_type: str, values: dict):
        self.seen = getattr(self, "seen", 0) + 1
        ports = values.get("open_ports", [])
        sure = sum(values.get("open_ports#c", []))
        site = values.get("site", {}).get("record", {})
        values["exposure"] = round(sure * site.get("weight", 1.0), 3)
        if ports and "eid" in site:
            site["exposed"] = site.get("exposed", 0) + 1

    def first(self, entity_type: str, values: dict, record: dict):
        history = sorted(record.get("open_ports", []), key=lambda point: point["t1"])
        if history:
            values["first_port"] = history[0]["v"]
            self.log.info("%s since %s, hash %d", record["_id"], history[0]["t1"].date(), record["#hash"])

    def clean(self, entity_type: str, eid, record: dict) -> list[DataPointTask]:
        if "open_ports" in record or "hostname" not in record:
            return []
        self.log.info("%s said %s at %s", eid, record["hostname"]["v"], record["hostname"]["ts_last_update"])
        return [DataPointTask(etype=entity_type, eid=eid, delete=True)]
