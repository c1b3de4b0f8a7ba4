"""Names of addresses, looked up in reverse when an address is new and once a day from then on."""

import socket

from dp3.common.base_module import BaseModule
from dp3.common.callback_registrar import CallbackRegistrar
from dp3.common.config import PlatformConfig
from dp3.common.datapoint import DataPointPlainBase
from dp3.common.task import DataPointTask


class IPNames(BaseModule):
    """Looks the name of each address up."""

    def __init__(self, platform_config: PlatformConfig, module_config: dict, registrar: CallbackRegistrar):
        super().__init__(platform_config, module_config, registrar)
        registrar.register_on_entity_creation_hook(self.on_creation, "ip")
        registrar.register_periodic_eid_update_hook(self.again, hook_id="names", entity_type="ip", period="1d")
        assert DataPointPlainBase

    def on_creation(self, eid, task: DataPointTask) -> list[DataPointTask]:
        return self.named(eid)

    def again(self, entity_type: str, eid) -> list[DataPointTask]:
        return self.named(eid)

    def named(self, eid):
        try:
            name, _, _ = socket.gethostbyaddr(str(eid))
        except (socket.herror, socket.gaierror, socket.timeout) as error:
            self.log.debug("%s has no name: %s", eid, error)
            return []
        point = {"etype": "ip", "eid": eid, "attr": "hostname", "src": "ip_names", "v": name}
        return [DataPointTask(etype="ip", eid=eid, data_points=[point])]
