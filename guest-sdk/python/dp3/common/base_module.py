"""The base of modules."""

import logging

from dp3.common.callback_registrar import CallbackRegistrar
from dp3.common.config import PlatformConfig
from dp3.common.state import SharedFlag


class BaseModule:
    """A module: it registers its hooks when it is made."""

    def __init__(self, platform_config: PlatformConfig, module_config: dict, registrar: CallbackRegistrar):
        self.refresh = SharedFlag(False, banner=f"Refresh {type(self).__name__}")
        self.log = logging.getLogger(type(self).__name__)
        self.load_config(platform_config, module_config)

    def load_config(self, config: PlatformConfig, module_config: dict) -> None:
        """Reads the configuration; called again after a change of it."""

    def start(self) -> None:
        """Before the first hook call."""

    def stop(self) -> None:
        """After the last hook call."""
