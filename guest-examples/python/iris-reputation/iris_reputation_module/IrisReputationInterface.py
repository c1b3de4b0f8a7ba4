"""The module: which hooks it wants, and what it does at them."""

import json

import iris_interface.IrisInterfaceStatus as InterfaceStatus
from app.datamgmt.manage.manage_attribute_db import add_tab_attribute_field
from iris_interface.IrisModuleInterface import IrisModuleInterface, IrisModuleTypes
from jinja2 import Template

import iris_reputation_module.IrisReputationConfig as conf
from iris_reputation_module.service import Service, name_of


class IrisReputationInterface(IrisModuleInterface):
    _module_name = conf.module_name
    _module_description = conf.module_description
    _interface_version = conf.interface_version
    _module_version = conf.module_version
    _module_type = IrisModuleTypes.module_processor
    _module_configuration = conf.module_configuration

    def register_hooks(self, module_id):
        self.module_id = module_id
        configuration = self.module_dict_conf
        if configuration.get("on_create_enabled"):
            status = self.register_to_hook(module_id, iris_hook_name="on_postload_ioc_create")
            if status.is_failure():
                self.log.error(status.get_message())
        else:
            self.deregister_from_hook(module_id=self.module_id, iris_hook_name="on_postload_ioc_create")
        if configuration.get("manual_enabled"):
            self.register_to_hook(
                module_id, iris_hook_name="on_manual_trigger_ioc", manual_hook_name="Get reputation"
            )
        self.register_to_hook(module_id, iris_hook_name="on_preload_case_create", run_asynchronously=False)
        self.register_to_hook(module_id, iris_hook_name="on_postload_asset_create", run_asynchronously=False)

    def hooks_handler(self, hook_name, hook_ui_name, data):
        self.log.info(f"Received {hook_name}")
        if hook_name in ("on_postload_ioc_create", "on_manual_trigger_ioc"):
            status = self._handle_iocs(data)
        elif hook_name == "on_preload_case_create":
            status = self._handle_case(data)
        elif hook_name == "on_postload_asset_create":
            status = self._handle_assets(data)
        else:
            self.log.critical(f"Received unsupported hook {hook_name}")
            return InterfaceStatus.I2Error(data=data, logs=list(self.message_queue))
        if status.is_failure():
            self.log.error(f"Encountered error processing hook {hook_name}")
            return InterfaceStatus.I2Error(data=data, logs=list(self.message_queue))
        return InterfaceStatus.I2Success(data=data, message=status.get_message(), logs=list(self.message_queue))

    def _handle_iocs(self, data):
        configuration = self.module_dict_conf
        service = Service(configuration["service_url"], configuration["api_key"], self.log)
        found = 0
        for ioc in data:
            if ioc.ioc_type.type_name not in ("domain", "ip-dst", "ip-src"):
                self.log.info(f"{ioc.ioc_type.type_name} is not supported")
                continue
            known = service.ask(ioc.ioc_value)
            if known is None:
                continue
            found += 1
            self._write(ioc, known, configuration)
        return InterfaceStatus.I2Success(message=f"{found} of {len(data)} known")

    def _write(self, ioc, known, configuration):
        if known["score"] >= float(configuration["malicious_from"]):
            ioc.ioc_tags = f"{ioc.ioc_tags},reputation:malicious" if ioc.ioc_tags else "reputation:malicious"
        report = Template(configuration["report_template"]).render(value=ioc.ioc_value, **known)
        add_tab_attribute_field(
            ioc, tab_name="Reputation", field_name="HTML report", field_type="html", field_value=report
        )

    def _handle_case(self, data):
        for case in data:
            if not case.get("case_soc_id"):
                return InterfaceStatus.I2Error("a case needs the number of the SOC")
            for word, severity in json.loads(self.module_dict_conf["severities"]).items():
                if word in case["case_name"].lower():
                    case["severity_id"] = severity
        return InterfaceStatus.I2Success(data=data)

    def _handle_assets(self, data):
        for asset in data:
            name = name_of(asset.asset_ip) if asset.asset_ip else None
            if name:
                asset.asset_domain = name
                asset.asset_description = f"{asset.asset_description}\nnamed {name} in case {asset.case.name}"
        return InterfaceStatus.I2Success
