"""Kinds of activity of an address, and its mean."""

from statistics import mean, pstdev

from dp3.common.base_module import BaseModule
from dp3.common.callback_registrar import CallbackRegistrar
from dp3.common.config import PlatformConfig
from dp3.common.datapoint import DataPointTimeseriesBase
from dp3.common.task import DataPointTask


class Activity(BaseModule):
    """Tells steady addresses from bursty ones."""

    def __init__(self, platform_config: PlatformConfig, module_config: dict, registrar: CallbackRegistrar):
        self.burst = module_config.get("burst", 2.0)
        super().__init__(platform_config, module_config, registrar)
        registrar.register_on_new_attr_hook(self.classify, "ip", "activity")
        registrar.register_timeseries_hook(self.summarize, entity_type="ip", attr_type="activity")

    def classify(self, eid, dp: DataPointTimeseriesBase) -> list[DataPointTask]:
        sent = dp.v.out_bytes
        if not any(sent):
            kind = "idle"
        else:
            kind = "bursty" if pstdev(sent) > self.burst * mean(sent) else "steady"
        self.log.info("%s from %s to %s: %s", eid, dp.t1.isoformat(), dp.t2.isoformat(), kind)
        return [
            DataPointTask(
                etype=dp.etype, eid=eid, data_points=[{"etype": dp.etype, "eid": eid, "attr": "activity_class", "v": kind}]
            )
        ]

    def summarize(self, entity_type: str, attr_type: str, history: list[dict]) -> list[DataPointTask]:
        chunks = [chunk["v"]["out_bytes"] for chunk in history]
        self.log.info("%s.%s has %d chunks", entity_type, attr_type, len(chunks))
        return []
