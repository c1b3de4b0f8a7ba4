"""Finds name servers that answer anybody."""

import dns.exception
import dns.resolver

from dp3.common.base_module import BaseModule
from dp3.common.callback_registrar import CallbackRegistrar
from dp3.common.config import PlatformConfig
from dp3.common.datapoint import DataPointObservationsBase
from dp3.common.task import DataPointTask

DNS_PORT = 53


class OpenResolver(BaseModule):
    """Asks what has port 53 open for a name, and tags it when it answers."""

    def __init__(self, platform_config: PlatformConfig, module_config: dict, registrar: CallbackRegistrar):
        super().__init__(platform_config, module_config, registrar)
        registrar.register_attr_hook("on_new_observation", self.on_open_port, "ip", "open_ports")

    def load_config(self, config: PlatformConfig, module_config: dict) -> None:
        self.name = module_config.get("name", "example.org")
        self.expected = set(module_config.get("expected", []))

    def on_open_port(self, eid, dp: DataPointObservationsBase) -> list[DataPointTask]:
        if dp.v != DNS_PORT:
            return []
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [str(eid)]
        resolver.timeout = resolver.lifetime = 2
        try:
            answered = {record.address for record in resolver.resolve(self.name, "A")}
        except dns.exception.DNSException as error:
            self.log.info("%s did not answer: %s", eid, type(error).__name__)
            return []
        point = {"etype": "ip", "eid": eid, "attr": "open_resolver", "v": answered == self.expected}
        return [DataPointTask(etype="ip", eid=eid, data_points=[point])]
