"""Admission by prefix."""

from ipaddress import ip_network

from dp3.common.base_module import BaseModule
from dp3.common.callback_registrar import CallbackRegistrar
from dp3.common.config import PlatformConfig
from dp3.common.task import DataPointTask


class IPFilter(BaseModule):
    """Keeps every address out that lies in none of the configured prefixes."""

    def __init__(self, platform_config: PlatformConfig, module_config: dict, registrar: CallbackRegistrar):
        super().__init__(platform_config, module_config, registrar)
        registrar.register_allow_entity_creation_hook(hook=self.is_wanted, entity="ip")

    def load_config(self, config: PlatformConfig, module_config: dict) -> None:
        self.prefixes = [ip_network(prefix) for prefix in module_config["prefixes"]]
        self.log.info("loaded %d prefixes", len(self.prefixes))

    def is_wanted(self, eid, task: DataPointTask) -> bool:
        wanted = any(eid in prefix for prefix in self.prefixes)
        if not wanted:
            self.log.debug("%s is not wanted", eid)
        return wanted
