"""The class of the package."""

import probe_module
from iris_interface.IrisModuleInterface import IrisModuleInterface


class ProbeInterface(IrisModuleInterface):
    _module_name = "Probe"
    _module_version = "1.2"
    _module_configuration = [
        {"param_name": "n", "param_human_name": "N", "param_description": "", "default": "7", "mandatory": True, "type": "int"},
        {"param_name": "odd", "param_human_name": "Odd", "param_description": "", "default": "many", "mandatory": False, "type": "int"},
        {"param_name": "key", "param_human_name": "Key", "param_description": "", "default": "x", "mandatory": False, "type": "sensitive_string"},
    ]  # fmt: skip

    def register_hooks(self, module_id):
        return probe_module.register(self, module_id)

    def hooks_handler(self, hook_name, hook_ui_name, data):
        return probe_module.handle(self, hook_name, hook_ui_name, data)
