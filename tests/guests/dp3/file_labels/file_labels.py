"""Labels of addresses by lists in files, which a job loads again when they have changed."""

import os
from ipaddress import ip_network

from dp3.common.base_module import BaseModule
from dp3.common.callback_registrar import CallbackRegistrar
from dp3.common.config import PlatformConfig
from dp3.common.task import DataPointTask


class FileLabels(BaseModule):
    """One file per label, one prefix per line."""

    def __init__(self, platform_config: PlatformConfig, module_config: dict, registrar: CallbackRegistrar):
        super().__init__(platform_config, module_config, registrar)
        registrar.register_entity_hook("on_entity_creation", hook=self.label, entity="ip")
        registrar.register_on_entity_creation_hook(self.relabel, "ip", refresh=self.refresh, may_change=[["labels"]])
        registrar.scheduler_register(self.reload, minute="*/10", func_kwargs={"quiet": False})

    def load_config(self, config: PlatformConfig, module_config: dict) -> None:
        self.files = module_config["files"]
        self.lists = {}

    def start(self) -> None:
        self.reload(quiet=True)

    def reload(self, quiet: bool) -> None:
        lists = {}
        for label, path in self.files.items():
            with open(path, encoding="utf-8") as file:
                lists[label] = [ip_network(line.strip()) for line in file if line.strip()]
        if lists != self.lists and not quiet:
            self.refresh.set()
        self.lists = lists
        self.log.info("loaded %s from %s", sorted(lists), sorted({os.path.dirname(path) for path in self.files.values()}))

    def label(self, eid, task: DataPointTask) -> None:
        self.log.info("%s is new", eid)

    def relabel(self, eid, task: DataPointTask) -> list[DataPointTask]:
        labels = [label for label, prefixes in self.lists.items() if any(eid in prefix for prefix in prefixes)]
        if not labels:
            return []
        return [DataPointTask(etype="ip", eid=eid, data_points=[{"etype": "ip", "eid": eid, "attr": "labels", "v": labels}])]
