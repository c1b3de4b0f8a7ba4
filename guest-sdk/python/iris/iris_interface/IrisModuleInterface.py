"""The base class of IRIS modules.

An instance is made for each call, as in IRIS. Where IRIS reads its database, this class reads what the host told the
module: its configuration, filled with defaults. Registrations are kept and become the module's subscriptions.
"""

import logging
from enum import Enum

from tenter_iris import registration, settings

from . import IrisInterfaceStatus as InterfaceStatus


class IrisPipelineTypes(Enum):
    """What a pipeline is asked for."""

    pipeline_type_update = "pipeline_update"
    pipeline_type_import = "pipeline_import"


class IrisModuleTypes(Enum):
    """What a module is."""

    module_pipeline = "module_pipeline"
    module_processor = "module_processor"


class _Queue(logging.Handler):
    """Keeps the lines of a module's log."""

    def __init__(self, lines):
        super().__init__()
        self.lines = lines
        self.setFormatter(logging.Formatter("%(levelname)s :: %(module)s :: %(funcName)s :: %(message)s"))

    def emit(self, record):
        self.lines.append(self.format(record))


class IrisModuleInterface:
    """What modules derive from; see the interface of IRIS for what each attribute and method is."""

    _module_name = "IrisBaseModule"
    _module_description = ""
    _interface_version = "1.2.0"
    _module_version = "1.0"
    _module_type = IrisModuleTypes.module_processor
    _pipeline_support = False
    _pipeline_info = {}
    _module_configuration = []

    def __init__(self):
        self.message_queue = []
        self._is_ready = self._module_name != IrisModuleInterface._module_name
        self.log = logging.getLogger(f"iris.{self._module_name}")
        self.set_log_handler()
        self._dict_conf = self.module_dict_conf

    def set_log_handler(self):
        """Lines go to the queue, and through the root logger to the host."""
        self.log.handlers[:] = [_Queue(self.message_queue)]
        self.log.setLevel(logging.DEBUG)

    @property
    def module_dict_conf(self):
        """Values of the configuration by name."""
        return settings.values()

    @property
    def server_dict_conf(self):
        """Settings of the server; a proxy is applied by the host, so none is told."""
        return {
            "http_proxy": "",
            "https_proxy": "",
            "prevent_post_mod_repush": False,
            "prevent_post_objects_repush": False,
            "has_updates_available": False,
            "enable_updates_check": False,
            "enforce_mfa": False,
        }

    def get_configuration(self):
        return InterfaceStatus.I2Success(data=settings.definitions(self._module_configuration))

    def get_configuration_dict(self):
        return InterfaceStatus.I2Success(data=settings.values())

    def get_init_configuration(self):
        return self._module_configuration

    def get_module_name(self):
        return self._module_name

    def get_module_description(self):
        return self._module_description

    def get_module_version(self):
        return self._module_version

    def get_module_type(self):
        kind = self._module_type
        return kind.value if isinstance(kind, Enum) else kind

    def get_interface_version(self):
        return self._interface_version

    def is_providing_pipeline(self):
        return self._pipeline_support

    def pipeline_get_info(self):
        return self._pipeline_info

    def is_ready(self):
        return self._is_ready

    def auto_configure(self):
        return InterfaceStatus.I2ConfigureSuccess

    def internal_configure(self, *_args, **_kwargs):
        return InterfaceStatus.I2ConfigureSuccess

    def get_evidence_storage(self):
        return InterfaceStatus.I2Success(data=registration.EvidenceStorage())

    def register_to_hook(self, module_id, iris_hook_name, manual_hook_name=None, run_asynchronously=True):
        """Wants to be called at a hook, under a title if it is a manual one."""
        why = registration.add(iris_hook_name, manual_hook_name, run_asynchronously)
        if why is not None:
            return InterfaceStatus.I2Error(message=[why])
        return InterfaceStatus.I2Success(message=[f"Hook {iris_hook_name} registered"])

    def deregister_from_hook(self, module_id, iris_hook_name):
        """Takes all registrations for a hook back."""
        registration.remove(iris_hook_name)
        return InterfaceStatus.I2Success(message=["Hook deregistered"])

    def register_hooks(self, module_id):
        """To be overridden: registers for hooks."""
        return InterfaceStatus.I2InterfaceNotImplemented

    def hooks_handler(self, hook_name, hook_ui_name, data):
        """To be overridden: answers a hook."""
        return InterfaceStatus.I2InterfaceNotImplemented

    def pipeline_init(self, *_args, **_kwargs):
        return InterfaceStatus.I2InterfaceNotImplemented

    def pipeline_handler(self, pipeline_type, pipeline_data):
        return InterfaceStatus.I2InterfaceNotImplemented

    def pipeline_files_upload(self, base_path, file_handle, case_customer, case_name, is_update):
        return InterfaceStatus.I2InterfaceNotImplemented
